// The public API: everything that may be imported from 'flightring'. Importing it loads no native code.

import type { ImportOptions, ImportResult } from './import/import.ts';
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
export { exportPath, exportRecording } from './export/export.ts';
export type { ExportOptions, ExportResult } from './export/export.ts';
export { EXPORT_FORMATS } from './export/formats.ts';
export type { ExportFormat } from './export/formats.ts';
export { INVARIANTS as invariants } from './generated/invariants.ts';
export {
  FlightringError,
  KernelError,
  LabError,
  QueryError,
  RecordingError,
  UsageError,
} from './model/errors.ts';
export type { LineCounts, Problem } from './import/account.ts';
export type { ImportOptions, ImportResult } from './import/import.ts';
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
export { openQuery, queryRecordings } from './query/query.ts';
export type { QueryOptions, QueryResult, RecordingQuery } from './query/query.ts';
export { QUESTIONS as questions } from './query/questions/index.ts';
export type { Question, QuestionParameter } from './query/questions/index.ts';
export type { LeftOut } from './query/sources.ts';
export type { QueryColumn, QueryValue } from './query/values.ts';
export { renderReport, writeReport } from './page/write-report.ts';
export type { ReportOptions, WrittenReport } from './page/write-report.ts';
export type { Newer } from './recording/meta.ts';
export { openRecording } from './recording/open.ts';
export type { BatchChoice, OpenOptions, Recording, RecordingFacts } from './recording/open.ts';
export type { FilterOptions } from './report/filter.ts';
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
 * Turns the text of ftrace, trace-cmd report, perf script or a bpftrace script into a recording that everything else here
 * treats like any other. Lines that could not be used are in the result, by reason.
 *
 * @param source A file, `-` for standard input, or the text's bytes.
 * @param out The recording to write; it appears whole or not at all.
 * @throws UsageError for a wrong mapping (with line and column) or input, RecordingError `NOTHING_TO_IMPORT`.
 * @example
 * const { counts, problems } = await importTrace('trace.txt', 'trace.parquet', { mapping: 'mine.toml' });
 */
export async function importTrace(
  source: string | AsyncIterable<Uint8Array>,
  out: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { importTrace: start } = await import('./import/import.ts');
  return start(source, out, options);
}

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
