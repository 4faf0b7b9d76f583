// Whether a violation is one of time that ran out, for the picture of its states.

import { isDeadline } from '../check/deadline.ts';
import type { Invariant } from '../check/invariant.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { SLOT_LANES } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { createObjectTable } from '../report/objects.ts';

/** As far as the records of the evidence alone show it. */
export function isLate(
  violation: Violation,
  invariant: Invariant,
  records: readonly Uint32Array[],
  meta: RecordingMeta,
): boolean {
  const lanes = new Uint32Array(records.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const record of records) {
    lanes.set(record, to);
    to += record.length;
  }
  const objects = createObjectTable(meta.objects);
  return isDeadline(
    { lanes, slots: lanes.length / SLOT_LANES },
    { invariant, violation, objects, clockErrorNs: meta.clocks.errorNs },
  );
}
