// A request leaves from the process's own namespace, or from one that the thread has entered by itself.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import { GONE, type Placed, THREAD_KINDS, Threads } from './_threads.ts';
import { describeClone, describeRequest, describeResult, describeThread } from './_words.ts';

class ForeignRequest implements Stepper {
  readonly #context: InvariantContext;
  readonly #threads: Threads;
  readonly #told = new WeakSet<Placed>();

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#threads = new Threads(context);
  }

  step(event: EventView): void {
    if (event.kindNumber !== KIND.netns_request) {
      this.#threads.step(event);
      return;
    }
    const placed = this.#threads.get(event.tid)?.placed;
    if (!placed || this.#told.has(placed)) return;
    // While the first thread is there, the process is: it may have moved for good.
    if (placed.byLeader && !placed.left) return;
    const netns = event.text('netns');
    const home = event.text('home');
    // A socket carries its namespace with it: one opened elsewhere and kept is where its owner wanted it.
    if (netns !== placed.netns || event.text('socket_netns') !== netns) return;
    if (home === netns || home === GONE) return;
    this.#told.add(placed);
    this.#context.violate({
      object: describeThread(event.tid, event.pid),
      sentence: `${describeThread(event.tid, event.pid)} sent ${describeRequest(event)} from netns ${netns}${describeResult(event)}, but it has not entered netns ${netns} by itself and its process's own is netns ${home}: ${describeClone(placed)}`,
      evidence: [...(placed.stay ? [placed.stay.ref] : []), placed.clone],
    });
  }

  gap(): void {
    this.#threads.clear();
  }
}

export default defineInvariant({
  name: 'netns.foreign-request',
  claim:
    "a netlink request is sent from its process's own namespace or from the one its thread has entered by itself",
  object: '(process, thread)',
  source:
    'net/netlink/af_netlink.c: netlink_create (a socket acts in the namespace of the thread that made it)',
  needs: [...THREAD_KINDS, 'netns_request'],
  picture: [
    { from: 'at home', event: 'netns_request', to: 'at home' },
    { from: 'at home', event: 'netns_enter', to: 'visiting' },
    { from: 'visiting', event: 'netns_request', to: 'visiting' },
    { from: 'visiting', event: 'netns_enter', to: 'at home' },
  ],
  start: (context) => new ForeignRequest(context),
});
