// What invariants remember of earlier events without allocating: places in five words, and bounded state per object.

import { KIND } from '../../generated/layouts.ts';
import type { InvariantContext } from '../../check/invariant.ts';
import { OBJECTS_MAX } from '../../model/objects.ts';
import { HEAD, REPEATED_KIND } from '../../model/slot.ts';
import type { EventRef } from '../../model/violation.ts';

/** Words that one place takes. */
export const PLACE_WORDS = 5;
const KIND_NAMES = new Map(Object.entries(KIND).map(([name, number]) => [number as number, name]));

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const {
  seqLow: SEQ_LOW,
  seqHigh: SEQ_HIGH,
  tsLow: TS_LOW,
  tsHigh: TS_HIGH,
  kindFlags: KIND_FLAGS,
  cpu: CPU,
} = HEAD;

/** Notes the place of the event at lane `at` in `words` from `to` on. */
export function keepPlace(words: Uint32Array, to: number, lanes: Uint32Array, at: number): void {
  words[to] = lanes[at + SEQ_LOW] as number;
  words[to + 1] = lanes[at + SEQ_HIGH] as number;
  words[to + 2] = lanes[at + TS_LOW] as number;
  words[to + 3] = lanes[at + TS_HIGH] as number;
  words[to + 4] = ((lanes[at + KIND_FLAGS] as number) << 16) | ((lanes[at + CPU] as number) & 0xffff);
}

export function placeTime(words: Uint32Array, from: number): number {
  return (words[from + 2] as number) + (words[from + 3] as number) * 0x1_0000_0000;
}

export function placeCpu(words: Uint32Array, from: number): number {
  return (words[from + 4] as number) & 0xffff;
}

export function placeRef(words: Uint32Array, from: number): EventRef {
  const kind = ((words[from + 4] as number) >>> 16) & ~REPEATED_KIND;
  return {
    cpu: placeCpu(words, from),
    seq: (words[from] as number) + (words[from + 1] as number) * 0x1_0000_0000,
    ts: placeTime(words, from),
    kind: KIND_NAMES.get(kind) ?? `unknown ${kind}`,
  };
}

/** Oldest first: the order in which evidence is told. */
export function inOrder(refs: readonly EventRef[]): EventRef[] {
  return [...refs].sort((a, b) => a.ts - b.ts || a.cpu - b.cpu || a.seq - b.seq);
}

/** CPUs an invariant keeps state for. */
export const CPUS_MAX = 1024;

interface Touched {
  /** Set to 1 by each look-up, cleared when room is sought: who is still 0 then was not used since the time before. */
  touched: number;
}

/** State by object index, made when first asked for, at most `max` at a time: one that was not used lately leaves. */
export class PerObject<T extends Touched> {
  readonly #context: InvariantContext;
  readonly #make: (object: number) => T | null;
  readonly #max: number;
  readonly #items: (T | undefined)[] = [];
  #held = 0;
  /** Where the search for one to evict goes on. */
  #hand = 0;

  constructor(context: InvariantContext, max: number, make: (object: number) => T | null) {
    this.#context = context;
    this.#max = max;
    this.#make = make;
  }

  /** The state, or null for an object that has none. */
  get(object: number): T | null {
    const item = object < this.#items.length ? this.#items[object] : undefined;
    if (item === undefined) return this.#add(object);
    item.touched = 1;
    return item;
  }

  /** The state if there is one; neither makes nor touches it. */
  peek(object: number): T | undefined {
    return this.#items[object];
  }

  delete(object: number): void {
    if (object >= this.#items.length || this.#items[object] === undefined) return;
    this.#items[object] = undefined;
    this.#held--;
  }

  /** Forgets all; returns how many there were. */
  clear(): number {
    const held = this.#held;
    this.#items.length = 0;
    this.#held = 0;
    return held;
  }

  forEach(visit: (item: T, object: number) => void): void {
    for (let object = 0; object < this.#items.length; object++) {
      const item = this.#items[object];
      if (item !== undefined) visit(item, object);
    }
  }

  #add(object: number): T | null {
    if (object >= OBJECTS_MAX) return null;
    const item = this.#make(object);
    if (item === null) return null;
    if (this.#held >= this.#max) this.#evict();
    while (this.#items.length <= object) this.#items.push(undefined);
    this.#items[object] = item;
    this.#held++;
    item.touched = 1;
    return item;
  }

  #evict(): void {
    for (;;) {
      this.#hand = this.#hand < this.#items.length ? this.#hand : 0;
      const object = this.#hand++;
      const item = this.#items[object];
      if (item === undefined) continue;
      if (item.touched === 0) {
        this.delete(object);
        this.#context.evicted();
        return;
      }
      item.touched = 0;
    }
  }
}
