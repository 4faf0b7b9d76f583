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
export { checkRecordings } from './bulk/check-recordings.ts';
export type { BulkOptions, BulkProgress, CheckFailure, CheckOutcome } from './bulk/check-recordings.ts';
export { findRecordings } from './recording/find.ts';
export type { FindOptions } from './recording/find.ts';
export type { Newer } from './recording/meta.ts';
export { openRecording } from './recording/open.ts';
export type { BatchChoice, OpenOptions, Recording, RecordingFacts } from './recording/open.ts';
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
