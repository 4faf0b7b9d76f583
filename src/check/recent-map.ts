// A map of bounded size for an invariant's state: what was touched longest ago leaves first, and is counted.

import type { InvariantContext } from './invariant.ts';

/** Objects that one map keeps, unless told otherwise. */
const ENTRIES_MAX = 65_536;

export class RecentMap<V, K = string> {
  readonly #context: InvariantContext;
  readonly #max: number;
  readonly #entries = new Map<K, V>();

  constructor(context: InvariantContext, max = ENTRIES_MAX) {
    this.#context = context;
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Sets it as the one touched last. */
  set(key: K, value: V): void {
    const entries = this.#entries;
    entries.delete(key);
    entries.set(key, value);
    if (entries.size <= this.#max) return;
    for (const oldest of entries.keys()) {
      entries.delete(oldest);
      this.#context.evicted();
      return;
    }
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  /** Longest untouched first; entries may be deleted on the way. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }

  clear(): void {
    this.#entries.clear();
  }

  /** At a gap: what was known becomes unknown. */
  forget(): void {
    this.#context.unknown(this.#entries.size);
    this.clear();
  }
}
