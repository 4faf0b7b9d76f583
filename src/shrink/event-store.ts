// Events kept whole in one piece of memory of bounded size, so that any part of them can be checked at once.

import type { Batch } from '../model/slot.ts';
import { FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';

const SLOTS_AT_FIRST = 1 << 12;

/** How long an event is kept when there are more than fit: `named` ones for ever, `related` ones longer than others. */
export const RANK = { other: 0, related: 1, named: 2 } as const;
export type Rank = (typeof RANK)[keyof typeof RANK];

export class EventStore {
  readonly #slotsMax: number;
  #lanes = new Uint32Array(SLOTS_AT_FIRST * SLOT_LANES);
  #slots = 0;
  /** Slot at which each event begins. */
  #first: number[] = [];
  #ranks: Rank[] = [];
  #scratch = new Uint32Array(0);
  /** Events that had to go. */
  dropped = 0;

  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  get length(): number {
    return this.#first.length;
  }

  /** Copies an event of `slots` slots and sets flags in the copy; when there is no room, older ones go. */
  add(lanes: Uint32Array, at: number, slots: number, rank: Rank, flags: number): void {
    if (this.#slots + slots > this.#slotsMax) this.#makeRoom();
    this.#grow(this.#slots + slots);
    const to = this.#slots * SLOT_LANES;
    this.#lanes.set(lanes.subarray(at, at + slots * SLOT_LANES), to);
    this.#lanes[to + HEAD.kindFlags] = ((this.#lanes[to + HEAD.kindFlags] as number) | (flags << 16)) >>> 0;
    this.#first.push(this.#slots);
    this.#ranks.push(rank);
    this.#slots += slots;
  }

  rankOf(event: number): Rank {
    return this.#ranks[event] as Rank;
  }

  /** The lane at which an event begins in `lanes`. */
  laneOf(event: number): number {
    return (this.#first[event] as number) * SLOT_LANES;
  }

  get lanes(): Uint32Array {
    return this.#lanes;
  }

  /** These events in a batch of their own, in memory that the next call uses again: checking marks it. */
  batchOf(events: readonly number[]): Batch {
    let slots = 0;
    for (const event of events) slots += this.#slotsOf(event);
    if (this.#scratch.length < slots * SLOT_LANES) this.#scratch = new Uint32Array(slots * SLOT_LANES);
    const lanes = this.#scratch.subarray(0, slots * SLOT_LANES);
    let to = 0;
    for (let i = 0; i < events.length; ) {
      const from = this.laneOf(events[i] as number);
      let end = from;
      // Neighbours are copied in one go.
      do {
        end += this.#slotsOf(events[i] as number) * SLOT_LANES;
        i++;
      } while (i < events.length && this.laneOf(events[i] as number) === end);
      lanes.set(this.#lanes.subarray(from, end), to);
      to += end - from;
    }
    return { lanes, slots };
  }

  #slotsOf(event: number): number {
    const kindFlags = this.#lanes[this.laneOf(event) + HEAD.kindFlags] as number;
    return 1 + ((kindFlags >>> 16) & FLAG.slots);
  }

  #grow(slots: number): void {
    let length = this.#lanes.length;
    if (length >= slots * SLOT_LANES) return;
    while (length < slots * SLOT_LANES) length *= 2;
    const lanes = new Uint32Array(length);
    lanes.set(this.#lanes);
    this.#lanes = lanes;
  }

  /** Drops the other events of the older half; if those are few, its related ones as well. */
  #makeRoom(): void {
    const half = this.length >> 1;
    const [first, ranks] = [this.#first, this.#ranks];
    const others = ranks.slice(0, half).filter((rank) => rank === RANK.other).length;
    const kept = others < half / 4 ? RANK.named : RANK.related;
    this.#first = [];
    this.#ranks = [];
    let to = 0;
    for (const [event, from] of first.entries()) {
      const rank = ranks[event] as Rank;
      if (event < half && rank < kept) continue;
      const slots = (first[event + 1] ?? this.#slots) - from;
      this.#lanes.copyWithin(to * SLOT_LANES, from * SLOT_LANES, (from + slots) * SLOT_LANES);
      this.#first.push(to);
      this.#ranks.push(rank);
      to += slots;
    }
    this.dropped += first.length - this.#first.length;
    this.#slots = to;
  }
}
