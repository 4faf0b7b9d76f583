// What is said of events that were lost.

import type { EventView } from '../decode/event-view.ts';
import { plural } from './span.ts';

/** A share that was written round and round begins later than the recording does. */
const BEFORE_WINDOW = 3;
/** A path's events are cut to the number that was asked for. */
const CUT = 4;

/** By the gap record's `reason`. */
export const GAP_REASONS: Readonly<Record<number, string>> = {
  1: 'overwritten before they were read',
  2: 'a probe was interrupted by itself',
  3: 'older than what its ring held',
  4: 'not asked for',
};

/** `overwritten before they were read`. */
export function gapReason(gap: EventView): string {
  const reason = gap.u32('reason');
  return GAP_REASONS[reason] ?? `reason ${reason}`;
}

/** `1234 xsk events lost on CPU 1 (overwritten before they were read)`. */
export function gapText(gap: EventView): string {
  const path = gap.text('share');
  const events = path === '' ? 'event' : `${path} event`;
  const reason = gap.u32('reason');
  if (reason === BEFORE_WINDOW)
    return `the ${events}s of CPU ${gap.cpu} begin later: its ring held no older ones`;
  if (reason === CUT) return `the ${events}s begin later: no more of them were asked for`;
  return `${plural(gap.u53('lost'), events)} lost on CPU ${gap.cpu} (${gapReason(gap)})`;
}
