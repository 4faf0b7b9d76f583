// Which violations an event broke or is behind, found by its place without making a key for every event.

import type { EventView } from '../decode/event-view.ts';
import type { EventRef, Violation } from '../model/violation.ts';

export interface Places<T> {
  /** What was kept under this event's place; empty for nearly all events. */
  at(event: EventView): readonly T[];
}

interface Kept<T> {
  readonly cpu: number;
  readonly values: T[];
}

const NOTHING: readonly never[] = [];

export function createPlaces<T>(entries: Iterable<readonly [EventRef, T]>): Places<T> {
  const bySeq = new Map<number, Kept<T>[]>();
  for (const [{ cpu, seq }, value] of entries) {
    const sameSeq = bySeq.get(seq) ?? [];
    bySeq.set(seq, sameSeq);
    const kept = sameSeq.find((one) => one.cpu === cpu);
    if (kept) kept.values.push(value);
    else sameSeq.push({ cpu, values: [value] });
  }
  if (bySeq.size === 0) return { at: () => NOTHING };
  return {
    at(event) {
      const sameSeq = bySeq.get(event.seq);
      return sameSeq?.find(({ cpu }) => cpu === event.cpu)?.values ?? NOTHING;
    },
  };
}

/** The violations by the event that broke the invariant. */
export function violationPlaces(violations: readonly Violation[]): Places<Violation> {
  return createPlaces(violations.map((violation) => [violation.at, violation] as const));
}
