// State of every frame of every umem: a few words each, found from an event's object and address.

import type { InvariantContext } from '../../check/invariant.ts';
import { NO_OBJECT } from '../../model/objects.ts';

/** Frames one invariant keeps state for, over all umems. */
const FRAMES_MAX = 1 << 21;
/** XDP_UMEM_UNALIGNED_CHUNK_FLAG: chunks lie anywhere, the offset in one is in bits 48 and up of an address. */
const UNALIGNED = 1;

export interface Umem {
  readonly index: number;
  readonly size: number;
  readonly chunk: number;
  readonly headroom: number;
  readonly unaligned: boolean;
  readonly shift: number;
  readonly frames: number;
  /** `stride` words per frame. */
  readonly words: Uint32Array;
  touched: number;
}

/** Finds the umem of a queue or socket, and keeps the words of its frames. */
export class Frames {
  readonly #context: InvariantContext;
  readonly stride: number;
  readonly #umems = new Map<number, Umem>();
  /** By object index; undefined: not looked up yet. */
  readonly #byObject: (Umem | undefined)[] = [];
  #held = 0;

  constructor(context: InvariantContext, stride: number) {
    this.#context = context;
    this.stride = stride;
  }

  /** The umem that an object uses; null if the table doesn't know. */
  of(object: number): Umem | null {
    const umem = object < this.#byObject.length ? this.#byObject[object] : undefined;
    if (umem === undefined) return this.#find(object);
    umem.touched = 1;
    return umem;
  }

  /** Lane of the first word of the frame that holds this address, or -1 outside the umem. */
  at(umem: Umem, low: number, high: number): number {
    // Kept to 32-bit arithmetic: a division would make all that follows slow.
    if (high !== 0) return this.#atHigh(umem, low, high);
    const frame = low >>> umem.shift;
    return frame < umem.frames ? Math.imul(frame, this.stride) : -1;
  }

  /** Byte address of the frame whose words begin at `at`. */
  address(umem: Umem, at: number): number {
    return (at / this.stride) * 2 ** umem.shift;
  }

  /** Forgets all; returns how many frames had anything in their first word. */
  clear(): number {
    let known = 0;
    for (const { words } of this.#umems.values()) {
      for (let at = 0; at < words.length; at += this.stride) if (words[at] !== 0) known++;
      words.fill(0);
    }
    return known;
  }

  forEach(visit: (umem: Umem) => void): void {
    for (const umem of this.#umems.values()) visit(umem);
  }

  #atHigh(umem: Umem, low: number, high: number): number {
    if (high > 0xffff && !umem.unaligned) return -1;
    const frame = Math.floor((low + (high & 0xffff) * 0x1_0000_0000) / 2 ** umem.shift);
    return frame < umem.frames ? Math.imul(frame, this.stride) : -1;
  }

  #find(object: number): Umem | null {
    const { objects } = this.#context;
    const entry = objects.get(object);
    const target = entry && entry.umem !== NO_OBJECT ? objects.get(entry.umem) : undefined;
    if (!target || target.type !== 'umem' || !(target.chunkSize >= 1) || !(target.size >= 0)) return null;
    const umem = this.#umems.get(target.index) ?? this.#add(target.index);
    if (!umem) return null;
    while (this.#byObject.length <= object) this.#byObject.push(undefined);
    this.#byObject[object] = umem;
    umem.touched = 1;
    return umem;
  }

  #add(index: number): Umem | null {
    const entry = this.#context.objects.get(index);
    if (!entry) return null;
    const shift = 31 - Math.clz32(entry.chunkSize);
    const unaligned = (entry.flags & UNALIGNED) !== 0;
    const frames = unaligned ? Math.ceil(entry.size / 2 ** shift) : Math.floor(entry.size / entry.chunkSize);
    if (!(frames <= FRAMES_MAX)) return null;
    while (this.#held + frames > FRAMES_MAX) this.#evict();
    const umem = {
      index,
      size: entry.size,
      chunk: entry.chunkSize,
      headroom: entry.headroom,
      unaligned,
      shift,
      frames: frames | 0,
      words: new Uint32Array(frames * this.stride),
      touched: 0,
    };
    this.#held += frames;
    this.#umems.set(index, umem);
    return umem;
  }

  #evict(): void {
    // The first that was not used since the last search; of those that all were, the first.
    let oldest: Umem | undefined;
    for (const umem of this.#umems.values()) {
      if (!oldest || umem.touched < oldest.touched) oldest = umem;
      umem.touched = 0;
    }
    if (!oldest) return;
    this.#umems.delete(oldest.index);
    this.#held -= oldest.frames;
    for (let i = 0; i < this.#byObject.length; i++)
      if (this.#byObject[i] === oldest) this.#byObject[i] = undefined;
    this.#context.evicted();
  }
}
