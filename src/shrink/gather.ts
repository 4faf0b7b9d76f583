// The events in front of a violation that its invariant could have made use of, from a recording of any size.

import { type Invariant, neededKinds } from '../check/invariant.ts';
import { EventView } from '../decode/event-view.ts';
import { gapPath, isPositioned, Once } from '../decode/once.ts';
import { sharesOf, sharesOfName } from '../decode/shares.ts';
import { KIND } from '../generated/layouts.ts';
import { type Batch, FLAG, GAP_KIND, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { EventStore, RANK } from './event-store.ts';
import { placeOf, placesOf, type Relation } from './related.ts';

/** 128 MiB of events. */
const SLOTS_MAX = 1 << 21;

export interface GatherOptions {
  readonly invariant: Invariant;
  readonly violation: Violation;
  /** Those that are kept longest when there are more events than fit into memory. */
  readonly isRelated: Relation;
  readonly onProgress?: (slots: number) => void;
}

/** Events up to the offending one, each of which may be left out: one behind others that were says so (FLAG.cut). */
export function gatherEvents(
  batches: Iterable<Batch>,
  { invariant, violation, isRelated, onProgress }: GatherOptions,
): EventStore {
  const store = new EventStore(SLOTS_MAX);
  const once = new Once();
  const view = new EventView();
  const needed = neededKinds(invariant);
  const numbers = new Set(needed.map((kind) => (KIND as Record<string, number>)[kind]));
  const shares = sharesOf(needed);
  const places = placesOf(violation);
  const { cpu: lastCpu, seq: lastSeq } = violation.at;
  let done = 0;
  for (const batch of batches) {
    const { lanes, slots } = batch;
    const breaks = once.mark(batch);
    const holes = new Set(breaks.map(({ at }) => at));
    for (let slot = 0; slot < slots; slot += view.slots) {
      const at = slot * SLOT_LANES;
      view.move(lanes, at);
      const kind = once.kinds[slot] as number;
      const isGap = isGapRecord(lanes, at);
      if (isGap ? (sharesOfName(gapPath(lanes, at)) & shares) === 0 : !numbers.has(kind)) continue;
      const isNamed = !isGap && places.has(placeOf(view));
      const mark = isPositioned(kind) && !holes.has(at) ? FLAG.cut : 0;
      const rank = isNamed ? RANK.named : !isGap && isRelated(view) ? RANK.related : RANK.other;
      store.add(lanes, at, view.slots, rank, mark);
      if (isNamed && view.cpu === lastCpu && view.seq === lastSeq) return store;
    }
    done += slots;
    onProgress?.(done);
  }
  return store;
}

/** Not what the marking makes of a report that nobody is to see. */
function isGapRecord(lanes: Uint32Array, at: number): boolean {
  return ((lanes[at + HEAD.kindFlags] as number) & 0xffff) === GAP_KIND;
}
