// A recorder at work: runs the checker and the exporter, and turns each freeze into a recording.

import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Invariant } from '../check/invariant.ts';
import { CONTROL, LAYOUTS } from '../generated/layouts.ts';
import { VERSION } from '../generated/version.ts';
import { UsageError } from '../model/errors.ts';
import {
  CLOCK_ERROR_NS,
  type ProbeCoverage,
  type RecordingCosts,
  type RecordingMeta,
} from '../model/recording.ts';
import type { Violation } from '../model/violation.ts';
import type { KernelRecorder } from '../source/kernel.ts';
import { kernelFacts } from '../source/running-kernel.ts';
import { programFigures, type Share, wake } from '../source/shim.ts';
import { serialiseMeta } from '../recording/meta.ts';
import { CostMeter } from './costs.ts';
import { Exporter } from './exporter.ts';
import type { CheckerStart, Figures, FreezePlan, FromChecker, Frozen, RearmOrder } from './messages.ts';
import { COMMAND } from './messages.ts';
import type { Exported, RecordOptions } from './options.ts';
import { recordingName } from './output.ts';
import type { DumpThread } from './snapshot/dump-thread.ts';
import { programUrl } from '../model/installation.ts';

/** What a whole run came to. */
export interface RecordSummary extends Figures {
  readonly recordings: readonly Exported[];
  readonly failures: readonly string[];
  readonly recursionMisses: number;
  readonly objectsDropped: number;
  readonly costs: RecordingCosts;
}

export interface RecorderEvents {
  violations: [readonly Violation[], { readonly windowless: boolean }];
  frozen: [{ readonly cause: string; readonly path: string; readonly latencyNs: number | null }];
  saved: [{ readonly path: string; readonly ms: number }];
  exported: [Exported];
  /** `path` is where the recording would have been. */
  failed: [{ readonly path: string; readonly message: string; readonly raw: string | null }];
  unconfirmed: [];
  /** What existed before recording is known, except for what the notes name. */
  snapshot: [{ readonly records: number; readonly notes: readonly string[] }];
  end: [RecordSummary];
}

/** What comes of the start: the dump under way, and what every recording must say of it. */
export interface RecorderOpening {
  readonly dump: DumpThread | undefined;
  readonly notes: readonly string[];
  /** Bits of the tripwires that may freeze. */
  readonly tripwires: number;
}

export class Recorder extends EventEmitter<RecorderEvents> {
  readonly coverage: readonly ProbeCoverage[];
  readonly out: string;
  readonly slots: number;
  /** How each CPU's ring is divided among the paths. */
  readonly shares: readonly Share[];
  readonly #options: RecordOptions;
  readonly #kernel: KernelRecorder;
  readonly #exporter: Exporter;
  readonly #dump: DumpThread | undefined;
  readonly #notes: readonly string[];
  #invariants: readonly { readonly name: string; readonly version: number }[] = [];
  #names: readonly string[] = [];
  readonly #command = new SharedArrayBuffer(4);
  readonly #clocks: RecordingMeta['clocks'];
  readonly #recordings: Exported[] = [];
  readonly #failures: string[] = [];
  #checker: Worker | null = null;
  #figures: Figures | null = null;
  #number = 0;
  readonly #costs: CostMeter;
  #windowless = 0;
  #plan: FreezePlan;
  readonly #tripwires: number;
  #orders = 0;
  /** Orders to arm that were not carried out yet. */
  #rearming: { readonly order: RearmOrder; readonly resolve: (summary: RecordSummary) => void }[] = [];
  #finish: ((summary: RecordSummary) => void) | null = null;
  #fail: ((error: unknown) => void) | null = null;
  /** Resolves when the recorder has ended and everything is exported. */
  readonly done: Promise<RecordSummary>;

