// The violation to be shrunk, or explained: found by replaying the recording, as `check` counts them.

import { Checker } from '../check/checker.ts';
import type { Invariant } from '../check/invariant.ts';
import { UsageError } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import { checkable, recordedInvariants } from '../pipeline.ts';
import type { Recording } from '../recording/open.ts';
import { createObjectTable } from '../report/objects.ts';

export interface FindOptions {
  /** Default: those that the recording was made with. */
  readonly invariants?: readonly Invariant[];
  /** Which violation, counted from 1 as `check` lists them. Default: the first that is no mere warning, or else the first. */
  readonly violation?: number;
  /** Called now and then with the records looked at and all there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface FoundViolation {
  readonly invariant: Invariant;
  readonly violation: Violation;
}

export function findViolation(recording: Recording, options: FindOptions = {}): FoundViolation {
  const { objects, clocks } = recording.meta;
  const invariants = checkable(recording, options.invariants ?? recordedInvariants(recording));
  const checker = new Checker(invariants, createObjectTable(objects), clocks.errorNs);
  let found: Violation | undefined;
  for (const batch of recording.batches()) {
    checker.check(batch);
    options.onProgress?.(checker.events, recording.rows);
    found = choose(checker.violations, options.violation);
    if (found) break;
  }
  found ??= options.violation === undefined ? checker.violations[0] : undefined;
  const invariant = invariants.find(({ name }) => name === found?.invariant);
  if (!found || !invariant) throw notFound(recording, checker.violations.length, options.violation);
  return { invariant, violation: found };
}

function choose(violations: readonly Violation[], number: number | undefined): Violation | undefined {
  if (number !== undefined) return violations[number - 1];
  return violations.find(({ severity }) => severity === 'violation');
}

function notFound({ path, meta }: Recording, found: number, number: number | undefined): UsageError {
  if (found > 0)
    return new UsageError(
      'NO_SUCH_VIOLATION',
      `There is no violation ${number} in ${path}; "flightring check" lists ${found}.`,
    );
  const before = (meta.outOfWindow ?? []).length > 0;
  return new UsageError(
    'NO_VIOLATION',
    before
      ? `The violation in ${path} was seen live, but its history lies before the window: these events don't show it.`
      : `No invariant is broken in ${path}, so there is nothing to work on; --invariants names others.`,
  );
}
