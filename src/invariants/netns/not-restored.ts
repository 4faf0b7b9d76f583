// A thread that visits a namespace goes back before it serves other work or ends.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { type Stay, THREAD_KINDS, type Thread, Threads } from './_threads.ts';
import { describeRequest, describeThread } from './_words.ts';

const ENODEV = -19;
/** A thread that has asked for nothing for so long was waiting for its next piece of work. */
const IDLE_NS = 1e9;
const PROCESSES_MAX = 1024;
const NAMES_MAX = 64;

/** What a thread did during its stay. */
interface Work {
  last: EventRef;
  readonly asked: Set<string>;
}

class NotRestored implements Stepper {
  readonly #context: InvariantContext;
  readonly #threads: Threads;
  readonly #work = new WeakMap<Stay, Work>();
  /** By thread: the namespace it made last, which is nobody else's. */
  readonly #made: RecentMap<string>;
  /** By process, least recently touched first: names of interfaces that it found in its own namespace. */
  readonly #found = new Map<number, Set<string>>();

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#threads = new Threads(context);
    this.#made = new RecentMap(context);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.netns_request:
        return this.#request(event);
      case KIND.netns_create:
        return this.#made.set(String(event.tid), event.text('netns'));
      case KIND.netns_exec:
        this.#found.delete(event.pid);
        this.#threads.step(event);
        return;
      default: {
        const { ended } = this.#threads.step(event);
        if (ended?.stay) this.#end(event, ended, ended.stay);
        if (event.kindNumber !== KIND.netns_thread_exit) return;
        this.#made.delete(String(event.tid));
        if (event.tid === event.pid) this.#found.delete(event.pid);
      }
    }
  }

  gap(): void {
    this.#threads.clear();
    this.#found.clear();
    this.#made.forget();
  }

  /** Its runtime may end it on purpose, so that nothing else is served there: a warning. */
  #end(event: EventView, { tid, process }: Thread, { netns, from, ref }: Stay): void {
    const processEnds = event.u32('threads') <= 1 || tid === process;
    if (processEnds || event.text('netns') !== netns || event.text('home') === netns) return;
    if (this.#made.get(String(tid)) === netns) return;
    this.#context.violate({
      object: describeThread(tid, process),
      sentence: `${describeThread(tid, process)} ended inside netns ${netns}, which it had entered from netns ${from}, without going back`,
      evidence: [ref],
      severity: 'warning',
    });
  }

  #request(event: EventView): void {
    const name = event.text('name');
    const netns = event.text('netns');
    const home = event.text('home');
    const result = event.u32('result');
    const socket = event.text('socket_netns');
    if (name !== '' && result === 0 && socket === home) this.#find(event.pid, name);
    const thread = this.#threads.get(event.tid);
    const work = this.#workOf(thread);
    if (!thread?.stay || !work || thread.stay.netns !== netns || socket !== netns) return;
    const { stay } = thread;
    const idle = event.ts - work.last.ts;
    const isNew = name !== '' && !work.asked.has(name);
    const isOthers = netns !== home && event.tid !== event.pid && this.#found.get(event.pid)?.has(name);
    if (idle >= IDLE_NS && isNew && result === ENODEV && isOthers)
      this.#context.violate({
        object: describeThread(event.tid, event.pid),
        sentence: `${describeThread(event.tid, event.pid)} asked for ${describeRequest(event)} in netns ${netns} and got ENODEV, after ${(idle / 1e9).toFixed(1)} s without work: it had entered netns ${netns} from netns ${stay.from} and not gone back, and ${name} is in netns ${home}`,
        evidence: work.last === stay.ref ? [stay.ref] : [stay.ref, work.last],
      });
    work.last = event.ref();
    if (name !== '' && work.asked.size < NAMES_MAX) work.asked.add(name);
  }

  #workOf(thread: Thread | undefined): Work | undefined {
    const stay = thread?.stay;
    if (!stay) return undefined;
    let work = this.#work.get(stay);
    if (!work) this.#work.set(stay, (work = { last: stay.ref, asked: new Set() }));
    return work;
  }

  #find(process: number, name: string): void {
    const names = this.#found.get(process) ?? new Set();
    this.#found.delete(process);
    this.#found.set(process, names);
    if (names.size < NAMES_MAX) names.add(name);
    if (this.#found.size <= PROCESSES_MAX) return;
    for (const oldest of this.#found.keys()) {
      this.#found.delete(oldest);
      this.#context.evicted();
      return;
    }
  }
}

export default defineInvariant({
  name: 'netns.not-restored',
  claim:
    'a thread that has entered a namespace goes back before it serves other work of its process; and before it ends, unless it made the namespace',
  object: 'thread',
  source: "setns(2): a namespace is the thread's until it leaves it; a pool of threads knows nothing of that",
  needs: [...THREAD_KINDS, 'netns_create', 'netns_request'],
  picture: [
    { from: 'at home', event: 'netns_enter', to: 'visiting' },
    { from: 'visiting', event: 'netns_request', to: 'visiting' },
    { from: 'visiting', event: 'netns_enter', to: 'at home' },
    { from: 'at home', event: 'netns_thread_exit', to: 'ended' },
    { from: 'at home', event: 'netns_create', to: 'in a namespace it made' },
    { from: 'in a namespace it made', event: 'netns_thread_exit', to: 'ended' },
  ],
  start: (context) => new NotRestored(context),
});
