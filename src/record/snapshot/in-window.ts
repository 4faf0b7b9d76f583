// The snapshot in a recording: what existed where its events begin, and the live verdict in the same terms.

import { type Invariant, neededKinds } from '../../check/invariant.ts';
import type { RecordingMeta } from '../../model/recording.ts';
import { type Batch, SNAPSHOT_CPU, SNAPSHOT_TELLING } from '../../model/slot.ts';
import type { EventRef, Violation } from '../../model/violation.ts';
import type { SnapshotFacts } from './opening.ts';
import { Beginnings, type Row, rowsFor, tellingTimes, unpackVersions } from './rows.ts';

/** What existed at the beginning of the window that ends at `end`, and what was found to exist during it. */
export function snapshotRows(
  { versions }: SnapshotFacts,
  events: () => Iterable<Batch>,
  invariants: readonly Invariant[],
  end: number,
): Row[] {
  const beginnings = new Beginnings(events(), end);
  const needs = invariants.map(neededKinds);
  const times: (readonly number[])[] = [];
  const timesOf = (kind: number) => (times[kind] ??= tellingTimes(kind, beginnings, needs));
  return rowsFor(unpackVersions(versions), timesOf, end);
}

/**
 * The recording's description with its snapshot. The live verdict then speaks of the records that the recording has: of an
 * object that is told of more than once, of the last time before the violation.
 */
export function describeSnapshot(
  meta: RecordingMeta,
  rows: readonly Row[],
  notes: readonly string[],
): RecordingMeta {
  const tellings = new Map<number, Row[]>();
  for (const row of rows) {
    const object = row.seq % SNAPSHOT_TELLING;
    const known = tellings.get(object);
    if (known) known.push(row);
    else tellings.set(object, [row]);
  }
  const placed = (ref: EventRef, at: number): EventRef => {
    if (ref.cpu !== SNAPSHOT_CPU) return ref;
    const row = tellings.get(ref.seq)?.findLast(({ ts }) => ts <= at);
    return row ? { ...ref, seq: row.seq, ts: row.ts } : ref;
  };
  return {
    ...meta,
    snapshot: { records: rows.length },
    notes: [...meta.notes, ...notes.map((note) => `snapshot: ${note}`)],
    violations: meta.violations.map(
      (violation): Violation => ({
        ...violation,
        at: placed(violation.at, violation.at.ts),
        evidence: violation.evidence.map((ref) => placed(ref, violation.at.ts)),
      }),
    ),
  };
}
