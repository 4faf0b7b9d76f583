// What flightring check does, loaded only when it is run.

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { CheckOutcome } from '../bulk/check-recordings.ts';
import { type CheckFailure, failureOf } from '../bulk/messages.ts';
import { EXIT, type ExitCode, FlightringError, type RecordingError, UsageError } from '../model/errors.ts';
import { checkRecording, type CheckOptions } from '../pipeline.ts';
import { findRecordings } from '../recording/find.ts';
import { createPalette, type Palette } from '../report/palette.ts';
import { printable, printableAll, printableLine } from '../report/printable.ts';
import { formatSpan } from '../report/span.ts';
import { exitCodeOf, worstOf } from './check-exit.ts';
import { checkFacts, checkLines } from './check-report.ts';
import { CheckTotals, damageSentence, formatRate, outcomeLine } from './check-summary.ts';
import { wantsColour } from './colour.ts';
import { type ChosenInvariants, chooseInvariants } from './invariant-list.ts';
import { writeLines } from './output.ts';
import { startProgress, startStatus } from './progress.ts';

export interface CheckFlags {
  readonly invariants?: string;
  readonly jobs?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/** Recordings beyond so many get a line each, not a page. */
const PAGES = 5;
/** Bytes of recordings that are worth a thread: starting one takes as long as checking them. */
const BYTES_PER_JOB = 8 << 20;
/** What opening a recording costs besides reading it, in bytes read in that time. */
const BYTES_PER_FILE = 256 << 10;

/** Run from its source by a Node that needs a loader for it, flightring can't start threads: loaders are of one thread. */
const HAS_THREADS =
  !import.meta.url.endsWith('.ts') || Boolean((process.features as { typescript?: unknown }).typescript);

interface Output {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  readonly flags: CheckFlags;
  readonly palette: Palette;
}

/** Checks all recordings in `places`, whatever is wrong with some of them; returns the worst exit status. */
export async function runCheck(
  places: readonly string[],
  flags: CheckFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  const chosen = flags.invariants === undefined ? null : await chooseInvariants(flags.invariants);
  const unreadable = new Map<string, RecordingError>();
  const files = findRecordings(places, { onUnreadable: (error, folder) => unreadable.set(folder, error) });
  if (files.length === 0) for (const error of unreadable.values()) throw error;
  const sizes = files.map(sizeOf);
  const jobs = jobsFor(sizes, flags.jobs);
  const output = { out, err, flags, palette: createPalette(wantsColour(out, flags.color)) };
  const totals = new CheckTotals();
  const started = performance.now();
  const stop = new AbortController();
  const status = startStatus(err);
  const told = (events: number, done: number, bytes: number): void =>
    status.tell(() => {
      const ms = performance.now() - started;
      const whole = sizes.reduce((sum, size) => sum + size, 0);
      const left = bytes > 0 && ms > 2000 ? `, ${formatSpan((ms * 1e6 * (whole - bytes)) / bytes)} left` : '';
      return `checking: ${done} of ${files.length} recordings, ${formatRate(events, ms)}${left}`;
    });
  const outcomes =
    files.length === 1 || jobs === 1 || !HAS_THREADS
      ? inOrder(files, chosen, err, stop.signal)
      : inParallel(files, sizes, chosen, jobs, stop.signal, told);
  const onInterrupt = (): void => stop.abort();
  if (files.length > 1) process.once('SIGINT', onInterrupt);
  let worst: ExitCode = unreadable.size > 0 ? EXIT.badInput : EXIT.fine;
  for (const [folder, { message }] of unreadable) {
    err.write(`flightring: ${printable(message)}\n`);
    totals.addUnreadable(folder, message);
  }
  try {
    for await (const outcome of outcomes) {
      status.end();
      worst = worstOf(worst, outcome.check === null ? EXIT.badInput : exitCodeOf(outcome.check));
      if (!(await tell(outcome, totals.recordings, files.length, output))) break;
      totals.add(outcome);
    }
  } finally {
    status.end();
    process.off('SIGINT', onInterrupt);
  }
  if (totals.recordings < files.length) worst = worstOf(worst, EXIT.incomplete);
  if (files.length > 1) await tellTotals(totals, files.length, performance.now() - started, output);
  return worst;
}

function sizeOf(file: string): number {
  try {
    return BYTES_PER_FILE + (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  } catch {
    // Opening it says why.
    return BYTES_PER_FILE;
  }
}

function jobsFor(sizes: readonly number[], wanted: string | undefined): number {
  if (wanted !== undefined) {
    if (!/^[1-9]\d{0,3}$/.test(wanted))
      throw new UsageError('BAD_NUMBER', `--jobs takes a whole number from 1 on, not "${wanted}".`);
    return Number(wanted);
  }
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return Math.max(1, Math.min(availableParallelism(), sizes.length, Math.floor(bytes / BYTES_PER_JOB)));
}

/** One after the other in this thread; threads of their own would not pay for themselves. */
async function* inOrder(
  files: readonly string[],
  chosen: ChosenInvariants | null,
  err: NodeJS.WriteStream,
  signal: AbortSignal,
): AsyncGenerator<CheckOutcome, void, undefined> {
  for (const path of files) {
    // Signals are told between two turns of the event loop, and checking makes none.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) return;
    const progress = startProgress(`checking ${path}`, err);
    const onProgress = (done: number, total: number) => progress.tell(done, total);
    const options: CheckOptions =
      chosen === null ? { onProgress } : { onProgress, invariants: chosen.invariants };
    try {
      const check = await checkRecording(path, options);
      progress.end();
      yield { path, check, failure: null };
    } catch (thrown) {
      progress.end();
      const error = chosen === null ? thrown : chosen.explain(thrown);
      // Of many recordings the others are checked all the same.
      if (!(error instanceof FlightringError) && files.length === 1) throw error;
      yield { path, check: null, failure: failureOf(error) };
    }
  }
}

async function* inParallel(
  files: readonly string[],
  sizes: readonly number[],
  chosen: ChosenInvariants | null,
  jobs: number,
  signal: AbortSignal,
  told: (events: number, done: number, bytes: number) => void,
): AsyncGenerator<CheckOutcome, void, undefined> {
  const { checkRecordings } = await import('../bulk/check-recordings.ts');
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  yield* checkRecordings(files, {
    jobs,
    signal,
    onProgress: ({ done, events }) => told(events, done, done * mean),
    ...(chosen === null ? {} : { invariants: chosen.names, modules: chosen.modules }),
  });
}

/** Prints one recording's outcome; false if the reader has gone away. */
async function tell(
  outcome: CheckOutcome,
  number: number,
  files: number,
  { out, err, flags, palette }: Output,
): Promise<boolean> {
  const { path, check, failure } = outcome;
  if (failure !== null) err.write(`flightring: ${sentenceOf(failure)}\n`);
  else if (check.recording.damage !== null) err.write(`flightring: ${damageSentence(check)}\n`);
  if (flags.json) {
    const facts = failure === null ? checkFacts(check) : { path, error: failure };
    return writeLines(out, [JSON.stringify(facts, bigIntsAsText)]);
  }
  if (flags.quiet) return true;
  if (files > PAGES) return writeLines(out, [outcomeLine(outcome, palette)]);
  if (failure !== null) return true;
  return writeLines(out, [...(number > 0 ? [''] : []), ...checkLines(printableAll(check), palette)]);
}

/** An error of our own comes with its stack, in lines. */
function sentenceOf({ code, message }: CheckFailure): string {
  return code === 'INTERNAL' ? printableLine(message) : printable(message);
}

async function tellTotals(
  totals: CheckTotals,
  files: number,
  ms: number,
  { out, flags, palette }: Output,
): Promise<void> {
  if (flags.json) await writeLines(out, [JSON.stringify({ summary: totals.facts(files, ms) })]);
  else if (!flags.quiet) await writeLines(out, ['', ...totals.lines(palette, files, ms)]);
}

function bigIntsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
