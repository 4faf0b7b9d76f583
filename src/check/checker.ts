// Runs invariants over batches of events in total order and collects what they find, the same live and offline.

import { EventView } from '../decode/event-view.ts';
import { type Break, gapPath, Once } from '../decode/once.ts';
import { type ShareSet, sharesOf } from '../decode/shares.ts';
import { KIND, LANE, LAYOUTS } from '../generated/layouts.ts';
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
import { loopOf, type StepLoop } from './loop.ts';
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
  /** The shares of the rings that it gets events from: holes in the others are none of its business. */
  readonly #shares: ShareSet;
  /** Events checked up to the last gap. */
  #before = 0;

  constructor(invariant: Invariant, objects: ObjectTable, clockErrorNs: number, found: Violation[]) {
    this.invariant = invariant;
    this.#found = found;
    this.#severity = severityOf(invariant);
    this.#loop = loopOf(invariant);
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
    const needed = neededKinds(invariant);
    this.#shares = sharesOf(needed);
    for (const kind of needed) {
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

  /** Checks slots [first, end) but where events that it needs are missing; `blind`: of these shares, at the beginning. */
  pass(
    lanes: Uint32Array,
    kinds: Int32Array,
    [first, end]: readonly [number, number],
    breaks: readonly Break[],
    blind: ShareSet,
  ): void {
    let from = first;
    let unseen = blind & this.#shares;
    for (const next of breaks) {
      const hidden = next.blind & this.#shares;
      if (!(next.forget & this.#shares) && hidden === unseen) continue;
      const to = next.at / SLOT_LANES;
      if (unseen === 0) this.#run(lanes, kinds, from, to);
      if (next.forget & this.#shares) this.#gap();
      from = to;
      unseen = hidden;
    }
    if (unseen === 0) this.#run(lanes, kinds, from, end);
  }

  #run(lanes: Uint32Array, kinds: Int32Array, from: number, end: number): void {
    this.tally.checked += this.#table
      ? this.#table.run(lanes, kinds, from, end)
      : this.#loop(this.#stepper as Stepper, this.#view, lanes, kinds, this.#wanted, from, end);
  }

  #gap(): void {
    // Of what nothing was known nothing can be forgotten.
    if (this.tally.checked === this.#before) return;
    this.#before = this.tally.checked;
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
  /** By path what was lost of it; '' for what an old recording doesn't say the path of. */
  readonly lostOf = new Map<string, number>();

  constructor(invariants: readonly Invariant[], objects: ObjectTable, clockErrorNs = CLOCK_ERROR_NS) {
    this.#runners = invariants.map((invariant) => new Runner(invariant, objects, clockErrorNs, this.#found));
  }

  /** Checks the next batch; returns what it found, in the order of the offending events. */
  check(batch: Batch): readonly Violation[] {
    const { slots } = batch;
    this.events += slots + (batch.skipped ?? 0);
    for (let from = 0; from < slots; from += PIECE_SLOTS)
      this.#checkPiece(batch, from, Math.min(from + PIECE_SLOTS, slots));
    if (this.#found.length === 0) return this.#found;
    const found = this.#found.splice(0).sort(byPlace);
    this.violations.push(...found);
    return found;
  }

  #checkPiece(batch: Batch, first: number, end: number): void {
    const { blind } = this.#once;
    const breaks = this.#once.mark(batch, first, end);
    const { lanes } = batch;
    for (const { at } of breaks)
      if (((lanes[at + HEAD.kindFlags] as number) & 0xffff) === GAP_KIND) this.#countLoss(lanes, at);
    const { kinds } = this.#once;
    for (const runner of this.#runners) runner.pass(lanes, kinds, [first, end], breaks, blind);
  }

  #countLoss(lanes: Uint32Array, at: number): void {
    const lost =
      (lanes[at + LANE.gap.lost] as number) + (lanes[at + LANE.gap.lost + 1] as number) * 0x1_0000_0000;
    if (lost === 0) return;
    const path = gapPath(lanes, at);
    this.lost += lost;
    this.lostOf.set(path, (this.lostOf.get(path) ?? 0) + lost);
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
