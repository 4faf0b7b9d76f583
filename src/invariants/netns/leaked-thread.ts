// A thread cloned inside a namespace that its creator has only visited stays there: what it asks, it asks in the wrong place.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import { GONE, type Placed, THREAD_KINDS, type Thread, Threads } from './_threads.ts';
import { describeClone, describeFamily, describeRequest, describeResult, describeThread } from './_words.ts';

/** Of netns_socket.netlink: NETLINK_ROUTE; such a socket is judged by its first request, which says more. */
const ROUTE = 0;

class LeakedThread implements Stepper {
  readonly #context: InvariantContext;
  readonly #threads: Threads;
  readonly #told = new WeakSet<Placed>();

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#threads = new Threads(context);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.netns_request:
        return this.#act(event, `asked rtnetlink for ${describeRequest(event)}`, describeResult(event));
      case KIND.netns_socket:
        if (event.u32('netlink') === ROUTE) return;
        return this.#act(event, `made a socket (${describeFamily(event)})`, '');
      default: {
        const { placed, stranded } = this.#threads.step(event);
        if (placed) this.#warn(event, placed);
        // Its creator was the first thread, whose namespace is everybody's: only now is the new one elsewhere.
        for (const thread of stranded ?? []) if (thread.placed?.byLeader) this.#warnLeft(thread);
      }
    }
  }

  gap(): void {
    this.#threads.clear();
  }

  #warn(event: EventView, { tid, process, placed }: Thread): void {
    if (!placed?.stay || placed.byLeader || placed.cloner !== placed.creator) return;
    if (event.text('home') === placed.netns) return;
    this.#context.violate({
      object: describeThread(tid, process),
      sentence: `${describeThread(placed.creator, process)} cloned thread ${tid} while inside netns ${placed.netns}, which it had entered from netns ${placed.stay.from}: the new thread stays there when its creator goes back`,
      evidence: [placed.stay.ref],
      severity: 'warning',
    });
  }

  #warnLeft({ tid, process, placed }: Thread): void {
    if (!placed?.stay) return;
    this.#context.violate({
      object: describeThread(tid, process),
      sentence: `${describeThread(placed.creator, process)} went back to netns ${placed.stay.from} and left thread ${tid}, which it had cloned inside netns ${placed.netns}, behind`,
      evidence: [placed.stay.ref, placed.clone],
      severity: 'warning',
    });
  }

  /** A request or socket of a thread that was left behind: its first from there is told. */
  #act(event: EventView, what: string, outcome: string): void {
    const placed = this.#threads.get(event.tid)?.placed;
    if (!placed?.left || this.#told.has(placed) || !isFrom(event, placed.netns)) return;
    this.#told.add(placed);
    const { left } = placed;
    this.#context.violate({
      object: describeThread(event.tid, event.pid),
      sentence: `${describeThread(event.tid, event.pid)} ${what} in netns ${placed.netns}${outcome}: ${describeClone(placed)} and has left since`,
      evidence: [...(placed.stay ? [placed.stay.ref] : []), placed.clone, left],
      orderDependent: left.cpu !== event.cpu && event.ts - left.ts <= this.#context.clockErrorNs,
    });
  }
}

/** Thread and socket are both there, and the process isn't. */
function isFrom(event: EventView, netns: string): boolean {
  const [thread, socket] =
    event.kindNumber === KIND.netns_request
      ? [event.text('netns'), event.text('socket_netns')]
      : [event.text('thread_netns'), event.text('netns')];
  const home = event.text('home');
  return thread === netns && socket === netns && home !== netns && home !== GONE;
}

export default defineInvariant({
  name: 'netns.leaked-thread',
  claim: 'a thread cloned inside a namespace that its creator has only visited sends nothing from there',
  object: 'thread',
  source: 'kernel/nsproxy.c: copy_namespaces (a new thread shares the namespaces of its creator); setns(2)',
  needs: [...THREAD_KINDS, 'netns_request', 'netns_socket'],
  picture: [
    { from: 'at home', event: 'netns_enter', to: 'inside' },
    { from: 'inside', event: 'netns_fork', to: 'inside, with a child' },
    { from: 'inside, with a child', event: 'netns_enter', to: 'at home, child left behind' },
  ],
  start: (context) => new LeakedThread(context),
});
