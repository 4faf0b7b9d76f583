// Names of threads over time: a start-up snapshot of /proc, then every creation, rename and exec.

import { readdirSync, readFileSync } from 'node:fs';
import { EventView } from '../decode/event-view.ts';
import { KIND } from '../generated/layouts.ts';
import type { ThreadName } from '../model/recording.ts';
import { type Batch, HEAD, SLOT_LANES } from '../model/slot.ts';

/** Names kept; the oldest leave first. */
const NAMES_MAX = 65_536;

export class Threads {
  #names: ThreadName[] = [];
  readonly #view = new EventView();

  /** Reads the names of all threads that exist now; they count from the beginning of time. */
  snapshot(): void {
    const names: ThreadName[] = [];
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        for (const tid of readdirSync(`/proc/${pid}/task`)) {
          const comm = readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trimEnd();
          names.push({ tid: Number(tid), ts: 0, comm });
        }
      } catch {
        // It ended while we looked: whatever it was called came by as an event.
      }
    }
    this.#names = [...names, ...this.#names];
  }

  /** Learns from a batch of events. */
  learn(batch: Batch): void {
    const { lanes } = batch;
    const end = batch.slots * SLOT_LANES;
    for (let at = 0; at < end; at += SLOT_LANES) {
      if (((lanes[at + HEAD.kindFlags] as number) & 0xffff) !== KIND.task_comm) continue;
      if ((lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
      const view = this.#view.move(lanes, at);
      this.#names.push({ tid: view.u32('thread'), ts: view.ts, comm: view.text('comm') });
    }
    if (this.#names.length > NAMES_MAX * 2) this.#names.splice(0, this.#names.length - NAMES_MAX);
  }

  all(): ThreadName[] {
    return this.#names.slice(-NAMES_MAX);
  }
}
