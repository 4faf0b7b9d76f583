// What a page is drawn from: plain data, small enough to be embedded whole; times are ns relative to `base`.

export interface PageData {
  readonly format: 1;
  /** The recording's name without its folder. */
  readonly file: string;
  readonly flightring: string;
  readonly createdAt: string;
  readonly kernel: { readonly release: string; readonly machine: string; readonly cpus: number };
  /** ns of CLOCK_MONOTONIC that times count from: the first violation, or else the first event. */
  readonly base: number;
  /** First and last event; null if there is none. */
  readonly range: readonly [number, number] | null;
  /** Texts of field values, by number. */
  readonly strings: readonly string[];
  readonly kinds: readonly PageKind[];
  readonly threads: readonly PageThread[];
  readonly rows: readonly PageRow[];
  readonly gaps: readonly PageGap[];
  /** Gaps beyond those. */
  readonly gapsLeftOut: number;
  readonly lives: readonly PageLife[];
  readonly violations: readonly PageViolation[];
  /** Violations beyond those. */
  readonly violationsLeftOut: number;
  readonly cpus: readonly PageCpu[];
  /** How many events lie in each of equal parts of `range`. */
  readonly density: {
    readonly bins: number;
    readonly cpus: Readonly<Record<number, readonly number[]>>;
    readonly threads: Readonly<Record<number, readonly number[]>>;
  };
  readonly embedded: Embedded;
  readonly frozenAt: number | null;
  readonly facts: PageFacts;
}

/**
 * An event: time, CPU, sequence number, thread, kind, flags as a string number (-1: none), then a string number for each
 * field of the kind (-1: it hasn't got it).
 */
export type PageRow = readonly number[];

export const ROW = { ts: 0, cpu: 1, seq: 2, thread: 3, kind: 4, flags: 5, fields: 6 } as const;

/** Of records that no CPU wrote: what existed before. */
export const BEFORE_CPU = 0xffff;

export interface PageKind {
  readonly name: string;
  readonly path: string;
  readonly meaning: string;
  readonly fields: readonly string[];
}

export interface PageThread {
  readonly tid: number;
  readonly pid: number;
  readonly comm: string;
}

export interface PageGap {
  readonly cpu: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** One object on its way through rings, tables or states. */
export interface PageLife {
  readonly object: string;
  /** As `flightring show --object` takes it. */
  readonly selector: string;
  /** From top to bottom. */
  readonly stations: readonly string[];
  /** What the stations are, in words. */
  readonly about: string;
  /** Row, station after it (-1: not known), and what else is true there (a MAC, a VTEP) as a string number or -1. */
  readonly points: readonly (readonly [row: number, station: number, detail: number])[];
  /** Events of it before and after those. */
  readonly earlier: number;
  readonly later: number;
}

export interface PageEvidence {
  /** -1: not in the recording. */
  readonly row: number;
  readonly ts: number;
  readonly cpu: number;
  readonly seq: number;
  readonly kind: string;
  readonly meaning: string;
}

export interface PageViolation {
  readonly invariant: string;
  readonly severity: 'violation' | 'warning';
  readonly orderDependent: boolean;
  readonly object: string;
  readonly sentence: string;
  readonly claim: string | null;
  readonly source: string | null;
  /** Its history lies before the window. */
  readonly outOfWindow: boolean;
  readonly at: PageEvidence;
  /** Oldest first, the offending event last. */
  readonly evidence: readonly PageEvidence[];
  /** Indexes of `lives`, its own object first. */
  readonly lives: readonly number[];
  readonly diagram: Diagram | null;
  readonly commands: readonly string[];
}

export interface Diagram {
  readonly states: readonly string[];
  /** Before anything is known every event is legal once. */
  readonly anyFirst: boolean;
  readonly edges: readonly { readonly from: number; readonly to: number; readonly label: string }[];
  /** The move that broke it; `to` null where it leads nowhere in the picture. */
  readonly illegal: {
    readonly from: number;
    readonly to: number | null;
    readonly label: string;
    /** Time ran out in that state: the event only shows it, and is about something else. */
    readonly late: boolean;
  } | null;
}

export interface PageCpu {
  readonly cpu: number;
  readonly events: number;
  /** What its rings held, of all paths together; null if not known. */
  readonly window: readonly [number, number] | null;
}

export interface Embedded {
  readonly events: number;
  readonly of: number;
  /** By kind: how many there are, and how many of them are here. */
  readonly kinds: readonly { readonly kind: string; readonly total: number; readonly here: number }[];
  /** The rule by which they were chosen, a clause each. */
  readonly rules: readonly string[];
  /** What else is not here, a sentence each. */
  readonly leftOut: readonly string[];
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers. */
  readonly right: readonly number[];
}

/** What the recording says of itself, in words. */
export interface PageFacts {
  readonly summary: readonly (readonly [string, string])[];
  readonly window: Table;
  readonly freeze: readonly string[];
  readonly coverage: Table;
  readonly coverageSummary: string;
  readonly invariants: Table;
  readonly costs: readonly string[];
  readonly losses: readonly string[];
  readonly notes: readonly string[];
  /** What is wrong with the file. */
  readonly troubles: readonly string[];
}
