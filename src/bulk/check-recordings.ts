// Checks any number of recordings on all cores: a thread per core, a recording at a time each, results in the files' order.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { programUrl } from '../model/installation.ts';
import type { RecordingCheck } from '../pipeline.ts';
import type { RecordingFacts } from '../recording/open.ts';
import type { CheckFailure, FromChecker, ToChecker, WorkerStart } from './messages.ts';

export type { CheckFailure } from './messages.ts';

/** One recording's outcome: either `check` or `failure`. */
export type CheckOutcome =
  | { readonly path: string; readonly check: RecordingCheck<RecordingFacts>; readonly failure: null }
  | { readonly path: string; readonly check: null; readonly failure: CheckFailure };

export interface BulkProgress {
  /** Recordings that are done, and all there are. */
  readonly done: number;
  readonly files: number;
  /** Events checked so far, those of unfinished recordings included. */
  readonly events: number;
}

export interface BulkOptions {
  /** Names of invariants that flightring has; default: those that each recording was made with. */
  readonly invariants?: readonly string[];
  /** Paths of modules with invariants of one's own. */
  readonly modules?: readonly string[];
  /** Threads; default one per core. */
  readonly jobs?: number;
  /** Stops at once; what was done has been yielded. */
  readonly signal?: AbortSignal;
  /** Megabytes of JavaScript objects that a thread may hold; default what Node gives it. */
  readonly heapMb?: number;
  readonly onProgress?: (progress: BulkProgress) => void;
}

/** Results that wait for an earlier recording: beyond so many no further recording is begun. */
const AHEAD = 256;

/**
 * Replays recordings through invariants, in parallel, and yields one outcome each, in the order of `paths`. A recording
 * that can't be read, or on which a thread dies, is an outcome too; the others go on.
 *
 * @example
 * for await (const { path, check, failure } of checkRecordings(findRecordings(['archive/']), { modules: ['./mine.ts'] }))
 *   console.log(path, failure?.message ?? check?.verdicts.map(({ verdict }) => verdict));
 */
export async function* checkRecordings(
  paths: readonly string[],
  options: BulkOptions = {},
): AsyncGenerator<CheckOutcome, void, undefined> {
  const pool = new Pool(paths, options);
  try {
    for (let index = 0; index < paths.length; index++) {
      const outcome = await pool.outcome(index);
      if (outcome === null) return;
      yield outcome;
    }
  } finally {
    await pool.end();
  }
}

/** A thread, and the recording that it checks. */
interface Thread {
  readonly worker: Worker;
  index: number | null;
  /** Events of the recording under way. */
  events: number;
  /** What it said last before it ended. */
  error: Error | null;
}

class Pool {
  readonly #paths: readonly string[];
  readonly #options: BulkOptions;
  readonly #outcomes = new Map<number, CheckOutcome>();
  readonly #threads = new Set<Thread>();
  #begun = 0;
  #done = 0;
  #yielded = 0;
  #events = 0;
  #ended = false;
  /** Whoever waits for an outcome. */
  #wake: (() => void) | null = null;
  #abort = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  constructor(paths: readonly string[], options: BulkOptions) {
    this.#paths = paths;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#abort);
    if (options.signal?.aborted) this.#ended = true;
    const jobs = Math.min(options.jobs ?? availableParallelism(), paths.length);
    for (let i = 0; i < jobs && !this.#ended; i++) this.#start();
  }

  /** The outcome of the recording of this number, the next of all; null if it was stopped before. */
  async outcome(index: number): Promise<CheckOutcome | null> {
    for (;;) {
      const outcome = this.#outcomes.get(index);
      if (outcome !== undefined) {
        this.#outcomes.delete(index);
        this.#yielded = index + 1;
        for (const thread of this.#threads) if (thread.index === null) this.#give(thread);
        return outcome;
      }
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const { invariants = null, modules = [], heapMb } = this.#options;
    const workerData: WorkerStart = { invariants, modules };
    const worker = new Worker(programUrl('bulk/check-worker'), {
      workerData,
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    });
    const thread: Thread = { worker, index: null, events: 0, error: null };
    this.#threads.add(thread);
    worker.on('message', (message: FromChecker) => this.#onMessage(thread, message));
    worker.on('messageerror', (error) => {
      thread.error = error;
      void worker.terminate();
    });
    worker.on('error', (error: unknown) => {
      thread.error = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => this.#onExit(thread, code));
    this.#give(thread);
  }

  #give(thread: Thread): void {
    if (this.#ended || this.#begun >= this.#paths.length || this.#begun >= this.#yielded + AHEAD) return;
    thread.index = this.#begun++;
    thread.events = 0;
    const order: ToChecker = { path: this.#paths[thread.index] as string };
    thread.worker.postMessage(order);
  }

  #onMessage(thread: Thread, message: FromChecker): void {
    thread.events = message.events;
    if (message.type === 'done') {
      const { path, check, failure } = message;
      this.#settle(thread, failure === null ? { path, check, failure } : { path, check: null, failure });
      this.#give(thread);
    }
    this.#tell();
  }

  #onExit(thread: Thread, code: number): void {
    this.#threads.delete(thread);
    if (this.#ended || thread.index === null) return;
    const path = this.#paths[thread.index] as string;
    this.#settle(thread, {
      path,
      check: null,
      failure: { code: 'THREAD_FAILED', message: deathOf(thread, code, path) },
    });
    if (this.#begun < this.#paths.length) this.#start();
    this.#tell();
  }

  #settle(thread: Thread, outcome: CheckOutcome): void {
    this.#outcomes.set(thread.index as number, outcome);
    this.#events += thread.events;
    this.#done++;
    thread.index = null;
    thread.events = 0;
    this.#wake?.();
  }

  #tell(): void {
    const running = [...this.#threads].reduce((sum, { events }) => sum + events, 0);
    this.#options.onProgress?.({
      done: this.#done,
      files: this.#paths.length,
      events: this.#events + running,
    });
  }
}

function deathOf({ error }: Thread, code: number, path: string): string {
  if (error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `${path} could not be checked: the thread that did ran out of memory; check it alone with NODE_OPTIONS=--max-old-space-size=8192.`;
  const why = error === null ? `with code ${code}` : error.message;
  return `${path} could not be checked: the thread that did came to an end, ${why}.`;
}
