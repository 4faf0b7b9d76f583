// Bounded state per object, and other things that invariants of AF_XDP have in common.

import type { InvariantContext } from '../../check/invariant.ts';
import { OBJECTS_MAX } from '../../model/objects.ts';
import type { EventRef } from '../../model/violation.ts';

/** Oldest first: the order in which evidence is told. */
export function inOrder(refs: readonly EventRef[]): EventRef[] {
  return [...refs].sort((a, b) => a.ts - b.ts || a.cpu - b.cpu || a.seq - b.seq);
}

/** CPUs an invariant keeps state for. */
export const CPUS_MAX = 1024;

/** State by object index, made when first asked for, at most `max` at a time: one that was not used lately leaves. */
export class PerObject<T> {
  readonly #context: InvariantContext;
  readonly #make: (object: number) => T | null;
  readonly #max: number;
  readonly #items: (T | undefined)[] = [];
  /** Set by each look-up, cleared when room is sought: who is still 0 then was not used since the time before. */
  #used = new Uint8Array(64);
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
    this.#used[object] = 1;
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
    if (object >= this.#used.length) this.#grow(object);
    this.#items[object] = item;
    this.#held++;
    this.#used[object] = 1;
    return item;
  }

  #grow(object: number): void {
    let length = this.#used.length;
    while (length <= object) length *= 2;
    const used = new Uint8Array(length);
    used.set(this.#used);
    this.#used = used;
  }

  #evict(): void {
    for (;;) {
      this.#hand = this.#hand < this.#items.length ? this.#hand : 0;
      const object = this.#hand++;
      if (this.#items[object] === undefined) continue;
      if (this.#used[object] === 0) {
        this.delete(object);
        this.#context.evicted();
        return;
      }
      this.#used[object] = 0;
    }
  }
}
