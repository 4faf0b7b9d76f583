// What receives wrote into one socket's RX ring, by position, for the entries that may still be published.

import { keepPlace } from '../../check/place.ts';
import { LANE } from '../../generated/layouts.ts';

const POSITION = LANE.xsk_rx_write.position;
const ADDR = LANE.xsk_rx_write.addr;
const LENGTH = LANE.xsk_rx_write.len;

/** One flush publishes at most a poll's budget of 64, and the reports of it may lag by as much again. */
const KEPT = 256;
const MASK = KEPT - 1;
/** A publication further ahead of the writes than this is damage, not a race. */
const AHEAD_MAX = 4096;

/** Words of an entry. */
const AT = 0;
const LOW = 1;
const HIGH = 2;
const LEN = 3;
const SEEN = 4;
const PLACE = 5;
/** Holds the kind and CPU of the write: never 0 once the entry is known. */
const KNOWN = PLACE + 4;
const STRIDE = 10;

export type PublishedAs = 'unknown' | 'written' | 'otherwise' | 'unwritten';

export class RxWrites {
  readonly words = new Uint32Array(KEPT * STRIDE);
  /** The first write seen: what was written before it is not known. */
  #first = 0;
  #last = 0;
  #synced = false;

  /** Notes a write; `seen` is the length that the XDP program saw. */
  note(lanes: Uint32Array, at: number, seen: number): void {
    const position = lanes[at + POSITION] as number;
    const to = (position & MASK) * STRIDE;
    const { words } = this;
    words[to + AT] = position;
    words[to + LOW] = lanes[at + ADDR] as number;
    words[to + HIGH] = lanes[at + ADDR + 1] as number;
    words[to + LEN] = lanes[at + LENGTH] as number;
    words[to + SEEN] = seen;
    keepPlace(words, to + PLACE, lanes, at);
    if (!this.#synced) {
      this.#synced = true;
      this.#first = position;
    }
    this.#last = position;
  }

  /** Where the write of this position is kept, or -1. */
  find(position: number): number {
    const at = (position & MASK) * STRIDE;
    return this.words[at + KNOWN] !== 0 && this.words[at + AT] === position ? at : -1;
  }

  /** Whether the published entry is what a receive wrote there. */
  compare(lanes: Uint32Array, at: number): PublishedAs {
    const position = lanes[at + POSITION] as number;
    const { words } = this;
    const from = this.find(position);
    if (from >= 0) {
      if (words[from + LOW] === lanes[at + ADDR] && words[from + HIGH] === lanes[at + ADDR + 1])
        return 'written';
      return this.wasOverwritten(lanes, at) ? 'unknown' : 'otherwise';
    }
    return this.#missing(position);
  }

  /**
   * A look may come so late that the ring has gone round and a later write stands in the slot: rings have a power of two
   * of entries, so its position is that much ahead.
   */
  wasOverwritten(lanes: Uint32Array, at: number): boolean {
    const position = lanes[at + POSITION] as number;
    const { words } = this;
    for (let from = 0; from < words.length; from += STRIDE) {
      if (words[from + KNOWN] === 0) continue;
      const ahead = ((words[from + AT] as number) - position) | 0;
      if (ahead <= 0 || (ahead & (ahead - 1)) !== 0) continue;
      if (words[from + LOW] === lanes[at + ADDR] && words[from + HIGH] === lanes[at + ADDR + 1]) return true;
    }
    return false;
  }

  /** Waits for the next write before it judges again: after a gap, or once a broken entry was told. */
  desync(): void {
    this.#synced = false;
    this.words.fill(0);
  }

  /** The address written, of the entry at `from`. */
  address(from: number): bigint {
    return BigInt(this.words[from + LOW] as number) | (BigInt(this.words[from + HIGH] as number) << 32n);
  }
  length(from: number): number {
    return this.words[from + LEN] as number;
  }
  seenLength(from: number): number {
    return this.words[from + SEEN] as number;
  }
  /** Where in `words` the write's place is kept. */
  place(from: number): number {
    return from + PLACE;
  }

  #missing(position: number): PublishedAs {
    if (!this.#synced || ((position - this.#first) | 0) < 0) return 'unknown';
    const slot = this.words[(position & MASK) * STRIDE + AT] as number;
    const taken = this.words[(position & MASK) * STRIDE + KNOWN] !== 0;
    // A later write has taken the place in which this one was kept.
    if (taken && ((slot - position) | 0) > 0) return 'unknown';
    return ((position - this.#last) | 0) <= AHEAD_MAX ? 'unwritten' : 'unknown';
  }
}
