// Follows threads through namespaces: which one each has entered by itself, and which clone put it where it is.

import type { InvariantContext } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';

const THREADS_MAX = 16_384;

/** A process's own namespace once its first thread has ended: nobody knows then (kernel/exit.c: exit_task_namespaces). */
export const GONE = '0';

/** Kinds that the following needs. */
export const THREAD_KINDS = ['netns_enter', 'netns_fork', 'netns_exec', 'netns_thread_exit'] as const;

/** A stay in a namespace that a thread entered by itself. */
export interface Stay {
  readonly netns: string;
  /** The namespace it came from and is expected to go back to. */
  readonly from: string;
  readonly ref: EventRef;
}

/** The clone that put a thread into a namespace its creator had entered. */
export interface Placed {
  readonly netns: string;
  /** The thread that had entered the namespace; and the one that made this thread, if that isn't the same. */
  readonly creator: number;
  readonly cloner: number;
  readonly clone: EventRef;
  /** The creator's stay; undefined if it had begun before the recording. */
  readonly stay: Stay | undefined;
  /** The creator was its process's first thread: while it is there, the whole process counts as there. */
  readonly byLeader: boolean;
  /** The event by which the creator went back. */
  left?: EventRef;
}

export interface Thread {
  readonly tid: number;
  readonly process: number;
  stay?: Stay;
  placed?: Placed;
  /** Threads that it made where it is now, by tid. */
  readonly made: Set<number>;
}

/** What one event changed, for the invariant that asked. */
export interface Change {
  /** The thread made, if its creator was in a namespace that it had entered, or in another than its process. */
  readonly placed?: Thread;
  /** Threads that stay behind in a namespace that their creator has just left. */
  readonly stranded?: readonly Thread[];
  /** The thread that ends, as it was. */
  readonly ended?: Thread;
}

const NOTHING: Change = {};

export class Threads {
  readonly #context: InvariantContext;
  /** Least recently touched first. */
  readonly #threads = new Map<number, Thread>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#threads.size;
  }

  clear(): void {
    this.#context.unknown(this.#threads.size);
    this.#threads.clear();
  }

  /** What is known of a thread; it counts as touched. */
  get(tid: number): Thread | undefined {
    const thread = this.#threads.get(tid);
    if (thread) {
      this.#threads.delete(tid);
      this.#threads.set(tid, thread);
    }
    return thread;
  }

  step(event: EventView): Change {
    switch (event.kindNumber) {
      case KIND.netns_enter:
        return this.#enter(event);
      case KIND.netns_fork:
        return this.#fork(event);
      case KIND.netns_exec:
        // A program begins anew: where it is, is its own namespace.
        this.#threads.delete(event.tid);
        return NOTHING;
      case KIND.netns_thread_exit:
        return this.#exit(event);
      default:
        return NOTHING;
    }
  }

  #exit(event: EventView): Change {
    const ended = this.#threads.get(event.tid);
    if (!ended) return NOTHING;
    this.#threads.delete(event.tid);
    if (ended.placed) this.#threads.get(ended.placed.creator)?.made.delete(ended.tid);
    return { ended };
  }

  #enter(event: EventView): Change {
    const thread = this.get(event.tid) ?? this.#add({ tid: event.tid, process: event.pid, made: new Set() });
    const netns = event.text('netns');
    const from = event.text('from');
    // From here on it is where it wants to be.
    delete thread.placed;
    const atHome = event.tid !== event.pid && netns === event.text('home');
    if (netns === thread.stay?.from || atHome) {
      delete thread.stay;
      return { stranded: this.#strand(thread, event) };
    }
    thread.stay = { netns, from: thread.stay?.from ?? from, ref: event.ref() };
    return NOTHING;
  }

  /** Those whom a thread made where it was, and who are still there now that it has gone back. */
  #strand(thread: Thread, event: EventView): Thread[] {
    const stranded: Thread[] = [];
    for (const tid of thread.made) {
      const child = this.#threads.get(tid);
      if (child?.placed?.creator !== thread.tid || child.placed.netns === event.text('netns')) continue;
      child.placed.left = event.ref();
      stranded.push(child);
    }
    thread.made.clear();
    return stranded;
  }

  #fork(event: EventView): Change {
    const tid = event.u32('thread');
    const process = event.u32('process');
    this.#threads.delete(tid);
    // A new process is where it was put on purpose: `ip netns exec`, a container's first process, a helper.
    if (process !== event.pid) return NOTHING;
    const creator = this.get(event.tid);
    const netns = event.text('netns');
    const byLeader = event.tid === event.pid;
    const away = creator?.stay?.netns === netns;
    const home = event.text('home');
    const abroad = home !== GONE && netns !== home;
    if (!away && !abroad) return NOTHING;
    // One made by a thread that was itself put there has the same origin.
    const inherited = away ? undefined : creator?.placed;
    const clone = event.ref();
    const placed: Placed = inherited
      ? { ...inherited, cloner: event.tid, clone }
      : { netns, creator: event.tid, cloner: event.tid, clone, stay: creator?.stay, byLeader };
    const thread = this.#add({ tid, process, placed, made: new Set() });
    // A creator unknown till now was inside before the recording began.
    const owner =
      this.#threads.get(placed.creator) ??
      this.#add({ tid: placed.creator, process: event.pid, made: new Set() });
    owner.made.add(tid);
    return { placed: thread };
  }

  #add(thread: Thread): Thread {
    this.#threads.set(thread.tid, thread);
    if (this.#threads.size > THREADS_MAX)
      for (const oldest of this.#threads.keys()) {
        this.#threads.delete(oldest);
        this.#context.evicted();
        break;
      }
    return thread;
  }
}
