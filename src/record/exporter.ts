// The exporter's thread as the recorder sees it: the banks it was given to save, and what became of each.

import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CONTROL, SHARES } from '../generated/layouts.ts';
import type { KernelRecorder } from '../source/kernel.ts';
import { slotsClaimed } from '../source/shim.ts';
import type { ExportOrder, FromExporter, Frozen } from './messages.ts';
import type { Exported } from './options.ts';
import { programUrl } from '../model/installation.ts';

export interface ExporterEvents {
  saved: [{ readonly path: string; readonly ms: number }];
  exported: [Exported];
  failed: [{ readonly path: string; readonly message: string; readonly raw: string | null }];
  error: [Error];
}

/** A bank that is being saved or exported. */
interface Pending {
  readonly frozen: Frozen;
  readonly latencyNs: number | null;
  /** null until its raw events are safe, and its bank is free. */
  savedMs: number | null;
}

/**
 * parquetjs-lite makes thousands of buffers by the deprecated constructor. For each, node looks through the stack for whether it
 * must warn, which takes longer than all the rest of a short recording; a thread that has warned, in silence, doesn't look.
 */
const QUIET_BUFFERS = ['--pending-deprecation', '--no-deprecation'];

export class Exporter extends EventEmitter<ExporterEvents> {
  readonly #kernel: KernelRecorder;
  /** By bank: what each lane had when it was last armed. */
  readonly #starts: readonly [BigUint64Array, BigUint64Array];
  /** By the recording's path without its ending: a bank may be frozen again while what it held is still exported. */
  readonly #pending = new Map<string, Pending>();
  #worker: Worker | null = null;
  /** Resolves when the thread has loaded what it needs: ended while loading, it would leave files open. */
  #ready: Promise<void> = Promise.resolve();

  constructor(kernel: KernelRecorder) {
    super();
    this.#kernel = kernel;
    const lanes = kernel.cpus * SHARES.length;
    this.#starts = [new BigUint64Array(lanes), new BigUint64Array(lanes)];
  }

  get busy(): boolean {
    return this.#pending.size > 0;
  }

  start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(programUrl('record/export-worker'), {
      // Not those of this process: of them node refuses what belongs to V8, such as a limit of the heap.
      execArgv: QUIET_BUFFERS,
    });
    worker.on('message', (message: FromExporter) => this.#onMessage(message));
    worker.on('error', (error) => this.emit('error', error));
    this.#worker = worker;
    this.#ready = new Promise((resolve) => {
      worker.once('message', () => resolve());
      worker.once('exit', () => resolve());
    });
    return worker;
  }

  /** Saves a frozen bank, frees it, and exports what was saved. */
  export(
    frozen: Frozen,
    latencyNs: number | null,
    order: Pick<ExportOrder, 'fromNs' | 'lastEvents' | 'path' | 'meta' | 'invariants' | 'modules'>,
  ): void {
    const { bank, snapshot } = frozen;
    this.#pending.set(order.path, { frozen, latencyNs, savedMs: null });
    const message: ExportOrder = {
      handle: this.#kernel.handle,
      cpus: this.#kernel.cpus,
      bank,
      starts: this.#starts[bank as 0 | 1],
      ...order,
      ...(snapshot ? { snapshot } : {}),
    };
    this.start().postMessage(message);
  }

  /** A bank's events are safe: writers may switch to it at the next freeze. */
  free(bank: number): void {
    const starts = this.#starts[bank as 0 | 1];
    for (let lane = 0; lane < starts.length; lane++) {
      const [cpu, share] = [Math.floor(lane / SHARES.length), lane % SHARES.length];
      starts[lane] = BigInt(slotsClaimed(this.#kernel.handle, bank, cpu, share));
    }
    this.#kernel.control.setUint32(CONTROL.spare_free, 1, true);
  }

  /** Ends the thread when it may be ended. */
  async end(): Promise<void> {
    await this.#ready;
    await this.terminate();
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  #onMessage(message: FromExporter): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'saved': {
        const pending = this.#pending.get(message.path);
        if (pending) pending.savedMs = message.ms;
        this.free(message.bank);
        this.emit('saved', { path: message.raw, ms: message.ms });
        return;
      }
      case 'exported': {
        const pending = this.#pending.get(message.path);
        if (!pending) return;
        this.#pending.delete(message.path);
        this.emit('exported', {
          path: message.parquet,
          rows: message.rows,
          bytes: message.bytes,
          cause: pending.frozen.cause,
          violations: pending.frozen.violations,
          savedMs: pending.savedMs ?? 0,
          exportedMs: message.ms,
          latencyNs: pending.latencyNs,
        });
        return;
      }
      case 'failed': {
        const { path, bank, message: reason, raw } = message;
        // Freed a second time, a bank would lose what it has recorded since.
        if (this.#pending.get(path)?.savedMs === null) this.free(bank);
        this.#pending.delete(path);
        this.emit('failed', { path: `${path}.parquet`, message: reason, raw });
        return;
      }
    }
  }
}
