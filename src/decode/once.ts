// Takes each ring position once: probes on two CPUs may report the same entry, and entries nobody saw are a gap.

import { KIND, LANE, LAYOUTS } from '../generated/layouts.ts';
import { OBJECTS_MAX } from '../model/objects.ts';
import { type Batch, FLAG, GAP_KIND, HEAD, REPEATED_KIND, SLOT_LANES } from '../model/slot.ts';
import { SHARE_OF_KIND, type ShareSet, sharesOf, sharesOfName } from './shares.ts';

/** The kinds that report an entry of a shared ring by position, each with its lane of object and position. */
const RING_KINDS = ['xsk_fill_submit', 'xsk_tx_submit', 'xsk_rx_publish', 'xsk_comp_submit'] as const;
const POSITIONED = new Uint8Array(LAYOUTS.length);
for (const [ring, kind] of RING_KINDS.entries()) POSITIONED[KIND[kind]] = ring + 1;

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
const CUT = FLAG.cut;
const KINDS = LAYOUTS.length;

/** Whether events of this kind report an entry of a ring by its position. */
export function isPositioned(kind: number): boolean {
  return (POSITIONED[kind] ?? 0) > 0;
}

/** Whose positions these are. */
const POSITIONED_SHARES = sharesOf(RING_KINDS);

/** The kinds without which events of these kinds can't be judged: they, and those whose positions show holes among them. */
export function withPositions(kinds: readonly string[]): readonly string[] {
  return sharesOf(kinds) & POSITIONED_SHARES ? [...kinds, ...RING_KINDS] : kinds;
}
const SHARE = LANE.gap.share;

/** A place where something that is known stops being so. */
export interface Break {
  /** Lane of the event in front of which it is. */
  readonly at: number;
  /** The shares whose history has a hole here. */
  readonly forget: ShareSet;
  /** From here on the events of these shares are not all there. */
  readonly blind: ShareSet;
}

function timeOf(lanes: Uint32Array, at: number): number {
  return (lanes[at] as number) + (lanes[at + 1] as number) * 0x1_0000_0000;
}

/** The path that a gap names: up to eight characters in two lanes. */
export function gapPath(lanes: Uint32Array, at: number): string {
  let name = '';
  for (let i = 0; i < 8; i++) {
    const code = ((lanes[at + SHARE + (i >> 2)] as number) >>> ((i & 3) * 8)) & 0xff;
    if (code === 0) break;
    name += String.fromCharCode(code);
  }
  return name;
}

/**
 * Marks repeated reports (their kind gets REPEATED_KIND) and returns the places at which something is missing before the
 * event there: a gap record, or a jump of a ring's position. State is kept from batch to batch.
 */
export class Once {
  /** Next position per (object, ring), valid where #seen is 1. */
  #next = new Uint32Array(256 << RINGS_SHIFT);
  #seen = new Uint8Array(256 << RINGS_SHIFT);
  /** By share: up to this time its events of some CPU are missing, and those of the others can't be judged either. */
  readonly #blindUntil = new Float64Array(32);
  #blind: ShareSet = 0;
  /** Reports that repeated an earlier one. */
  repeated = 0;
  /** Entries of shared rings that no probe saw. */
  unseen = 0;

  /**
   * Of the batch marked last: each slot's kind, in a dense row of signed words, which V8 reads faster than unsigned ones;
   * that of a gap for continuations, repeated reports, unknown kinds, and what can't be judged: they are nobody's event.
   */
  kinds = new Int32Array(0);

  /** The shares whose events are not all there behind what was marked last. */
  get blind(): ShareSet {
    return this.#blind;
  }

  mark(batch: Batch, first = 0, end = batch.slots): readonly Break[] {
    const { lanes, slots } = batch;
    const missing: Break[] = [];
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
        missing.push(this.#lose(sharesOfName(gapPath(lanes, at)), at, timeOf(lanes, at + UNTIL)));
        continue;
      }
      if (this.#blind !== 0) {
        const forget = this.#seeAgain(timeOf(lanes, at + TS_LOW));
        if (forget !== 0) missing.push({ at, forget, blind: this.#blind });
        if ((this.#blind >>> (SHARE_OF_KIND[kind] as number)) & 1) continue;
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
        if (ahead > 0 && !(((lanes[at + KIND_FLAGS] as number) >>> 16) & CUT)) {
          missing.push({ at, forget: POSITIONED_SHARES, blind: this.#blind });
          this.unseen += ahead;
        }
      }
      this.#seen[slot] = 1;
      this.#next[slot] = position + 1;
    }
    return missing;
  }

  #lose(forget: ShareSet, at: number, until: number): Break {
    if (forget & POSITIONED_SHARES) this.#seen.fill(0);
    for (let share = 0; forget >>> share !== 0; share++) {
      if (!((forget >>> share) & 1) || until <= (this.#blindUntil[share] as number)) continue;
      this.#blindUntil[share] = until;
      this.#blind |= 1 << share;
    }
    return { at, forget, blind: this.#blind };
  }

  /** The shares whose events are all there again from this time on. */
  #seeAgain(ts: number): ShareSet {
    let again: ShareSet = 0;
    for (let share = 0; this.#blind >>> share !== 0; share++) {
      if (!((this.#blind >>> share) & 1) || ts < (this.#blindUntil[share] as number)) continue;
      this.#blindUntil[share] = 0;
      again |= 1 << share;
    }
    this.#blind &= ~again;
    return again;
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