  /** Use `record()`. */
  constructor(options: RecordOptions, kernel: KernelRecorder, out: string, opening: RecorderOpening) {
    super();
    this.#dump = opening.dump;
    this.#notes = opening.notes;
    this.#tripwires = opening.tripwires;
    this.#options = options;
    this.#plan = { freezeOn: options.freezeOn ?? 'violation', afterNs: options.afterNs ?? 0 };
    this.#kernel = kernel;
    this.out = out;
    this.slots = kernel.slots;
    this.shares = kernel.shares;
    this.coverage = kernel.coverage;
    this.#clocks = {
      monotonicNs: process.hrtime.bigint().toString(),
      realtimeNs: (BigInt(Date.now()) * 1_000_000n).toString(),
      errorNs: CLOCK_ERROR_NS,
    };
    this.#costs = new CostMeter(kernel);
    this.#exporter = new Exporter(kernel);
    this.#exporter.on('saved', (saved) => this.emit('saved', saved));
    this.#exporter.on('exported', (exported) => this.#onExported(exported));
    this.#exporter.on('failed', (failed) => this.#onFailed(failed));
    this.#exporter.on('error', (error) => this.#abort(error));
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // A caller may listen to events alone.
    this.done.catch(() => {});
  }

  /** Starts the thread that checks. */
  start(names: readonly string[], invariants: readonly Invariant[]): void {
    this.#names = names;
    this.#invariants = invariants.map(({ name, version }) => ({ name, version: version ?? 1 }));
    const workerData: CheckerStart = {
      handle: this.#kernel.handle,
      cpus: this.#kernel.cpus,
      command: this.#command,
      invariants: this.#names,
      modules: this.#options.modules ?? [],
      ...this.#plan,
      tripwires: this.#tripwires,
      rearmByHand: this.#options.rearm === 'by-hand',
      exportOnStop: this.#options.exportOnStop ?? false,
      lookForSockets: this.coverage.some(({ path, status }) => path === 'xsk' && status === 'attached'),
      slots: this.#kernel.slots * this.#kernel.cpus,
      ...(this.#dump ? { snapshot: this.#dump.link } : {}),
    };
    // The exporter loads what it needs now, not when a bank waits for it.
    this.#exporter.start();
    const transferList = workerData.snapshot ? [workerData.snapshot.port] : [];
    this.#checker = new Worker(programUrl('record/checker-worker'), { workerData, transferList });
    this.#checker.on('message', (message: FromChecker) => this.#onChecker(message));
    this.#checker.on('error', (error) => this.#abort(error));
    this.#checker.on('exit', () => this.#maybeEnd());
    for (const { order } of this.#rearming) this.#checker.postMessage(order);
  }

  /** Freezes by hand. */
  freeze(): void {
    this.#order(COMMAND.freeze);
  }

  /**
   * Discards what the rings hold, and lets the next violation freeze. A violation found and not frozen yet is counted, and
   * gets no recording. Resolves when all that happened before has been checked and what was frozen is on disk, with what
   * the run has come to so far; exports may still be under way. What is given holds from then on.
   */
  rearm({ freezeOn, afterNs }: Pick<RecordOptions, 'freezeOn' | 'afterNs'> = {}): Promise<RecordSummary> {
    const last = this.#rearming.at(-1)?.order ?? this.#plan;
    const order: RearmOrder = {
      number: ++this.#orders,
      freezeOn: freezeOn ?? last.freezeOn,
      afterNs: afterNs ?? last.afterNs,
    };
    return new Promise((resolve, reject) => {
      this.done.then(resolve, reject);
      this.#rearming.push({ order, resolve });
      this.#checker?.postMessage(order);
      this.#order(COMMAND.rearm);
    });
  }

  /** Ends recording; exports that are under way are finished. */
  stop(): Promise<RecordSummary> {
    this.#order(COMMAND.stop);
    return this.done;
  }

  #order(command: number): void {
    Atomics.or(new Int32Array(this.#command), 0, command);
    wake(this.#kernel.handle);
  }

  #onChecker(message: FromChecker): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'snapshot':
        this.emit('snapshot', { records: message.records, notes: message.notes });
        return;
      case 'violations':
        this.emit('violations', message.violations, { windowless: message.windowless });
        return;
      case 'frozen':
        this.#onFrozen(message);
        return;
      case 'unconfirmed':
        this.#exporter.free(message.bank);
        this.emit('unconfirmed');
        return;
      case 'rearmed':
        this.#exporter.free(message.bank);
        this.#onRearmed(message.number, message.figures);
        return;
      case 'end':
        this.#figures = message.figures;
        this.#windowless = message.figures.windowless;
        this.#maybeEnd();
        return;
    }
  }

  #onRearmed(number: number, figures: Figures): void {
    const carriedOut = this.#rearming.filter(({ order }) => order.number <= number);
    this.#rearming = this.#rearming.filter(({ order }) => order.number > number);
    const summary = this.#summary(figures);
    for (const { order, resolve } of carriedOut) {
      this.#plan = order;
      resolve(summary);
    }
  }

  #onFrozen(frozen: Frozen): void {
    const why =
      frozen.violations.find((v) => v.severity === 'violation')?.invariant ?? frozen.violations[0]?.invariant;
    const path = join(this.out, recordingName(new Date(), ++this.#number, why ?? frozen.cause));
    const { afterNs } = this.#plan;
    const latencyNs =
      frozen.offendingTs === null
        ? null
        : Math.max(frozen.flippedTs - frozen.offendingTs - (frozen.cause === 'tripwire' ? 0 : afterNs), 0);
    const { lastEvents, beforeNs } = this.#options;
    this.#exporter.export(frozen, latencyNs, {
      fromNs:
        beforeNs === undefined
          ? 0
          : Math.max(Math.round((frozen.offendingTs ?? frozen.flippedTs) - beforeNs), 0),
      lastEvents: lastEvents ?? null,
      path,
      meta: serialiseMeta(this.#meta(frozen, latencyNs)),
      invariants: this.#names,
      modules: this.#options.modules ?? [],
    });
    this.emit('frozen', { cause: frozen.cause, path: `${path}.parquet`, latencyNs });
  }

  #onExported(exported: Exported): void {
    this.#recordings.push(exported);
    this.emit('exported', exported);
    this.#afterExport();
  }

  #onFailed(failed: RecorderEvents['failed'][0]): void {
    this.#failures.push(failed.message);
    this.emit('failed', failed);
    this.#afterExport();
  }

  #afterExport(): void {
    if (this.#options.once) void this.stop();
    this.#maybeEnd();
  }

  #meta(frozen: Frozen, latencyNs: number | null): RecordingMeta {
    const { lastEvents, beforeNs } = this.#options;
    const { afterNs } = this.#plan;
    return {
      format: 1,
      flightring: VERSION,
      createdAt: new Date().toISOString(),
      kernel: kernelFacts(this.#kernel.cpus),
      clocks: this.#clocks,
      layouts: LAYOUTS,
      objects: this.#kernel.objects.all(),
      threads: frozen.threads,
      coverage: this.coverage,
      freeze: {
        cause: frozen.cause,
        offendingTs: frozen.offendingTs,
        flippedTs: frozen.flippedTs,
        latencyNs,
        overwrittenMeanwhile: 0,
        requested: { lastEvents: lastEvents ?? null, beforeNs: beforeNs ?? null, afterNs },
        window: [],
      },
      invariants: this.#invariants,
      violations: frozen.violations,
      counts: frozen.counts,
      loss: {
        overwritten: 0,
        recursionMisses: this.#recursionMisses(),
        objectsDropped: this.#kernel.control.getUint32(CONTROL.objects_dropped, true),
        windowlessViolations: this.#windowless,
      },
      notes: this.#notes,
      costs: this.#costs.read(),
    };
  }

  #recursionMisses(): number {
    const figures = programFigures(this.#kernel.handle, this.#kernel.programs.length);
    let misses = 0;
    for (let i = 2; i < figures.length; i += 3) misses += Number(figures[i]);
    return misses;
  }

  #summary(figures: Figures): RecordSummary {
    return {
      ...figures,
      recordings: [...this.#recordings],
      failures: [...this.#failures],
      recursionMisses: this.#recursionMisses(),
      objectsDropped: this.#kernel.control.getUint32(CONTROL.objects_dropped, true),
      costs: this.#costs.read(),
    };
  }

  /** A thread died: nothing is recorded any more, and the caller learns why. */
  #abort(error: Error): void {
    if (!this.#finish) return;
    this.#finish = null;
    const { modules } = this.#options;
    const reason = modules?.length
      ? new UsageError('BAD_INVARIANT', `an invariant of ${modules.join(', ')} failed: ${error.message}`, {
          cause: error,
        })
      : error;
    void Promise.all([this.#checker?.terminate(), this.#exporter.terminate(), this.#dump?.stop()]).then(
      () => {
        this.#kernel.close();
        this.#fail?.(reason);
      },
    );
  }

  #maybeEnd(): void {
    if (!this.#figures || this.#exporter.busy || !this.#finish) return;
    const summary = this.#summary(this.#figures);
    const finish = this.#finish;
    this.#finish = null;
    void Promise.all([this.#checker?.terminate(), this.#exporter.end(), this.#dump?.stop()]).then(() => {
      this.#kernel.close();
      this.emit('end', summary);
      finish(summary);
    });
  }
}
