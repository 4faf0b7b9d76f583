// Records of any number in order of time: sorted in memory a run at a time, the runs kept in a file and merged.

import { readSync, rmSync } from 'node:fs';
import { FLAG, HEAD, SLOT_BYTES, SLOT_LANES, timeAt } from '../model/slot.ts';
import { createPart, type PartFile, writeAll } from '../recording/files.ts';

/** Slots of one run: 8 MiB. */
const RUN_SLOTS = 131_072;
/** Slots read of a run at a time; a record takes sixteen at most. */
const READ_SLOTS = 1024;

/** A record waits with its place in the file and its rule in the lanes of its sequence number. */
export function orderAt(lanes: Uint32Array, at: number): number {
  return (
    (lanes[at + HEAD.seqLow] as number) + ((lanes[at + HEAD.seqHigh] as number) & 0xffff) * 0x1_0000_0000
  );
}
export function ruleAt(lanes: Uint32Array, at: number): number {
  return (lanes[at + HEAD.seqHigh] as number) >>> 16;
}

/** Points into the lanes that hold a record. */
export interface Spooled {
  lanes: Uint32Array;
  at: number;
  slots: number;
}

export class Spool {
  readonly #path: string;
  readonly #runSlots: number;
  #lanes = new Uint32Array(4096 * SLOT_LANES);
  #slots = 0;
  /** First slot of each record of this run. */
  #starts: number[] = [];
  #sorted = true;
  #lastTs = Number.NEGATIVE_INFINITY;
  #file: PartFile | null = null;
  #written = 0;
  readonly #runs: { readonly offset: number; readonly slots: number }[] = [];
  #order = 0;
  records = 0;

  /** `path` is a file that may be made, and is gone again after `close`. */
  constructor(path: string, runSlots = RUN_SLOTS) {
    this.#path = path;
    this.#runSlots = runSlots;
  }

