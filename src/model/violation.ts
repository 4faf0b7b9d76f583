// What a check says: violations in one sentence each, with the events behind them.

/** The place of one event: unique inside a recording by (cpu, seq). */
export interface EventRef {
  readonly cpu: number;
  readonly seq: number;
  /** ns of CLOCK_MONOTONIC. */
  readonly ts: number;
  readonly kind: string;
}

export type Severity = 'violation' | 'warning';

export interface Violation {
  readonly invariant: string;
  readonly severity: Severity;
  /** It holds only in the order recorded: the deciding events lie closer together than the clock can order. */
  readonly orderDependent: boolean;
  /** The object it concerns, in the words used by `--object`. */
  readonly object: string;
  /** One sentence with the values in it. */
  readonly sentence: string;
  /** The event that broke it. */
  readonly at: EventRef;
  /** The events behind it, oldest first, the offending one last. */
  readonly evidence: readonly EventRef[];
}

/** What a whole check found. */
export interface CheckSummary {
  readonly events: number;
  readonly violations: readonly Violation[];
  /** Per invariant: how often it fired, how many events it couldn't place, objects evicted, objects made unknown by gaps. */
  readonly counts: Readonly<Record<string, InvariantCounts>>;
  /** Events lost in front of or inside what was checked. */
  readonly lost: number;
}

export interface InvariantCounts {
  readonly checked: number;
  readonly fired: number;
  readonly unplaced: number;
  readonly evicted: number;
  readonly unknown: number;
}
