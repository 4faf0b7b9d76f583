// While one thread changes the states between two VTEPs, no other thread changes them in between.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { errnoName } from '../../probes/_errno.ts';
import { isUnspecified } from './_policies.ts';
import { isLarval } from './_states.ts';
import { requester, span } from './_words.ts';

/** Changes closer together than this, by whichever thread, belong to one burst; what lies further apart does not interleave. */
const SEQUENCE_NS = 200e6;
const PAIRS_MAX = 65_536;
const CAUSE_REQUEST = 1;
const AF_INET6 = 10;

interface Change {
  readonly tid: number;
  readonly pid: number;
  readonly port: number;
  readonly who: string;
  readonly what: string;
  readonly ref: EventRef;
}

/** A burst of changes: the last one of the thread that was first, and the last one of the other since. */
interface Pair {
  lastTs: number;
  first: Change | null;
  between: Change | null;
}

class RotationRace implements Stepper {
  readonly #context: InvariantContext;
  /** By netns and the two addresses, in either direction; least recently changed first. */
  readonly #pairs: RecentMap<Pair>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#pairs = new RecentMap(context, PAIRS_MAX);
  }

  step(event: EventView): void {
    const change = this.#changeOf(event);
    if (!change) return;
    const isPolicy =
      event.kindNumber === KIND.xfrm_policy_add || event.kindNumber === KIND.xfrm_policy_delete;
    const [daddr, saddr] = isPolicy ? peersOf(event) : [event.text('daddr'), event.text('saddr')];
    if (isUnspecified(daddr) || isUnspecified(saddr)) return;
    const netns = event.text('netns');
    const [low, high] = saddr < daddr ? [saddr, daddr] : [daddr, saddr];
    const key = `${netns} ${low} ${high}`;
    const pair = this.#pairs.get(key) ?? { lastTs: 0, first: null, between: null };
    this.#pairs.set(key, pair);
    this.#take(pair, change, `${low} and ${high} (netns ${netns})`);
  }

  gap(): void {
    this.#pairs.forget();
  }

  /** A change that a thread asked for; what time or the kernel ends races with nobody. */
  #changeOf(event: EventView): Change | null {
    const { kindNumber } = event;
    const isEnd = kindNumber === KIND.xfrm_state_delete || kindNumber === KIND.xfrm_policy_delete;
    if (isEnd && event.u32('cause') !== CAUSE_REQUEST) return null;
    if (event.kind.startsWith('xfrm_state') && isLarval(event)) return null;
    const verb = isEnd ? 'delete' : kindNumber === KIND.xfrm_state_update ? 'update' : 'add';
    const what = event.kind.startsWith('xfrm_policy')
      ? `${verb} of the policy to ${event.text('daddr')}`
      : `${verb} of SA ${event.text('spi')}`;
    const result = event.u32('result');
    return {
      tid: event.tid,
      pid: event.pid,
      port: event.u32('portid'),
      who: requester(event),
      what: result < 0 ? `${what} (refused with ${errnoName(result) ?? `errno ${-result}`})` : what,
      ref: event.ref(),
    };
  }

  #take(pair: Pair, change: Change, peers: string): void {
    if (change.ref.ts - pair.lastTs > SEQUENCE_NS) {
      pair.first = null;
      pair.between = null;
    }
    pair.lastTs = change.ref.ts;
    const { first, between } = pair;
    if (first && between && first.tid === change.tid) this.#violate(first, between, change, peers);
    if (!first || first.tid === change.tid) {
      pair.first = change;
      pair.between = null;
    } else if (!between || between.tid === change.tid) pair.between = change;
    else {
      // A third thread: what the second one began may still go on.
      pair.first = between;
      pair.between = change;
    }
  }

  #violate(first: Change, between: Change, last: Change, peers: string): void {
    // Go moves a goroutine from thread to thread: one netlink socket may be one sequence after all.
    const sameSocket = first.pid === between.pid && first.port !== 0 && first.port === between.port;
    const near = (one: Change, other: Change) =>
      one.ref.cpu !== other.ref.cpu && other.ref.ts - one.ref.ts <= this.#context.clockErrorNs;
    this.#context.violate({
      object: `VTEPs ${peers}`,
      sentence: `between ${first.what} and ${last.what} by ${last.who}, ${span(last.ref.ts - first.ref.ts)} apart, came ${between.what} by ${between.who}: both work on the states between ${peers}${sameSocket ? ' through one netlink socket' : ''}`,
      evidence: [first.ref, between.ref],
      orderDependent: near(first, between) || near(between, last),
      ...(sameSocket ? { severity: 'warning' as const } : {}),
    });
  }
}

/** Of a policy: in transport mode the template may leave them to the selector. */
function peersOf(event: EventView): [string, string] {
  const full = event.u32('family') === AF_INET6 ? 128 : 32;
  const one = (address: string, length: string) => (event.u32(length) === full ? event.text(address) : '');
  const [daddr, saddr] = [event.text('tmpl_daddr'), event.text('tmpl_saddr')];
  return [
    isUnspecified(daddr) ? one('daddr', 'daddr_prefix') : daddr,
    isUnspecified(saddr) ? one('saddr', 'saddr_prefix') : saddr,
  ];
}

export default defineInvariant({
  name: 'xfrm.rotation-race',
  claim: "while one thread changes a VTEP's states and policies, no other thread does",
  object: 'VTEP',
  source: 'overlay soundness: key rotation and the programming of peers must not interleave',
  needs: [
    'xfrm_state_add',
    'xfrm_state_update',
    'xfrm_state_delete',
    'xfrm_policy_add',
    'xfrm_policy_delete',
  ],
  picture: [
    { from: 'quiet', event: 'xfrm_state_add', to: 'changed by one thread' },
    { from: 'changed by one thread', event: 'xfrm_state_update', to: 'changed by one thread' },
    { from: 'changed by one thread', event: 'xfrm_state_delete', to: 'changed by one thread' },
    { from: 'changed by one thread', event: 'xfrm_policy_add', to: 'changed by one thread' },
    { from: 'changed by one thread', event: 'xfrm_policy_delete', to: 'changed by one thread' },
  ],
  start: (context) => new RotationRace(context),
});
