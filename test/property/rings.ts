// Rings in plain memory with writers that go through the same steps as the BPF side, in any interleaving.

import { CONTINUATION, HEAD, SHARE_BASE, SLOT_BYTES, SLOT_LANES, sequenceAt } from '../../src/model/slot.ts';
import {
  BATCH_SLOTS,
  closeRecorder,
  MEMORY,
  memoryOf,
  openMemory,
  openShim,
  Waiter,
} from '../../src/source/shim.ts';

const RING_HEADER = 4096;
const HEAD_BYTES = 64;
const CONTINUATION_BIT = 1n << 63n;
const KIND = 1;
/** Interrupts that may lie on one CPU's stack, as softirq and hard interrupt on a system call. */
const DEPTH_MAX = 3;

/** What a schedule does next; a step that has nothing to do does nothing. */
export type Step =
  | { readonly do: 'begin'; readonly cpu: number; readonly share: number; readonly slots: number }
  /** Whole records, one after the other. */
  | {
      readonly do: 'burst';
      readonly cpu: number;
      readonly share: number;
      readonly slots: number;
      readonly records: number;
    }
  | { readonly do: 'advance'; readonly cpu: number; readonly ticks: number }
  | { readonly do: 'flip' }
  | { readonly do: 'tick' }
  | { readonly do: 'drain' };

/** A record as it was delivered, or a gap. */
export interface Delivered {
  readonly cpu: number;
  readonly bank: number;
  readonly share: number;
  /** Number of its first slot in its share; of a gap, of the last slot lost. */
  readonly seq: number;
  readonly slots: number;
  readonly ts: number;
  /** The number the writer gave it; null for a gap. */
  readonly id: number | null;
  readonly lost: number;
}

/** A writer between reading the bank and publishing. */
interface Writer {
  readonly bank: number;
  readonly share: number;
  readonly slots: number;
  readonly id: number;
  first: bigint | null;
  filled: boolean;
}

export class Rings {
  readonly #handle: number;
  /** Slots of each share; 0 for one that isn't recorded. */
  readonly #shares: readonly number[];
  readonly #cpus: number;
  readonly #memory: BigUint64Array;
  readonly #batch: Uint32Array;
  readonly #figures: BigUint64Array;
  readonly #waiter: Waiter;
  readonly #stacks: Writer[][];
  #bank = 0;
  #clock = 1000n;
  #next = 0;
  readonly delivered: Delivered[] = [];

  constructor(cpus: number, shares: readonly number[]) {
    openShim();
    this.#handle = openMemory(
      cpus,
      shares.map((slots, share) => ({ path: `share${share}`, slots })),
    );
    if (this.#handle < 0) throw new Error(`fr_memory: ${this.#handle}`);
    this.#cpus = cpus;
    this.#shares = shares;
    this.#memory = words(memoryOf(this.#handle, MEMORY.rings, 2 * cpus * this.#stride));
    const batch = memoryOf(this.#handle, MEMORY.batch, BATCH_SLOTS * SLOT_BYTES);
    this.#batch = new Uint32Array(batch.buffer, batch.byteOffset, BATCH_SLOTS * SLOT_LANES);
    this.#figures = words(memoryOf(this.#handle, MEMORY.figures, 64));
    this.#waiter = new Waiter(this.#handle);
    this.#stacks = Array.from({ length: cpus }, () => []);
  }

  get #stride(): number {
    return RING_HEADER + this.#shares.reduce((sum, slots) => sum + slots, 0) * SLOT_BYTES;
  }

