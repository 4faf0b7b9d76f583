// Runs invariants over batches of events in total order and collects what they find, the same live and offline.

import { EventView } from '../decode/event-view.ts';
import { Once } from '../decode/once.ts';
import { KIND, LAYOUTS } from '../generated/layouts.ts';
import { type Batch, GAP_KIND, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { ObjectTable } from '../model/objects.ts';
import { CLOCK_ERROR_NS } from '../model/recording.ts';
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
/** Slots that one pass takes: they stay in a processor's second cache while all invariants read them. */
const PIECE_SLOTS = 1024;

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
    this.#loop = compileLoop();
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
    // Gaps and what is nobody's event share a number (Once.kinds); an invariant hears of gaps by gap().
    for (const kind of neededKinds(invariant)) {
      const number = (KIND as Record<string, number>)[kind] ?? GAP_KIND;
      if (number !== GAP_KIND) this.#wanted[number] = 1;
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

  /** Checks slots [from, end), whose kinds are given. */
  run(lanes: Uint32Array, kinds: Int32Array, from: number, end: number): void {
    this.tally.checked += this.#table
      ? this.#table.run(lanes, kinds, from, end)
      : this.#loop(this.#stepper as Stepper, this.#view, lanes, kinds, this.#wanted, from, end);
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
      severity: finding.severity ?? this.#severity,
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
  /** Everything found so far, oldest first. */
  readonly violations: Violation[] = [];
  events = 0;
  lost = 0;

  constructor(invariants: readonly Invariant[], objects: ObjectTable, clockErrorNs = CLOCK_ERROR_NS) {
    this.#runners = invariants.map((invariant) => new Runner(invariant, objects, clockErrorNs, this.#found));
  }

  /** Checks the next batch; returns what it found, in the order of the offending events. */
  check(batch: Batch): readonly Violation[] {
    const { slots } = batch;
    this.events += slots;
    for (let from = 0; from < slots; from += PIECE_SLOTS)
      this.#checkPiece(batch, from, Math.min(from + PIECE_SLOTS, slots));
    if (this.#found.length === 0) return this.#found;
    const found = this.#found.splice(0).sort(byPlace);
    this.violations.push(...found);
    return found;
  }

  #checkPiece(batch: Batch, first: number, end: number): void {
    const missing = this.#once.mark(batch, first, end);
    const { lanes } = batch;
    for (const at of missing)
      if (((lanes[at + HEAD.kindFlags] as number) & 0xffff) === GAP_KIND)
        this.lost += (lanes[at + 8] as number) + (lanes[at + 9] as number) * 0x1_0000_0000;
    const { kinds } = this.#once;
    for (const runner of this.#runners) {
      let from = first;
      for (const at of missing) {
        runner.run(lanes, kinds, from, at / SLOT_LANES);
        runner.gap();
        from = at / SLOT_LANES;
      }
      runner.run(lanes, kinds, from, end);
    }
  }

  /** Reports of ring entries that repeated an earlier one, and entries that no probe saw. */
  get positions(): { repeated: number; unseen: number } {
    return { repeated: this.#once.repeated, unseen: this.#once.unseen };
  }

  counts(): Record<string, InvariantCounts> {
    return Object.fromEntries(this.#runners.map((runner) => [runner.invariant.name, { ...runner.tally }]));
  }
}

/** By time, then CPU, then sequence, then name: the same order however the batches were cut. */
function byPlace(a: Violation, b: Violation): number {
  return (
    a.at.ts - b.at.ts ||
    a.at.cpu - b.at.cpu ||
    a.at.seq - b.at.seq ||
    Number(a.invariant > b.invariant) - Number(a.invariant < b.invariant)
  );
}
