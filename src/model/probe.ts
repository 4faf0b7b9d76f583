// What a path's probes are and mean: the kernel functions they sit on, and how to print their events.

import type { FieldType } from './layout.ts';

/** One probe: a program of bpf/probes in one or more variants (`NAME__fentry`, `NAME__kprobe`, …). */
export interface Probe {
  /** Name of the programs without the method, for example `xsk_bind`. */
  readonly name: string;
  /** Kernel function or tracepoint. */
  readonly target: string;
  /** The kinds of event it writes. */
  readonly writes: readonly string[];
  /** What is lost without it, one clause; `doctor` says it when the kernel refuses. */
  readonly purpose: string;
}

/** The text of numbers whose meaning belongs to a field of a kind. */
export type Vocabulary = Readonly<Record<string, Readonly<Record<number, string>>>>;

export interface ProbePath {
  readonly path: string;
  readonly title: string;
  readonly probes: readonly Probe[];
  /** One clause per kind, for people: `frame put into FILL by the application`. */
  readonly kinds: Readonly<Record<string, string>>;
  /** By `kind.field` or `field`: number → text. */
  readonly words: Vocabulary;
  /** By kind: text of the kind's own flag bits (0x0100 and up). */
  readonly flags: Readonly<Record<string, Readonly<Record<number, string>>>>;
}

/** Paths that only say more about the others: names of threads, and marks, which are recorded when asked for. */
export const SIDE_PATHS: readonly string[] = ['task', 'mark'];

/** Types whose numbers are printed in hexadecimal. */
export const HEX_TYPES: readonly FieldType[] = ['umem_addr', 'bits'];
