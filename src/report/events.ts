// The events of a recording one by one, each ring position once.

import { EventView } from '../decode/event-view.ts';
import { type Break, Once } from '../decode/once.ts';
import { type Batch, GAP_KIND, SLOT_LANES } from '../model/slot.ts';
import type { EventRef } from '../model/violation.ts';

/** An event in its place; the same object is given again and again. */
export interface Seen {
  readonly event: EventView;
  /** Entries of the ring that this event speaks of were seen by no probe. */
  hole: boolean;
}

export function* eventsOf(batches: Iterable<Batch>): Generator<Seen, void, undefined> {
  const once = new Once();
  const event = new EventView();
  const seen: Seen = { event, hole: false };
  for (const batch of batches) {
    const missing = once.mark(batch);
    const end = batch.slots * SLOT_LANES;
    let next = 0;
    for (let at = 0; at < end; at += event.slots * SLOT_LANES) {
      event.move(batch.lanes, at);
      seen.hole = false;
      while (next < missing.length && (missing[next] as Break).at <= at) {
        seen.hole = missing[next]?.at === at && event.kindNumber !== GAP_KIND;
        next++;
      }
      yield seen;
    }
  }
}

export function isAt(event: EventView, ref: EventRef): boolean {
  return event.seq === ref.seq && event.cpu === ref.cpu;
}
