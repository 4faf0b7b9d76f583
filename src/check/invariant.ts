// What an invariant is: a claim, the events it needs, and either a table of moves or a step per event.

import type { EventView } from '../decode/event-view.ts';
import type { ObjectTable } from '../model/objects.ts';
import type { EventRef, Severity } from '../model/violation.ts';

/** What both forms of invariant say about themselves. */
interface Claim {
  /** `path.name`, for example `xsk.ownership`. */
  readonly name: string;
  /** One sentence that is true of a healthy system. */
  readonly claim: string;
  /** What its state is kept per, in words: `(umem, frame)`. */
  readonly object: string;
  /** Where it comes from: kernel file, document, RFC, story. */
  readonly source: string;
  /** Default `violation`, which freezes; a `warning` is counted and freezes only when asked to. */
  readonly severity?: Severity;
  /** Raised when the meaning changes; a recording notes it. */
  readonly version?: number;
}

/** A move of one frame that the table does not allow, for the sentence. */
export interface IllegalMove {
  readonly event: EventView;
  readonly from: string;
  readonly to: string;
  /** Index of the umem and byte address of the frame's chunk. */
  readonly umem: number;
  readonly frame: number;
  readonly objects: ObjectTable;
}

/** Declared as data: run as a step table, drawn, documented, and fit to be compiled into a tripwire. */
export interface TableInvariant extends Claim {
  /** How events name the object; `frame`: (umem of the event's `object`, chunk of its `addr`). */
  readonly key: 'frame';
  /** The first is what an object is before anything is known of it, and after a gap: from there everything is legal once. */
  readonly states: readonly [string, ...string[]];
  /** By kind of event: the states it may be met in, and the state it leads to. */
  readonly moves: Readonly<Record<string, { readonly from: readonly string[]; readonly to: string }>>;
  /**
   * A state that an object may have left before the event that says so is written: while more `begun` than `ended` were
   * counted on its umem, an object met in `from` may already be in `as`.
   */
  readonly underWay?: {
    readonly from: string;
    readonly as: string;
    readonly begun: string;
    readonly ended: string;
  };
  readonly sentence: (move: IllegalMove) => string;
}

/** What a step tells when its invariant is broken. */
export interface Finding {
  readonly object: string;
  readonly sentence: string;
  /** The earlier events behind it, oldest first; the present one is added. */
  readonly evidence?: readonly EventRef[];
  readonly orderDependent?: boolean;
  /** Default the invariant's. */
  readonly severity?: Severity;
}

export interface InvariantContext {
  readonly objects: ObjectTable;
  /** Two events on different CPUs closer than this, in ns, may have happened in either order. */
  readonly clockErrorNs: number;
  /** Reports that the present event breaks the invariant. */
  violate(finding: Finding): void;
  /** Counts an event that could not be placed: odd input, never an error. */
  unplaced(): void;
  /** Counts an object that left the bounded state, least recently touched first. */
  evicted(): void;
  /** Counts an object that a gap made unknown. */
  unknown(count?: number): void;
}

export interface Stepper {
  /** Called for every event of the needed kinds, in total order. The view is reused: keep `event.ref()`, never the view. */
  step(event: EventView): void;
  /** History is missing from here on: forget what would be wrong to believe. Default: start again from nothing. */
  gap?(): void;
}

/** Free form: private state in a closure, one step per event. */
export interface StepInvariant extends Claim {
  /** Kinds of event it needs; it sees no others. */
  readonly needs: readonly string[];
  /** States and moves for the documentation, where it has such a shape. */
  readonly picture?: readonly { readonly from: string; readonly event: string; readonly to: string }[];
  start(context: InvariantContext): Stepper;
}

export type Invariant = TableInvariant | StepInvariant;

/** Types and returns an invariant; the one way to declare one. */
export function defineInvariant(invariant: Invariant): Invariant {
  return invariant;
}

export function isTable(invariant: Invariant): invariant is TableInvariant {
  return 'moves' in invariant;
}

/** The kinds of event that an invariant needs. */
export function neededKinds(invariant: Invariant): readonly string[] {
  if (!isTable(invariant)) return invariant.needs;
  const { moves, underWay } = invariant;
  return underWay ? [...Object.keys(moves), underWay.begun] : Object.keys(moves);
}

export function severityOf(invariant: Invariant): Severity {
  return invariant.severity ?? 'violation';
}
