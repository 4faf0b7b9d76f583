// The public API: everything that may be imported from 'flightring'. Importing it loads no native code.

import type { Recorder } from './record/record.ts';
import type { RecordOptions } from './record/options.ts';

export { defineInvariant } from './check/invariant.ts';
export type {
  Finding,
  Invariant,
  InvariantContext,
  StepInvariant,
  Stepper,
  TableInvariant,
} from './check/invariant.ts';
export { EventView } from './decode/event-view.ts';
export { INVARIANTS as invariants } from './generated/invariants.ts';
export { FlightringError, KernelError, LabError, RecordingError, UsageError } from './model/errors.ts';
export type { ObjectEntry, ObjectTable } from './model/objects.ts';
export type { RecordingMeta } from './model/recording.ts';
export type { Batch } from './model/slot.ts';
export type { CheckSummary, EventRef, InvariantCounts, Severity, Violation } from './model/violation.ts';
export { checkRecording } from './pipeline.ts';
export type { CheckOptions, InvariantVerdict, LiveComparison, RecordingCheck, Verdict } from './pipeline.ts';
export { openRecording } from './recording/open.ts';
export type { OpenOptions, Recording } from './recording/open.ts';
export { shrinkRecording, writeShrunk } from './shrink/shrink.ts';
export type { ShrinkOptions, Shrunk } from './shrink/shrink.ts';
export { explainRecording } from './explain/explain.ts';
export type { ExplainedEvent, Explanation, Role } from './explain/explain.ts';
export type { Expected, LegalMove } from './explain/expected.ts';
export { diffRecordings } from './diff/diff.ts';
export type {
  CoverageDifference,
  DiffOptions,
  DiffSide,
  RecordingDiff,
  VerdictDifference,
} from './diff/diff.ts';
export type { Difference, Measure } from './diff/compare.ts';
export type { Recorder, RecordOptions };

/**
 * Attaches the probes and records until `stop()`, or after one recording with `once`. Needs CAP_BPF and CAP_PERFMON.
 *
 * @example
 * const recorder = await record({ paths: ['neigh'], out: '/var/tmp' });
 * recorder.on('exported', ({ path }) => console.log(path));
 */
export async function record(options: RecordOptions = {}): Promise<Recorder> {
  const { record: start } = await import('./record/record.ts');
  return start(options);
}
