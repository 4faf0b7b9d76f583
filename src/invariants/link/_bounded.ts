// A map of at most so many entries: the least recently set leave first, and are counted.

export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #most: number;
  readonly #evicted: () => void;

  constructor(most: number, evicted: () => void) {
    this.#most = most;
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#entries.size;
  }
  get(key: string): V | undefined {
    return this.#entries.get(key);
  }
  has(key: string): boolean {
    return this.#entries.has(key);
  }
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.#evicted();
      return;
    }
  }
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }
  clear(): void {
    this.#entries.clear();
  }
  /** Oldest first. */
  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries();
  }
}
