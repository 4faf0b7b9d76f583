// What the threads of a recorder say to each other.

import type { CpuWindow, FreezeFacts, ThreadName } from '../model/recording.ts';
import type { InvariantCounts, Violation } from '../model/violation.ts';
import type { DumpLink } from './snapshot/dump-thread.ts';
import type { SnapshotFacts } from './snapshot/opening.ts';

/** Commands to the checker, bits of word 0 of a shared Int32Array: its event loop doesn't turn. */
export const COMMAND = { none: 0, freeze: 1, stop: 2, rearm: 4 } as const;

export type FreezeCause = FreezeFacts['cause'];

/** When the checker freezes. */
export interface FreezePlan {
  readonly freezeOn: 'violation' | 'warning' | 'none';
  readonly afterNs: number;
}

/** Sent along with the command to arm again. */
export interface RearmOrder extends FreezePlan {
  /** Orders are numbered from 1 on: a later one stands for those before it. */
  readonly number: number;
}

/** What the checker thread is started with. */
export interface CheckerStart extends FreezePlan {
  readonly handle: number;
  readonly cpus: number;
  readonly command: SharedArrayBuffer;
  readonly invariants: readonly string[];
  /** A module with a user's own invariants. */
  readonly modules: readonly string[];
  /** After a freeze, wait for the order before the next. */
  readonly rearmByHand: boolean;
  /** Bits of the tripwires that may freeze. */
  readonly tripwires: number;
  /** On stop, what is held becomes a recording. */
  readonly exportOnStop: boolean;
  readonly lookForSockets: boolean;
  /** Slots of all rings of one bank. */
  readonly slots: number;
  /** Where the dump of what exists comes from, if there is one. */
  readonly snapshot?: DumpLink;
}

/** A bank was flipped and everything in it has been checked. */
export interface Frozen {
  readonly type: 'frozen';
  readonly bank: number;
  readonly cause: FreezeCause;
  readonly offendingTs: number | null;
  readonly flippedTs: number;
  /** Found in the events since the bank was armed, oldest first. */
  readonly violations: readonly Violation[];
  readonly threads: readonly ThreadName[];
  readonly counts: Readonly<Record<string, InvariantCounts>>;
  readonly snapshot?: SnapshotFacts;
}

export interface Figures {
  readonly events: number;
  readonly lost: number;
  /** By path what was lost of it. */
  readonly lostOf: Readonly<Record<string, number>>;
  readonly repeated: number;
  readonly unseen: number;
  readonly violations: number;
  readonly warnings: number;
  /** Violations found while both banks were in use: they have no recording of their own. */
  readonly windowless: number;
  /** Tripwires that fired without an invariant agreeing. */
  readonly unconfirmedTrips: number;
  readonly counts: Readonly<Record<string, InvariantCounts>>;
}

export type FromChecker =
  | { readonly type: 'ready' }
  /** What existed before recording is known now, as far as it can be. */
  | { readonly type: 'snapshot'; readonly records: number; readonly notes: readonly string[] }
  | { readonly type: 'violations'; readonly violations: readonly Violation[]; readonly windowless: boolean }
  | Frozen
  /** A tripwire froze a bank and no invariant agreed: the bank is free again. */
  | { readonly type: 'unconfirmed'; readonly bank: number }
  /** By order: what the bank held has been checked, and the bank is free again. */
  | { readonly type: 'rearmed'; readonly number: number; readonly bank: number; readonly figures: Figures }
  | { readonly type: 'end'; readonly figures: Figures };

/** One export: the frozen bank, what is known of it, and where it goes. */
export interface ExportOrder {
  readonly handle: number;
  readonly cpus: number;
  readonly bank: number;
  /** Per CPU and share, the slots claimed when the bank was armed. */
  readonly starts: BigUint64Array;
  readonly fromNs: number;
  readonly lastEvents: number | null;
  /** The file's path without its ending. */
  readonly path: string;
  readonly meta: string;
  readonly invariants: readonly string[];
  readonly modules: readonly string[];
  readonly snapshot?: SnapshotFacts;
}

/** `path` is that of the order. */
export type FromExporter =
  | { readonly type: 'ready' }
  /** The raw bank is on disk: the ring may be written again. */
  | {
      readonly type: 'saved';
      readonly path: string;
      readonly bank: number;
      readonly raw: string;
      readonly ms: number;
    }
  | {
      readonly type: 'exported';
      readonly path: string;
      readonly parquet: string;
      readonly rows: number;
      readonly bytes: number;
      readonly ms: number;
      readonly window: readonly CpuWindow[];
    }
  | {
      readonly type: 'failed';
      readonly path: string;
      readonly bank: number;
      readonly message: string;
      readonly code: string;
      readonly raw: string | null;
    };
