// The names that threads have in a trace.

import type { ThreadName } from '../model/recording.ts';

/** Names kept; a trace with more has a few threads without one. */
const NAMES_MAX = 100_000;
/** What ftrace prints for a thread whose name it has forgotten. */
const UNKNOWN = '<...>';

export class Threads {
  readonly #last = new Map<number, string>();
  readonly names: ThreadName[] = [];
  /** Names beyond what is kept. */
  left = 0;

  note(tid: number, comm: string, ts: number): void {
    if (this.#last.get(tid) === comm || comm === UNKNOWN || comm === '' || tid === 0) return;
    if (this.names.length >= NAMES_MAX) {
      this.left++;
      return;
    }
    // The first name holds from the beginning: the lines need not be in the order of time.
    this.names.push({ tid, ts: this.#last.has(tid) ? ts : 0, comm });
    this.#last.set(tid, comm);
  }
}
