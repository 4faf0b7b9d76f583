// What readers of recordings need to know about making slots.

import { CONTINUATION, HEAD, SLOT_LANES } from '../model/slot.ts';

/** Slots of one batch at most. */
export const BATCH_SLOTS = 65_536;

/** Writes the heads of the continuation slots of the record at lane `at`, whose own head is complete. */
export function putContinuations(lanes: Uint32Array, at: number, slots: number): void {
  for (let i = 1; i < slots; i++) {
    const next = at + i * SLOT_LANES;
    const sum = (lanes[at + HEAD.seqLow] as number) + i;
    lanes[next + HEAD.seqLow] = sum;
    lanes[next + HEAD.seqHigh] =
      ((lanes[at + HEAD.seqHigh] as number) + (sum > 0xffff_ffff ? 1 : 0)) | CONTINUATION;
  }
}

/** Whether a record of `length` slots begins at `slot` and ends before `slots`. */
export function isWholeRecord(lanes: Uint32Array, slot: number, slots: number, length: number): boolean {
  if ((lanes[slot * SLOT_LANES + HEAD.seqHigh] as number) >= CONTINUATION || slot + length > slots)
    return false;
  for (let i = 1; i < length; i++) {
    if ((lanes[(slot + i) * SLOT_LANES + HEAD.seqHigh] as number) < CONTINUATION) return false;
  }
  return true;
}