  /** Slots ever claimed, in all rings. */
  get written(): number {
    let sum = 0;
    for (let ring = 0; ring < 2 * this.#cpus; ring++)
      for (const [share, slots] of this.#shares.entries())
        if (slots > 0)
          sum += Number(this.#memory[(ring * this.#stride + share * HEAD_BYTES) / 8]) - share * SHARE_BASE;
    return sum;
  }

  get lost(): number {
    return Number(this.#figures[0]);
  }

  get read(): number {
    return Number(this.#figures[1]);
  }

  run(step: Step): void {
    if (step.do === 'flip') this.#bank ^= 1;
    else if (step.do === 'tick') this.#clock++;
    else if (step.do === 'drain') this.drain();
    else if (step.do === 'burst') this.#burst(step.cpu, step.share, step.slots, step.records);
    else if (step.do === 'begin') this.#begin(step.cpu, step.share, step.slots);
    else this.#advance(step.cpu % this.#cpus, step.ticks);
  }

  /** Every writer ends, the innermost of each CPU first. */
  finish(): void {
    for (const [cpu, stack] of this.#stacks.entries()) while (stack.length > 0) this.#advance(cpu, 1);
  }

  drain(): void {
    for (let slots = this.#waiter.wait(0); slots > 0; slots = this.#waiter.wait(0)) this.#deliver(slots);
    // The reader takes the clock before it reads: what is written from here on is younger (ARCHITECTURE.md, "Order").
    this.#clock++;
  }

  close(): void {
    closeRecorder(this.#handle);
  }

  #begin(cpu: number, share: number, slots: number): void {
    const stack = this.#stacks[cpu] as Writer[];
    if (stack.length >= DEPTH_MAX) return;
    stack.push({ bank: this.#bank, share, slots, id: this.#next++, first: null, filled: false });
  }

  /** Not inside a writer: no interrupt lasts as long as a whole ring. */
  #burst(cpu: number, share: number, slots: number, records: number): void {
    if ((this.#stacks[cpu] as Writer[]).length > 0) return;
    for (let i = 0; i < records; i++) {
      this.#begin(cpu, share, slots);
      for (let part = 0; part < 3; part++) this.#advance(cpu, 1);
    }
  }

  /** The innermost writer of a CPU goes on: claims, takes the time and fills, publishes. */
  #advance(cpu: number, ticks: number): void {
    const stack = this.#stacks[cpu] as Writer[];
    const writer = stack.at(-1);
    if (!writer) return;
    this.#clock += BigInt(ticks);
    const ring = (writer.bank * this.#cpus + cpu) * this.#stride;
    if (writer.first === null) {
      const head = (ring + writer.share * HEAD_BYTES) / 8;
      writer.first = this.#memory[head] as bigint;
      this.#memory[head] = writer.first + BigInt(writer.slots);
    } else if (!writer.filled) {
      this.#fill(this.#slot(ring, writer.share, writer.first), cpu, writer);
      for (let i = 1n; i < writer.slots; i++) {
        const next = this.#slot(ring, writer.share, writer.first + i);
        this.#memory[next + 1] = BigInt(writer.id);
        this.#memory[next] = (writer.first + i + 1n) | CONTINUATION_BIT;
      }
      writer.filled = true;
    } else {
      this.#memory[this.#slot(ring, writer.share, writer.first)] = writer.first + 1n;
      stack.pop();
    }
  }

  #slot(ring: number, share: number, index: bigint): number {
    const before = this.#shares.slice(0, share).reduce((sum, slots) => sum + slots, 0);
    const slot = before + (Number(index) % (this.#shares[share] as number));
    return (ring + RING_HEADER + slot * SLOT_BYTES) / 8;
  }

  #fill(at: number, cpu: number, writer: Writer): void {
    this.#memory[at + 1] = this.#clock;
    this.#memory[at + 3] = BigInt(KIND) | (BigInt(writer.slots - 1) << 16n) | (BigInt(cpu) << 32n);
    this.#memory[at + 4] = BigInt(writer.id);
    this.#memory[at + 5] = BigInt(writer.bank);
  }

  #deliver(slots: number): void {
    const lanes = this.#batch;
    for (let slot = 0; slot < slots; ) {
      const at = slot * SLOT_LANES;
      const flags = (lanes[at + HEAD.kindFlags] as number) >>> 16;
      const isGap = ((lanes[at + HEAD.kindFlags] as number) & 0xffff) === 0;
      const id = lanes[at + 8] as number;
      const count = 1 + (flags & 0xf);
      for (let i = 1; i < count; i++) {
        const next = at + i * SLOT_LANES;
        if ((lanes[next + 1] as number) < CONTINUATION || lanes[next + 2] !== id)
          throw new Error(`slot ${i} of record ${id} is another's`);
      }
      this.delivered.push({
        cpu: lanes[at + HEAD.cpu] as number,
        bank: isGap ? (lanes[at + 11] as number) : (lanes[at + 10] as number),
        share: Math.floor(sequenceAt(lanes, at) / SHARE_BASE),
        seq: sequenceAt(lanes, at) % SHARE_BASE,
        slots: isGap ? 0 : count,
        ts: lanes[at + HEAD.tsLow] as number,
        id: isGap ? null : id,
        lost: isGap ? id : 0,
      });
      slot += count;
    }
  }
}

function words(memory: Buffer): BigUint64Array {
  return new BigUint64Array(memory.buffer, memory.byteOffset, memory.byteLength / 8);
}
