// What is said of events that were lost.

import type { EventView } from '../decode/event-view.ts';
import { plural } from './span.ts';

/** By the gap record's `reason`. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'overwritten before they were read',
  2: 'a probe was interrupted by itself',
};

/** `overwritten before they were read`. */
export function gapReason(gap: EventView): string {
  const reason = gap.u32('reason');
  return REASONS[reason] ?? `reason ${reason}`;
}

/** `1234 events lost on CPU 1 (overwritten before they were read)`. */
export function gapText(gap: EventView): string {
  return `${plural(gap.u53('lost'), 'event')} lost on CPU ${gap.cpu} (${gapReason(gap)})`;
}
