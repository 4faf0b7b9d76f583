// Runs invariants over batches of events in total order and collects what they find, the same live and offline.

import { EventView } from '../decode/event-view.ts';
import { Once } from '../decode/once.ts';
import { KIND, LAYOUTS } from '../generated/layouts.ts';
import { type Batch, GAP_KIND, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { ObjectTable } from '../model/objects.ts';
import type { InvariantCounts, Severity, Violation } from '../model/violation.ts';
import {
  type Finding,
  type Invariant,
  type InvariantContext,
  isTable,
  neededKinds,
  type Stepper,
  severityOf,
} from './invariant.ts';
import { compileLoop, type StepLoop } from './loop.ts';
import { TableChecker } from './table.ts';

/** Violations kept whole per invariant; further ones are only counted. */
const KEPT_MAX = 1000;
/** Two readings of the kernel's clock on different CPUs can't be ordered below this, in ns. */
export const CLOCK_ERROR_NS = 500;

/** A binding of this module's own is a constant to V8, an imported one is read each time. */
const LANES = SLOT_LANES;

interface Tally {
  checked: number;
  fired: number;
  unplaced: number;
  evicted: number;
  unknown: number;
}

/** One invariant at work. */
class Runner {
  readonly invariant: Invariant;
  readonly tally: Tally = { checked: 0, fired: 0, unplaced: 0, evicted: 0, unknown: 0 };
  readonly #found: Violation[];
  readonly #severity: Severity;
  readonly #context: InvariantContext;
  readonly #view: EventView;
  /** By kind of event: 1 for those it needs. */
  readonly #wanted = new Int32Array(LAYOUTS.length);
  readonly #table: TableChecker | null = null;
  readonly #loop: StepLoop;
  #stepper: Stepper | null = null;

  constructor(invariant: Invariant, objects: ObjectTable, clockErrorNs: number, found: Violation[]) {
    this.invariant = invariant;
    this.#found = found;
    this.#severity = severityOf(invariant);
    this.#loop = compileLoop(invariant.name);
    const { tally } = this;
    this.#context = {
      objects,
      clockErrorNs,
      violate: (finding) => this.#violate(finding),
      unplaced: () => {
        tally.unplaced++;
      },
      evicted: () => {
        tally.evicted++;
      },
      unknown: (count = 1) => {
        tally.unknown += count;
      },
    };
    for (const kind of neededKinds(invariant)) {
      const number = (KIND as Record<string, number>)[kind];
      if (number !== undefined && number !== GAP_KIND) this.#wanted[number] = 1;
    }
    if (isTable(invariant)) {
      this.#table = new TableChecker(invariant, this.#context);
      // The table's own view is current while it reports.
      this.#view = this.#table.view;
    } else {
      this.#view = new EventView();
      this.#stepper = invariant.start(this.#context);
    }
  }

  /** Checks slots [from, end); `kinds` has their kinds, `places` is room for the lanes of those that are needed. */
  run(lanes: Uint32Array, kinds: Int32Array, places: Int32Array, from: number, end: number): void {
    const needed = select(kinds, this.#wanted, places, from, end);
    this.tally.checked += needed;
    if (this.#table) this.#table.run(lanes, places, needed);
    else this.#loop(this.#stepper as Stepper, this.#view, lanes, places, needed);
  }

  gap(): void {
    if (this.#table) this.#table.gap();
    else if (this.#stepper?.gap) this.#stepper.gap();
    else if (!isTable(this.invariant)) {
      this.#stepper = this.invariant.start(this.#context);
      this.tally.unknown++;
    }
  }

  #violate(finding: Finding): void {
    this.tally.fired++;
    if (this.tally.fired > KEPT_MAX) return;
    const at = this.#view.ref();
    this.#found.push({
      invariant: this.invariant.name,
      severity: this.#severity,
      orderDependent: finding.orderDependent ?? false,
      object: finding.object,
      sentence: finding.sentence,
      at,
      evidence: [...(finding.evidence ?? []), at],
    });
  }
}

export class Checker {
  readonly #runners: readonly Runner[];
  readonly #found: Violation[] = [];
  readonly #once = new Once();
  /** Of the batch at hand: the lanes of the events that one invariant needs. */
  #places = new Int32Array(0);
  /** Everything found so far, oldest first. */
  readonly violations: Violation[] = [];
  events = 0;
  lost = 0;

  constructor(invariants: readonly Invariant[], objects: ObjectTable, clockErrorNs = CLOCK_ERROR_NS) {
    this.#runners = invariants.map((invariant) => new Runner(invariant, objects, clockErrorNs, this.#found));
  }

  /** Checks the next batch; returns what it found, in the order of the offending events. */
  check(batch: Batch): readonly Violation[] {
    const missing = this.#once.mark(batch);
    const { lanes, slots } = batch;
    this.events += slots;
    for (const at of missing)
      if (((lanes[at + HEAD.kindFlags] as number) & 0xffff) === GAP_KIND)
        this.lost += (lanes[at + 8] as number) + (lanes[at + 9] as number) * 0x1_0000_0000;
    const { kinds } = this.#once;
    if (this.#places.length < slots) this.#places = new Int32Array(slots);
    const places = this.#places;
    for (const runner of this.#runners) {
      let from = 0;
      for (const at of missing) {
        runner.run(lanes, kinds, places, from, at / LANES);
        runner.gap();
        from = at / LANES;
      }
      runner.run(lanes, kinds, places, from, slots);
    }
    if (this.#found.length === 0) return this.#found;
    const found = this.#found.splice(0).sort(byPlace);
    this.violations.push(...found);
    return found;
  }

  /** Reports of ring entries that repeated an earlier one, and entries that no probe saw. */
  get positions(): { repeated: number; unseen: number } {
    return { repeated: this.#once.repeated, unseen: this.#once.unseen };
  }

  counts(): Record<string, InvariantCounts> {
    return Object.fromEntries(this.#runners.map((runner) => [runner.invariant.name, { ...runner.tally }]));
  }
}

/** Lists the lanes of the slots whose kind is wanted; returns how many. */
function select(kinds: Int32Array, wanted: Int32Array, places: Int32Array, from: number, end: number): number {
  let found = 0;
  for (let slot = from; slot < end; slot++) {
    if (wanted[kinds[slot] as number] === 0) continue;
    places[found] = slot * LANES;
    found = (found + 1) | 0;
  }
  return found;
}

/** By time, then CPU, then sequence, then name: the same order however the batches were cut. */
function byPlace(a: Violation, b: Violation): number {
  return (
    a.at.ts - b.at.ts || a.at.cpu - b.at.cpu || a.at.seq - b.at.seq || (a.invariant < b.invariant ? -1 : 1)
  );
}
