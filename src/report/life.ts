// One object's life: its events in order, as much as a person can read.

import type { EventView } from '../decode/event-view.ts';
import { type Batch, GAP_KIND, SNAPSHOT_CPU } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import { eventsOf, isAt } from './events.ts';
import { fieldTexts } from './fields.ts';
import { gapText } from './gap.ts';
import { type NamedObjects, placeOf } from './objects.ts';
import { createMatcher, type Selector } from './selector.ts';
import type { ThreadNames } from './threads.ts';

export interface LifeEvent {
  readonly ref: EventRef;
  readonly tid: number;
  readonly comm: string;
  /** `outer q1 netns 8193`. */
  readonly place: string;
  /** What else it says: `since -12.3µs`, `len=60`. */
  readonly remark: string;
  /** It is one of the events behind the violation. */
  readonly behind: boolean;
  /** Alike events in a row are one, `last` being the time of the last of them. */
  times: number;
  last: number;
}

export interface Life {
  readonly selector: Selector;
  /** The last events, oldest first; gaps among them. */
  readonly events: readonly LifeEvent[];
  /** How many events there were in front of those. */
  readonly earlier: number;
}

interface Known {
  readonly objects: NamedObjects;
  readonly threads: ThreadNames;
}

export interface LifeOptions {
  /** The life ends with its event, and has all the events behind it, even of other objects. */
  readonly violation?: Violation;
  /** Rows to keep. Default 14, which with the rest fits a screen. */
  readonly keep?: number;
}

/** Fields that the columns or the heading say already. */
const SAID: Readonly<Record<string, RegExp>> = {
  frame: /^(position|addr)=/,
  neighbour: /^(ip|ifindex|netns|family)=/,
  fdb: /^(mac|ifindex|netns|device)=/,
};
const SAID_OF_DEVICE = /^(position|ifindex|netns|family)=/;
/** Events of which only the rhythm is of interest, unless one frame is followed. */
const ALIKE = /^xsk_(?!bind$)/;

export function collectLife(
  batches: Iterable<Batch>,
  selector: Selector,
  known: Known,
  { violation, keep = 14 }: LifeOptions = {},
): Life {
  const { objects } = known;
  const matches = createMatcher(selector, objects);
  const said = SAID[selector.type];
  const events: LifeEvent[] = [];
  const evidence = violation ? [...violation.evidence, violation.at] : [];
  let earlier = 0;
  for (const { event } of eventsOf(batches)) {
    objects.learn(event);
    const lost = event.kindNumber === GAP_KIND;
    // A gap in front of the first event says nothing about the object.
    const behind = evidence.some((ref) => isAt(event, ref));
    if (lost ? events.length === 0 : !behind && (event.repeated || !matches(event))) continue;
    const previous = events.at(-1);
    // A frame's every move counts; of the rest, the rhythm is enough.
    if (
      selector.type !== 'frame' &&
      previous &&
      !lost &&
      !behind &&
      !previous.behind &&
      isAlike(previous, event)
    ) {
      previous.times++;
      previous.last = event.ts;
    } else {
      events.push(lost ? lostEvent(event) : lifeEvent(event, known, said, behind));
      if (events.length >= 2 * keep) earlier += forget(events, keep);
    }
    if (violation && isAt(event, violation.at)) break;
  }
  while (events.at(-1)?.ref.kind === 'gap') events.pop();
  earlier += forget(events, keep);
  return { selector, events, earlier };
}

/** Leaves the last `keep`; returns how many events went. */
function forget(events: LifeEvent[], keep: number): number {
  return events.splice(0, Math.max(0, events.length - keep)).reduce((sum, { times }) => sum + times, 0);
}

function isAlike({ ref, tid }: LifeEvent, event: EventView): boolean {
  return ref.kind === event.kind && ref.cpu === event.cpu && tid === event.tid && ALIKE.test(ref.kind);
}

function lifeEvent(
  event: EventView,
  { objects, threads }: Known,
  of: RegExp | undefined,
  behind: boolean,
): LifeEvent {
  const object = event.field('object') ? event.u32('object') : undefined;
  const said = of ?? (object !== undefined || event.field('ifindex') ? SAID_OF_DEVICE : /^family=/);
  return {
    ref: event.ref(),
    tid: event.tid,
    comm: event.cpu === SNAPSHOT_CPU && event.tid === 0 ? 'snapshot' : threads.at(event.tid, event.ts),
    place: object === undefined ? deviceOf(event, objects) : placeOf(objects, object),
    remark: fieldTexts(event, objects)
      .slice(object === undefined ? 0 : 1)
      .filter((text) => !said.test(text))
      .join(' '),
    behind,
    times: 1,
    last: event.ts,
  };
}

/** `outer netns 8193`, for events that name their device themselves. */
function deviceOf(event: EventView, objects: NamedObjects): string {
  if (!event.field('ifindex')) return '';
  const [netns, ifindex] = [event.u64('netns'), event.u32('ifindex')];
  return `${objects.deviceName(netns, ifindex) ?? `ifindex ${ifindex}`} netns ${netns}`;
}

function lostEvent(event: EventView): LifeEvent {
  return {
    ref: event.ref(),
    tid: 0,
    comm: '',
    place: '',
    remark: gapText(event),
    behind: false,
    times: 0,
    last: event.ts,
  };
}
