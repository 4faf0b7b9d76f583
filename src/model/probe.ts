// What a path's probes are and mean: the kernel functions they sit on, and how to print their events.

/** One probe: a program of bpf/probes in one or more variants (`NAME__fentry`, `NAME__kprobe`, …). */
export interface Probe {
  /** Name of the programs without the method, for example `xsk_bind`. */
  readonly name: string;
  /** Kernel function or tracepoint. */
  readonly target: string;
  /** The kernel module that `target` is in, where it is one everywhere; without it loaded there is nothing to attach to. */
  readonly module?: string;
  /** The kinds of event it writes. */
  readonly writes: readonly string[];
  /**
   * Name of the probe that takes its place where this one can't be attached: the same event at another function, for
   * kernels that have renamed or inlined this one. Coverage shows one line for both, with the function that was taken.
   */
  readonly orElse?: string;
  /** Name of the probe beside which this one has nothing to tell: it is attached only where that one can't be. */
  readonly unless?: string;
  /** The path that it pays for, where that is not its own: without that one it is not attached. */
  readonly onlyWith?: string;
  /** What is lost without it, one clause; `doctor` says it when the kernel refuses. */
  readonly purpose: string;
}

/** The text of numbers whose meaning belongs to a field of a kind. */
export type Vocabulary = Readonly<Record<string, Readonly<Record<number, string>>>>;

/**
 * A kind that says what exists: no probe writes it, but user space, from a dump made once the probes are attached. From
 * it, and from the events that follow, the state at the beginning of any window can be told.
 */
export interface SnapshotKind {
  /** For example `neigh_exists`. */
  readonly kind: string;
  /** Its fields that name the object; the events below have fields of the same names. */
  readonly key: readonly string[];
  /**
   * Kinds of event by which the object comes to be, changes, and ends. Fields of the same name are taken over; others by
   * `{ field of this kind: field of the event }`.
   */
  readonly madeBy: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly changedBy: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Of an object that an event makes: values of fields that the event hasn't got, where they aren't 0. */
  readonly initially?: Readonly<Record<string, number>>;
  readonly endedBy: readonly string[];
}

export interface ProbePath {
  readonly path: string;
  readonly title: string;
  readonly probes: readonly Probe[];
  /** What of this path is dumped at the start. */
  readonly snapshot?: readonly SnapshotKind[];
  /** One clause per kind, for people: `frame put into FILL by the application`. */
  readonly kinds: Readonly<Record<string, string>>;
  /** By `kind.field` or `field`: number → text. */
  readonly words: Vocabulary;
  /** By kind: text of the kind's own flag bits (0x0100 and up). */
  readonly flags: Readonly<Record<string, Readonly<Record<number, string>>>>;
}

/** Paths that only say more about the others: names of threads, and marks, which are recorded when asked for. */
export const SIDE_PATHS: readonly string[] = ['task', 'mark'];
