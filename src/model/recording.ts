// What a recording says about itself besides its events; stored as JSON in the Parquet footer.

import type { RecordLayout } from './layout.ts';
import type { ObjectEntry } from './objects.ts';
import type { InvariantCounts, Violation } from './violation.ts';

/** Two readings of the kernel's clock on different CPUs can't be ordered below this, in ns. */
export const CLOCK_ERROR_NS = 500;

/** How one probe was attached, or why it was not. */
export interface ProbeCoverage {
  readonly probe: string;
  readonly path: string;
  readonly target: string;
  readonly method: 'fentry' | 'fexit' | 'kprobe' | 'kretprobe' | 'raw_tp' | 'tp' | 'uprobe' | null;
  readonly status: 'attached' | 'missing' | 'inlined' | 'refused';
  /** In words, with errno, when it is not attached by the first choice. */
  readonly reason: string | null;
  /** Of an imported recording, whose probes are not flightring's: the kinds of event that it was made into. */
  readonly kinds?: readonly string[];
}

/** What one CPU's ring held of one path when it was frozen. */
export interface CpuWindow {
  readonly cpu: number;
  /** Not in recordings made before each path had its share of the rings: of all paths together. */
  readonly path?: string;
  /** ns of the first and last event held; null if it held none. */
  readonly firstTs: number | null;
  readonly lastTs: number | null;
  readonly events: number;
  /** Slots overwritten since the bank was last armed: history that no longer is here. */
  readonly overwritten: number;
}

export interface FreezeFacts {
  readonly cause: 'violation' | 'tripwire' | 'signal' | 'exit' | 'library';
  /** ns of the offending event (or of the command) and of the moment the bank was flipped. */
  readonly offendingTs: number | null;
  readonly flippedTs: number;
  /** flippedTs - offendingTs minus the contracted time after; null without an offending event. */
  readonly latencyNs: number | null;
  /** Events that overwrote older ones between the offending event and the flip. */
  readonly overwrittenMeanwhile: number;
  readonly requested: {
    readonly lastEvents: number | null;
    readonly beforeNs: number | null;
    readonly afterNs: number;
  };
  readonly window: readonly CpuWindow[];
}

/** What the programs of one path cost; reckoned up from what was sampled. */
export interface PathCost {
  readonly path: string;
  readonly runs: number;
  readonly ns: number;
}

/** The same of one probe, its programs together. One that never ran has none. */
export interface ProbeCost {
  readonly probe: string;
  readonly runs: number;
  readonly ns: number;
}

/** What recording cost, from when it was armed. */
export interface RecordingCosts {
  readonly wallNs: number;
  /** ns in which the kernel counted runs and run time of programs; 0 if it never did. */
  readonly sampledNs: number;
  /** Programs in the kernel, run by whoever caused the event. */
  readonly paths: readonly PathCost[];
  /** Not in older recordings. */
  readonly probes?: readonly ProbeCost[];
  /** CPU time of the recorder's own process, all its threads, ns. */
  readonly processNs: number;
}

/** A command name that a thread had from `ts` on. */
export interface ThreadName {
  readonly tid: number;
  readonly ts: number;
  readonly comm: string;
}

/** What a shrunk recording was made from. */
export interface ShrunkFacts {
  /** Name of the file. */
  readonly from: string;
  /** Events and objects that were left out. */
  readonly eventsRemoved: number;
  readonly objectsRemoved: number;
}

export interface RecordingMeta {
  readonly format: 1;
  readonly flightring: string;
  readonly createdAt: string;
  readonly kernel: { readonly release: string; readonly machine: string; readonly cpus: number };
  /** The same instant on both clocks, ns as decimal strings. */
  readonly clocks: { readonly monotonicNs: string; readonly realtimeNs: string; readonly errorNs: number };
  readonly layouts: readonly RecordLayout[];
  readonly objects: readonly ObjectEntry[];
  readonly threads: readonly ThreadName[];
  readonly coverage: readonly ProbeCoverage[];
  readonly freeze: FreezeFacts | null;
  readonly invariants: readonly { readonly name: string; readonly version: number }[];
  /** The live verdict on exactly these events. */
  readonly violations: readonly Violation[];
  /** Those of `violations` whose history lies before the window, so that replaying these events can't find them. */
  readonly outOfWindow?: readonly Violation[];
  readonly counts: Readonly<Record<string, InvariantCounts>>;
  readonly loss: {
    readonly overwritten: number;
    readonly recursionMisses: number;
    readonly objectsDropped: number;
    readonly windowlessViolations: number;
  };
  /** Records in front of and among the events that say what existed; they are no events. */
  readonly snapshot?: { readonly records: number };
  /** Up to the freeze. */
  readonly costs?: RecordingCosts;
  /** Only in a recording that was made from another one by leaving out all that a violation doesn't need. */
  readonly shrunk?: ShrunkFacts;
  readonly notes: readonly string[];
}
