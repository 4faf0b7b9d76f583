// When a violation of a part of the events is the one that was found in all of them.

import type { EventRef, Violation } from '../model/violation.ts';

/** Numbers that stand alone, with their unit: counts and times, which change with the history that is left. */
const AMOUNTS = /(?<![\w.:/-])\d+(?:[.,]\d+)*(?:[nµm]?s)?(?![\w:/-]|\.\d)/g;

/**
 * The same invariant, object, offending event and evidence, of the same severity, as dependent on the order, and the same
 * sentence but for counts and times in it.
 */
export function isSameViolation(wanted: Violation, found: Violation): boolean {
  return (
    found.invariant === wanted.invariant &&
    isSameEvent(found.at, wanted.at) &&
    found.object === wanted.object &&
    found.severity === wanted.severity &&
    found.orderDependent === wanted.orderDependent &&
    found.evidence.length === wanted.evidence.length &&
    found.evidence.every((ref, i) => isSameEvent(ref, wanted.evidence[i] as EventRef)) &&
    withoutAmounts(found.sentence) === withoutAmounts(wanted.sentence)
  );
}

export function isSameEvent(a: EventRef, b: EventRef): boolean {
  return a.cpu === b.cpu && a.seq === b.seq;
}

function withoutAmounts(sentence: string): string {
  return sentence.replace(AMOUNTS, '#');
}
