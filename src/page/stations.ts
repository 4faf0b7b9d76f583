// Where an object is after each of its events: in which ring, in which state, in which table.

import { isTable, type Invariant } from '../check/invariant.ts';
import type { EventView } from '../decode/event-view.ts';
import { fieldText } from '../report/fields.ts';
import { edgesOf, statesOf } from '../report/invariant-graph.ts';
import type { NamedObjects } from '../report/objects.ts';
import type { Selector } from '../report/selector.ts';

export interface Stop {
  /** Undefined: the event moves it nowhere. */
  readonly station: string | undefined;
  /** What is true of it from here on; empty if nothing. */
  readonly detail: string;
}

const NOWHERE: Stop = { station: undefined, detail: '' };

/** Follows one object. */
export interface Track {
  /** In the order in which they are drawn; a station met beyond them is put below. */
  readonly stations: readonly string[];
  /** Drawn even where it never was. */
  readonly all: boolean;
  readonly about: string;
  /** Its stations are the states of the invariant's picture. */
  readonly pictured?: boolean;
  /** Events that don't name the object, and yet move it. */
  moves?(event: EventView): boolean;
  step(event: EventView): Stop;
}

/** `own`: the object that the violation is about. */
export function createTrack(
  { type, text }: Selector,
  objects: NamedObjects,
  invariant: Invariant | undefined,
  own: boolean,
): Track {
  switch (type) {
    case 'frame':
      return new FrameTrack(objects);
    case 'neighbour':
      return neighbourTrack(objects);
    case 'fdb':
      return tableTrack(
        'the forwarding table',
        /^vxlan_fdb_(exists|update)$/,
        /^vxlan_fdb_delete$/,
        (event) => (event.field('remote') ? `behind ${event.text('remote')}` : ''),
      );
    case 'sa':
      return tableTrack('the SAs', /^xfrm_state_(exists|add|update)$/, /^xfrm_state_delete$/, (event) =>
        event.field('spi') ? `SPI ${fieldText(event, 'spi', objects)}` : '',
      );
    case 'policy':
      return tableTrack('the policies', /^xfrm_policy_(exists|add)$/, /^xfrm_policy_delete$/, (event) =>
        event.field('index') ? `index ${event.u32('index')}` : '',
      );
    case 'thread':
      return threadTrack(text);
    default:
      return pictureTrack(invariant, own) ?? kindTrack();
  }
}

const RING = {
  fill: 'FILL ring',
  receiving: 'kernel, receiving',
  rx: 'RX ring',
  application: 'application',
  tx: 'TX ring',
  sending: 'kernel, sending',
  comp: 'COMP ring',
} as const;

const FRAME_MOVES: Readonly<Record<string, string>> = {
  xsk_fill_submit: RING.fill,
  xsk_fill_take: RING.receiving,
  xsk_rx_write: RING.rx,
  xsk_tx_submit: RING.tx,
  xsk_tx_take: RING.sending,
  xsk_comp_submit: RING.comp,
};

/** A frame's own events say every ring it gets into; that the application took it says only the ring's consumer. */
class FrameTrack implements Track {
  readonly stations = Object.values(RING);
  readonly all = true;
  readonly about = 'the rings it lies in, and whose it is between them';
  readonly #objects: NamedObjects;
  #station: string | undefined;
  /** The ring it lies in and its place there. */
  #ring = -1;
  #position = 0;

  constructor(objects: NamedObjects) {
    this.#objects = objects;
  }