  /** Adds a copy of a record whose time is written; `rule` is below 2^16. */
  add(record: Uint32Array, rule: number): void {
    const slots = record.length / SLOT_LANES;
    if (this.#slots + slots > this.#runSlots) this.#endRun();
    const at = this.#slots * SLOT_LANES;
    if (at + record.length > this.#lanes.length) {
      const grown = new Uint32Array(Math.min(this.#lanes.length * 2, this.#runSlots * SLOT_LANES));
      grown.set(this.#lanes);
      this.#lanes = grown;
    }
    this.#lanes.set(record, at);
    this.#lanes[at + HEAD.seqLow] = this.#order;
    this.#lanes[at + HEAD.seqHigh] = (Math.floor(this.#order / 0x1_0000_0000) & 0xffff) | (rule << 16);
    this.#order++;
    const ts = timeAt(record, 0);
    if (ts < this.#lastTs) this.#sorted = false;
    this.#lastTs = ts;
    this.#starts.push(this.#slots);
    this.#slots += slots;
    this.records++;
  }

  /** All records by time, those of one time in the order in which they were added. */
  *sorted(): Generator<Spooled, void, undefined> {
    const spooled: Spooled = { lanes: this.#lanes, at: 0, slots: 1 };
    if (this.#runs.length === 0) {
      for (const start of this.#inOrder()) yield point(spooled, this.#lanes, start * SLOT_LANES);
      return;
    }
    this.#endRun();
    const { fd } = this.#file as PartFile;
    const heap: RunReader[] = [];
    for (const run of this.#runs) push(heap, new RunReader(fd, run.offset, run.slots));
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      yield point(spooled, first.lanes, first.at);
      if (!first.next()) {
        const last = heap.pop() as RunReader;
        if (last === first) continue;
        heap[0] = last;
      }
      sink(heap);
    }
  }

  close(): void {
    this.#file?.discard();
  }

  #inOrder(): readonly number[] {
    if (this.#sorted) return this.#starts;
    const times = new Map<number, number>();
    for (const start of this.#starts) times.set(start, timeAt(this.#lanes, start * SLOT_LANES));
    return this.#starts.sort((a, b) => (times.get(a) as number) - (times.get(b) as number) || a - b);
  }

  #endRun(): void {
    if (this.#slots === 0) return;
    this.#file ??= createNameless(this.#path);
    let ordered = this.#lanes.subarray(0, this.#slots * SLOT_LANES);
    if (!this.#sorted) {
      const sorted = new Uint32Array(ordered.length);
      let to = 0;
      for (const start of this.#inOrder()) {
        const { at, slots } = point({ lanes: ordered, at: 0, slots: 1 }, ordered, start * SLOT_LANES);
        sorted.set(ordered.subarray(at, at + slots * SLOT_LANES), to);
        to += slots * SLOT_LANES;
      }
      ordered = sorted;
    }
    const bytes = new Uint8Array(ordered.buffer, ordered.byteOffset, ordered.byteLength);
    writeAll(this.#file.fd, bytes, this.#written);
    this.#runs.push({ offset: this.#written, slots: this.#slots });
    this.#written += bytes.length;
    this.#slots = 0;
    this.#starts = [];
    this.#sorted = true;
    this.#lastTs = Number.NEGATIVE_INFINITY;
  }
}

/** Its room is free again whenever the process ends, even if it is killed. */
function createNameless(path: string): PartFile {
  const file = createPart(path);
  rmSync(`${path}.part`);
  return file;
}

function point(spooled: Spooled, lanes: Uint32Array, at: number): Spooled {
  spooled.lanes = lanes;
  spooled.at = at;
  spooled.slots = slotsAt(lanes, at);
  return spooled;
}

function slotsAt(lanes: Uint32Array, at: number): number {
  return 1 + (((lanes[at + HEAD.kindFlags] as number) >>> 16) & FLAG.slots);
}

/** One run, record by record. */
class RunReader {
  readonly lanes = new Uint32Array(READ_SLOTS * SLOT_LANES);
  at = 0;
  ts = 0;
  order = 0;
  readonly #fd: number;
  #offset: number;
  #left: number;
  #held = 0;

  constructor(fd: number, offset: number, slots: number) {
    this.#fd = fd;
    this.#offset = offset;
    this.#left = slots;
    this.#fill();
    this.#look();
  }

  /** Goes on to the next record; false at the end. */
  next(): boolean {
    this.at += slotsAt(this.lanes, this.at) * SLOT_LANES;
    if (
      this.at >= this.#held * SLOT_LANES ||
      this.at + slotsAt(this.lanes, this.at) * SLOT_LANES > this.#held * SLOT_LANES
    )
      this.#fill();
    if (this.at >= this.#held * SLOT_LANES) return false;
    this.#look();
    return true;
  }

  #look(): void {
    this.ts = timeAt(this.lanes, this.at);
    this.order = orderAt(this.lanes, this.at);
  }

  /** Moves what is left to the front and reads on behind it. */
  #fill(): void {
    this.lanes.copyWithin(0, this.at, this.#held * SLOT_LANES);
    this.#held -= this.at / SLOT_LANES;
    this.at = 0;
    const slots = Math.min(this.#left, READ_SLOTS - this.#held);
    const bytes = new Uint8Array(this.lanes.buffer, this.#held * SLOT_BYTES, slots * SLOT_BYTES);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#fd, bytes, done, bytes.length - done, this.#offset + done);
      if (read === 0) throw new Error('the spool file was cut short by somebody');
      done += read;
    }
    this.#offset += bytes.length;
    this.#left -= slots;
    this.#held += slots;
  }
}

function isBefore(a: RunReader, b: RunReader): boolean {
  return a.ts < b.ts || (a.ts === b.ts && a.order < b.order);
}

function push(heap: RunReader[], reader: RunReader): void {
  let at = heap.length;
  heap.push(reader);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(reader, heap[parent] as RunReader)) break;
    heap[at] = heap[parent] as RunReader;
    at = parent;
  }
  heap[at] = reader;
}

/** Puts the first in its place. */
function sink(heap: RunReader[]): void {
  const reader = heap[0];
  if (reader === undefined) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as RunReader, heap[child] as RunReader)) child++;
    if (!isBefore(heap[child] as RunReader, reader)) break;
    heap[at] = heap[child] as RunReader;
    at = child;
  }
  heap[at] = reader;
}
