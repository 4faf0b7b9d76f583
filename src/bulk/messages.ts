// What the threads that check recordings and whoever started them say to each other.

import { FlightringError } from '../model/errors.ts';
import type { RecordingCheck } from '../pipeline.ts';
import type { RecordingFacts } from '../recording/open.ts';

/** Why a recording could not be checked. */
export interface CheckFailure {
  /** Stable: that of the error, `THREAD_FAILED` if the checking thread came to an end, `INTERNAL` for an error of ours. */
  readonly code: string;
  readonly message: string;
}

export function failureOf(error: unknown): CheckFailure {
  if (error instanceof FlightringError) return { code: error.code, message: error.message };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'INTERNAL', message: stack };
}

export interface WorkerStart {
  /** Names of built-in invariants; null for those that each recording was made with. */
  readonly invariants: readonly string[] | null;
  readonly modules: readonly string[];
}

export interface ToChecker {
  readonly path: string;
}

export type FromChecker =
  | { readonly type: 'progress'; readonly events: number }
  | {
      readonly type: 'done';
      readonly events: number;
      readonly path: string;
      readonly check: RecordingCheck<RecordingFacts>;
      readonly failure: null;
    }
  | {
      readonly type: 'done';
      readonly events: number;
      readonly path: string;
      readonly check: null;
      readonly failure: CheckFailure;
    };
