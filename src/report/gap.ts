// What is said of events that were lost.

import type { EventView } from '../decode/event-view.ts';
import { plural } from './span.ts';

/** A ring that was written round and round begins later than the recording does. */
const BEFORE_WINDOW = 3;

/** By the gap record's `reason`. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'overwritten before they were read',
  2: 'a probe was interrupted by itself',
  3: 'older than what its ring held',
};

/** `overwritten before they were read`. */
export function gapReason(gap: EventView): string {
  const reason = gap.u32('reason');
  return REASONS[reason] ?? `reason ${reason}`;
}

/** `1234 events lost on CPU 1 (overwritten before they were read)`. */
export function gapText(gap: EventView): string {
  if (gap.u32('reason') === BEFORE_WINDOW)
    return `the events of CPU ${gap.cpu} begin later: its ring held no older ones`;
  return `${plural(gap.u53('lost'), 'event')} lost on CPU ${gap.cpu} (${gapReason(gap)})`;
}
