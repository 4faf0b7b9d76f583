// Takes each ring position once: probes on two CPUs may report the same entry, and entries nobody saw are a gap.

import { KIND, LANE, LAYOUTS } from '../generated/layouts.ts';
import { OBJECTS_MAX } from '../model/objects.ts';
import { type Batch, GAP_KIND, HEAD, REPEATED_KIND, SLOT_LANES } from '../model/slot.ts';

/** The kinds that report an entry of a shared ring by position, each with its lane of object and position. */
const POSITIONED = new Uint8Array(LAYOUTS.length);
for (const [ring, kind] of [
  KIND.xsk_fill_submit,
  KIND.xsk_tx_submit,
  KIND.xsk_rx_publish,
  KIND.xsk_comp_submit,
].entries())
  POSITIONED[kind] = ring + 1;

const OBJECT_LANE = LANE.xsk_fill_submit.object;
const POSITION_LANE = LANE.xsk_fill_submit.position;
const RINGS_SHIFT = 2;
/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const LANES = SLOT_LANES;
const UNTIL = LANE.gap.until;
const TS_LOW = HEAD.tsLow;
const KIND_FLAGS = HEAD.kindFlags;
const SEQ_HIGH = HEAD.seqHigh;
const GAP = GAP_KIND;
const KINDS = LAYOUTS.length;

function timeOf(lanes: Uint32Array, at: number): number {
  return (lanes[at] as number) + (lanes[at + 1] as number) * 0x1_0000_0000;
}

/**
 * Marks repeated reports (their kind gets REPEATED_KIND) and returns the lanes at which something is missing before the
 * event there: a gap record, or a jump of a ring's position. State is kept from batch to batch.
 */
export class Once {
  /** Next position per (object, ring), valid where #seen is 1. */
  #next = new Uint32Array(256 << RINGS_SHIFT);
  #seen = new Uint8Array(256 << RINGS_SHIFT);
  /** Up to this time events of some CPU are missing: those of the others can't be judged either. */
  #blindUntil = 0;
  /** Reports that repeated an earlier one. */
  repeated = 0;
  /** Entries of shared rings that no probe saw. */
  unseen = 0;

  /**
   * Of the batch marked last: each slot's kind, in a dense row of signed words, which V8 reads faster than unsigned ones;
   * that of a gap for continuations, repeated reports, unknown kinds, and what can't be judged: they are nobody's event.
   */
  kinds = new Int32Array(0);

  mark(batch: Batch, first = 0, end = batch.slots): readonly number[] {
    const { lanes, slots } = batch;
    const missing: number[] = [];
    if (this.kinds.length < slots) this.kinds = new Int32Array(slots);
    const { kinds } = this;
    for (let i = first; i < end; i++) {
      const at = i * LANES;
      kinds[i] = GAP;
      // A continuation slot has data where others have their kind.
      if ((lanes[at + SEQ_HIGH] as number) >>> 31) continue;
      const kind = (lanes[at + KIND_FLAGS] as number) & 0xffff;
      if (kind >= KINDS) continue;
      if (kind === GAP) {
        missing.push(at);
        this.#seen.fill(0);
        this.#blindUntil = Math.max(this.#blindUntil, timeOf(lanes, at + UNTIL));
        continue;
      }
      if (this.#blindUntil > 0) {
        if (timeOf(lanes, at + TS_LOW) < this.#blindUntil) continue;
        missing.push(at);
        this.#blindUntil = 0;
      }
      kinds[i] = kind;
      const ring = POSITIONED[kind] as number;
      if (ring === 0) continue;
      const object = lanes[at + OBJECT_LANE] as number;
      // An object index beyond the object table's size is damage, not an object.
      if (object >= OBJECTS_MAX) continue;
      const slot = (object << RINGS_SHIFT) + ring - 1;
      const position = lanes[at + POSITION_LANE] as number;
      if (slot >= this.#seen.length) this.#grow(slot);
      if (this.#seen[slot] === 1) {
        const ahead = (position - (this.#next[slot] as number)) | 0;
        if (ahead < 0) {
          lanes[at + KIND_FLAGS] = (lanes[at + KIND_FLAGS] as number) | REPEATED_KIND;
          kinds[i] = GAP;
          this.repeated++;
          continue;
        }
        if (ahead > 0) {
          missing.push(at);
          this.unseen += ahead;
        }
      }
      this.#seen[slot] = 1;
      this.#next[slot] = position + 1;
    }
    return missing;
  }

  #grow(slot: number): void {
    let length = this.#seen.length;
    while (length <= slot) length *= 2;
    const next = new Uint32Array(length);
    const seen = new Uint8Array(length);
    next.set(this.#next);
    seen.set(this.#seen);
    this.#next = next;
    this.#seen = seen;
  }
}
