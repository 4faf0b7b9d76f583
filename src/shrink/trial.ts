// Whether some of the events, with some of the objects, still show the violation.

import { Checker } from '../check/checker.ts';
import type { Invariant } from '../check/invariant.ts';
import type { ObjectEntry } from '../model/objects.ts';
import type { Violation } from '../model/violation.ts';
import { createObjectTable } from '../report/objects.ts';
import type { EventStore } from './event-store.ts';
import { isSameViolation } from './same.ts';

export class Trial {
  readonly #store: EventStore;
  readonly #invariant: Invariant;
  readonly #wanted: Violation;
  readonly #clockErrorNs: number;
  /** Checks carried out. */
  runs = 0;

  /** `clockErrorNs`: that of the recording, which says what only depends on the order. */
  constructor(store: EventStore, invariant: Invariant, wanted: Violation, clockErrorNs: number) {
    this.#store = store;
    this.#clockErrorNs = clockErrorNs;
    this.#invariant = invariant;
    this.#wanted = wanted;
  }

  /** A check of these events, carried out. */
  check(events: readonly number[], objects: readonly ObjectEntry[]): Checker {
    this.runs++;
    const checker = new Checker([this.#invariant], createObjectTable(objects), this.#clockErrorNs);
    checker.check(this.#store.batchOf(events));
    return checker;
  }

  /** The violation as it is told of these events; undefined if it isn't. */
  find(events: readonly number[], objects: readonly ObjectEntry[]): Violation | undefined {
    return this.check(events, objects).violations.find((found) => isSameViolation(this.#wanted, found));
  }
}
