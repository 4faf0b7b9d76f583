// A whole recorder around a benchmark's BPF object: rings in the kernel, the reading thread, and its books.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as shim from '../src/source/shim.ts';
import type { Driver } from './driver.ts';
import { type BenchRecorder, CONTROL_WORD, openBench, XSK } from './recorder.ts';

/** Words shared with the reading thread. */
export const SHARED = { stop: 0, longestNs: 1, violations: 2 } as const;

export interface Flip {
  readonly flippedNs: number;
  readonly at: { readonly cpu: number; readonly seq: number; readonly ts: number };
  readonly sentence: string;
}

export interface Books {
  readonly written: number;
  readonly read: number;
  readonly lost: number;
  /** Longest time between two turns of the reading thread. */
  readonly longestNs: number;
  readonly violations: number;
}

export class Recording {
  readonly recorder: BenchRecorder;
  readonly #worker: Worker;
  readonly #shared: Float64Array;
  readonly #figures: BigUint64Array;
  #firstSentence: string | null = null;
  /** Called when the reading thread has flipped the bank. */
  onFlip: ((flip: Flip) => void) | null = null;

  private constructor(recorder: BenchRecorder, worker: Worker, shared: Float64Array<SharedArrayBuffer>) {
    this.recorder = recorder;
    this.#worker = worker;
    this.#shared = shared;
    const memory = shim.memoryOf(recorder.handle, shim.MEMORY.figures, 64);
    this.#figures = new BigUint64Array(memory.buffer, memory.byteOffset, 8);
    worker.on('message', (message: Flip | { done: true; sentence: string | null }) => {
      if ('flippedNs' in message) this.onFlip?.(message);
      else if ('done' in message) this.#firstSentence = message.sentence;
    });
    worker.on('error', (error) => {
      throw error;
    });
  }

  /** Loads `generate`, for this driver's system calls, and starts reading with the invariants whose names begin so. */
  static async start(
    driver: Driver,
    slots: number,
    invariants: string,
    freezes: boolean,
  ): Promise<Recording> {
    const recorder = openBench('generate', slots, { fr_only_tgid: driver.pid });
    const shared = new Float64Array(new SharedArrayBuffer(64));
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: {
        module: new URL('./recorder-worker.ts', import.meta.url).href,
        handle: recorder.handle,
        invariants,
        freezes,
        shared: shared.buffer,
      },
    });
    await once(worker, 'message');
    const recording = new Recording(recorder, worker, shared);
    recorder.control[CONTROL_WORD.tripwires] = 3;
    recorder.control[CONTROL_WORD.spareFree] = 1;
    await driver.attach('fg_switched', 'sched_switch');
    recorder.setBank(0);
    return recording;
  }

  heads(): number {
    let sum = 0;
    for (const bank of [0, 1])
      for (let cpu = 0; cpu < this.recorder.cpus; cpu++)
        sum += shim.slotsClaimed(this.recorder.handle, bank, cpu, XSK);
    return sum;
  }

  /** Ends the reading thread, once it has read everything, and closes the books. */
  async stop(): Promise<Books> {
    this.recorder.setBank(2);
    const written = this.heads();
    const figures = this.#figures;
    for (let i = 0; i < 1000 && Number(figures[0]) + Number(figures[1]) < written; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    this.#shared[SHARED.stop] = 1;
    await once(this.#worker, 'exit');
    const books = {
      written,
      read: Number(figures[1]),
      lost: Number(figures[0]),
      longestNs: this.#shared[SHARED.longestNs] as number,
      violations: this.#shared[SHARED.violations] as number,
    };
    this.recorder.close();
    return books;
  }

  /** What the first violation was, after `stop`. */
  get firstSentence(): string | null {
    return this.#firstSentence;
  }
}
