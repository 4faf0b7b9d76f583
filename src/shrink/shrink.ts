// The smallest part of a recording on which the same invariant still reports the same violation.

import type { Invariant } from '../check/invariant.ts';
import { UsageError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { type ParquetResult, writeParquet } from '../recording/parquet-write.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import { createObjectTable } from '../report/objects.ts';
import type { EventStore } from './event-store.ts';
import { findViolation, type FindOptions } from './find.ts';
import { gatherEvents } from './gather.ts';
import { leastEvents, leastObjects } from './least.ts';
import { relationOf } from './related.ts';
import { describeShrunk, markCuts } from './result.ts';
import { isSameViolation } from './same.ts';
import { Trial } from './trial.ts';

/** What is being done, with the records or trials done so far. */
export type ShrinkStep = 'finding the violation' | 'gathering its history' | 'leaving events out';

export interface ShrinkOptions extends Omit<FindOptions, 'onProgress'> {
  readonly onProgress?: (step: ShrinkStep, done: number, total: number) => void;
}

/** A violation with the events that it needs, and none that it doesn't. */
export interface Shrunk {
  readonly invariant: Invariant;
  /** As found in the whole recording. */
  readonly original: Violation;
  /** As found in what is left: counts and times in its sentence may be smaller. */
  readonly violation: Violation;
  /** Description and events of what is left; to be given to `writeShrunk`. */
  readonly meta: RecordingMeta;
  readonly batch: Batch;
  readonly events: number;
  /** Checks of a part of the events that it took. */
  readonly trials: number;
}

/**
 * Shrinks a recording to one of its violations: 1-minimal, without any one of its events the violation is not reported.
 * Throws a UsageError if there is no such violation.
 *
 * @example
 * const shrunk = await shrinkRecording('freeze.parquet');
 * writeShrunk(shrunk, 'small.parquet');
 */
export async function shrinkRecording(
  source: string | Recording,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const recording = typeof source === 'string' ? await openRecording(source) : source;
  const { meta, rows, path } = recording;
  const { onProgress = () => {} } = options;
  const { invariant, violation } = findViolation(recording, {
    ...options,
    onProgress: (done) => onProgress('finding the violation', done, rows),
  });
  const table = createObjectTable(meta.objects);
  const isRelated = relationOf(violation, recording.batches(), table);
  const store = gatherEvents(recording.batches(), {
    invariant,
    violation,
    isRelated,
    onProgress: (done) => onProgress('gathering its history', done, rows),
  });
  const trial = new Trial(store, invariant, violation, meta.clocks.errorNs);
  const events = leastEvents(store, trial, meta.objects, (left) =>
    onProgress('leaving events out', store.length - left, store.length),
  );
  if (events === null) throw notReproduced(path, violation, store);
  const objects = leastObjects(store, events, trial, meta.objects);
  const batch = markCuts(store.batchOf(events));
  const check = trial.check(events, objects);
  const found = check.violations.find((candidate) => isSameViolation(violation, candidate));
  if (!found) throw notReproduced(path, violation, store);
  const least = {
    invariant,
    batch,
    events: events.length,
    objects,
    violations: check.violations,
    counts: check.counts(),
  };
  return {
    invariant,
    original: violation,
    violation: found,
    meta: describeShrunk(recording, least),
    batch,
    events: events.length,
    trials: trial.runs,
  };
}

/** Writes a shrunk recording: a Parquet file like any other. */
export function writeShrunk({ meta, batch }: Shrunk, path: string): ParquetResult {
  return writeParquet({ meta, batches: [batch] }, path);
}

function notReproduced(path: string, { invariant }: Violation, { length, dropped }: EventStore): UsageError {
  const why =
    dropped > 0
      ? `it takes more than the last ${length} of the events that the invariant needs, which is all that fits into memory`
      : 'it depends on more than the events that the invariant needs; is it one of yours that keeps state outside start()?';
  return new UsageError(
    'NOT_REPRODUCED',
    `The violation of ${invariant} in ${path} can't be shrunk: ${why}.`,
  );
}
