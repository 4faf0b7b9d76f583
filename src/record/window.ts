// Cuts the events of a frozen bank down to the window that was asked for.

import { type Batch, HEAD, SLOT_LANES, timeAt } from '../model/slot.ts';

/** Slots of the record that begins at `slot`. */
function slotsOf({ lanes }: Batch, slot: number): number {
  return 1 + (((lanes[slot * SLOT_LANES + HEAD.kindFlags] as number) >>> 16) & 0xf);
}

/** Records up to `endTs`; `batches` are in the order of time. */
function countRecords(batches: Iterable<Batch>, endTs: number): number {
  let records = 0;
  for (const batch of batches)
    for (let slot = 0; slot < batch.slots; slot += slotsOf(batch, slot)) {
      if (timeAt(batch.lanes, slot * SLOT_LANES) > endTs) return records;
      records++;
    }
  return records;
}

/**
 * The last `keep` records up to `endTs`. What was recorded later, because freezing took its time, would push out what
 * led to the violation.
 */
export function* lastRecords(batches: () => Iterable<Batch>, keep: number, endTs: number): Generator<Batch> {
  const total = countRecords(batches(), endTs);
  let [skip, left] = [Math.max(total - keep, 0), total];
  for (const batch of batches()) {
    let from = 0;
    for (; from < batch.slots && skip > 0; skip--, left--) from += slotsOf(batch, from);
    let end = from;
    for (; end < batch.slots && left > 0; left--) end += slotsOf(batch, end);
    if (end > from)
      yield { lanes: batch.lanes.subarray(from * SLOT_LANES, end * SLOT_LANES), slots: end - from };
    if (left === 0) return;
  }
}
