// The states (SAs) known of each namespace, as the kernel keys them: destination, SPI, protocol and mark.

import type { InvariantContext } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import type { EventRef } from '../../model/violation.ts';
import { describeState, requester } from './_words.ts';

const STATES_MAX = 65_536;
/** include/net/xfrm.h: XFRM_STATE_ACQ, a larval state that waits for a key daemon. */
const ACQUIRING = 1;

export interface State {
  readonly netns: string;
  readonly daddr: string;
  readonly saddr: string;
  readonly spi: string;
  readonly proto: number;
  readonly reqid: number;
  readonly mode: number;
  readonly name: string;
  /** Who added it; null if it existed before the recording. */
  readonly by: string | null;
  readonly ref: EventRef;
}

export function stateKey(event: EventView): string {
  const mark = (event.u32('mark') & event.u32('mark_mask')) >>> 0;
  return `${event.text('netns')} ${event.text('daddr')} ${event.text('spi')} ${event.u32('proto')} ${mark}`;
}

/** Whether an event of a state is about one that was ever usable. */
export function isLarval(event: EventView): boolean {
  return event.u32('state') === ACQUIRING;
}

export class States {
  readonly #context: InvariantContext;
  readonly #states = new Map<string, State>();
  /** How many states lead to (netns, daddr). */
  readonly #toward = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#states.size;
  }

  values(): Iterable<State> {
    return this.#states.values();
  }

  /** Takes over what an add, update or dump says that exists. */
  keep(event: EventView, existed = false): void {
    const key = stateKey(event);
    this.#remove(key);
    const [saddr, daddr, spi] = [event.text('saddr'), event.text('daddr'), event.text('spi')];
    const proto = event.u32('proto');
    const state: State = {
      netns: event.text('netns'),
      daddr,
      saddr,
      spi,
      proto,
      reqid: event.u32('reqid'),
      mode: event.u32('mode'),
      name: describeState(spi, proto, saddr, daddr),
      by: existed ? null : requester(event),
      ref: event.ref(),
    };
    this.#states.set(key, state);
    this.#count(state, 1);
    if (this.#states.size <= STATES_MAX) return;
    for (const oldest of this.#states.keys()) {
      this.#remove(oldest);
      this.#context.evicted();
      return;
    }
  }

  /** The state that an event is about. */
  get(event: EventView): State | undefined {
    return this.#states.get(stateKey(event));
  }

  /** Removes the state that a delete is about; undefined if it was not known. */
  delete(event: EventView): State | undefined {
    return this.#remove(stateKey(event));
  }

  /** How many known states lead to an address. */
  toward(netns: string, daddr: string): number {
    return this.#toward.get(`${netns} ${daddr}`) ?? 0;
  }

  clear(): void {
    this.#states.clear();
    this.#toward.clear();
  }

  #remove(key: string): State | undefined {
    const state = this.#states.get(key);
    if (!state) return undefined;
    this.#states.delete(key);
    this.#count(state, -1);
    return state;
  }

  #count({ netns, daddr }: State, by: number): void {
    const key = `${netns} ${daddr}`;
    const left = (this.#toward.get(key) ?? 0) + by;
    if (left > 0) this.#toward.set(key, left);
    else this.#toward.delete(key);
  }
}