  moves(event: EventView): boolean {
    const waits =
      (this.#station === RING.rx && event.kind === 'xsk_rx_consume') ||
      (this.#station === RING.comp && event.kind === 'xsk_comp_consume');
    if (!waits || event.u32('object') !== this.#ring) return false;
    const behind = (event.u32('position') - this.#position) >>> 0;
    return behind > 0 && behind <= event.u32('count');
  }

  step(event: EventView): Stop {
    const consumed = event.kind === 'xsk_rx_consume' || event.kind === 'xsk_comp_consume';
    const station = consumed ? RING.application : FRAME_MOVES[event.kind];
    const entry = this.#objects.get(event.u32('object'));
    if (station !== undefined) {
      this.#station = station;
      this.#ring = event.u32('object');
      this.#position = event.u32('position');
    }
    return { station, detail: entry && entry.ifindex !== 0 ? `${entry.name} q${entry.queue}` : '' };
  }
}

const ABSENT = 'absent';
const NUD_ORDER = [
  ABSENT,
  'NONE',
  'INCOMPLETE',
  'REACHABLE',
  'STALE',
  'DELAY',
  'PROBE',
  'FAILED',
  'NOARP',
  'PERMANENT',
];

function neighbourTrack(objects: NamedObjects): Track {
  return {
    stations: NUD_ORDER,
    all: false,
    about: 'NUD states, and the MAC it has',
    step(event) {
      if (event.kind === 'neigh_release') return { station: ABSENT, detail: '' };
      const nud = event.field('nud') === undefined ? undefined : fieldText(event, 'nud', objects);
      const mac = event.field('mac') ? event.text('mac') : '';
      // An update says what is asked for, and what there is; that it is done is another event.
      if (event.kind === 'neigh_update' && (nud === undefined || nud === 'NONE')) return NOWHERE;
      return {
        station: nud,
        detail: mac === '00:00:00:00:00:00' ? '' : mac,
      };
    },
  };
}

function tableTrack(
  table: string,
  enters: RegExp,
  leaves: RegExp,
  detail: (event: EventView) => string,
): Track {
  const there = `in ${table}`;
  const absent = `not in ${table}`;
  return {
    stations: [there, absent],
    all: true,
    about: `whether it is in ${table}`,
    step(event) {
      const refused = event.field('result') !== undefined && event.u32('result') < 0;
      if (refused) return { station: undefined, detail: '' };
      if (enters.test(event.kind)) return { station: there, detail: detail(event) };
      return leaves.test(event.kind) ? { station: absent, detail: '' } : { station: undefined, detail: '' };
    },
  };
}

/** By kind: the field that says where the thread is after it. */
const WHERE_THREAD_IS: Readonly<Record<string, string>> = {
  netns_enter: 'netns',
  netns_request: 'netns',
  netns_task_exists: 'netns',
  netns_exec: 'netns',
};

function threadTrack(text: string): Track {
  return {
    stations: [],
    all: false,
    about: 'the network namespace it is in',
    step(event) {
      // An event of another thread that only speaks of this one.
      const isOwn = text === `thread:${event.tid}`;
      if (isOwn && event.kind === 'netns_thread_exit') return { station: 'ended', detail: '' };
      const isBegin = event.kind === 'netns_fork' && text === `thread:${event.u32('thread')}`;
      const field = isBegin ? 'netns' : isOwn ? WHERE_THREAD_IS[event.kind] : undefined;
      if (field === undefined) return { station: undefined, detail: '' };
      return { station: `netns ${event.u64(field)}`, detail: '' };
    },
  };
}

/**
 * The states of the invariant's own picture, followed as far as the kinds of event alone tell: what is not legal in its
 * state moves it nowhere.
 */
function pictureTrack(invariant: Invariant | undefined, own: boolean): Track | undefined {
  const edges = invariant && edgesOf(invariant);
  if (!invariant || !edges || edges.length === 0) return undefined;
  let state: string | undefined;
  return {
    stations: statesOf(invariant).slice(isTable(invariant) ? 1 : 0),
    all: own,
    about: `the states of ${invariant.name}`,
    pictured: true,
    step(event) {
      const moves = edges.filter((edge) => edge.event === event.kind);
      const move = state === undefined ? moves[0] : moves.find(({ from }) => from === state);
      state = move?.to ?? state;
      return { station: move?.to, detail: '' };
    },
  };
}

/** Nothing is known of its states: what happened to it is all there is to draw. */
function kindTrack(): Track {
  return {
    stations: [],
    all: false,
    about: 'what happened to it last',
    step: ({ kind }) => ({ station: kind, detail: '' }),
  };
}
