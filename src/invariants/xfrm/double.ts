// Nobody adds a state or policy that exists, or deletes one that does not: two owners have lost count of it.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import { Policies, type Policy, readPolicy } from './_policies.ts';
import { isLarval, stateKey, States } from './_states.ts';
import { describeState, ender, isExpiry, requester } from './_words.ts';

const ENOENT = -2;
const ESRCH = -3;
const EEXIST = -17;
/** include/uapi/linux/xfrm.h: XFRM_MSG_DELSA, XFRM_MSG_DELPOLICY. */
const DELETE_STATE = 0x11;
const DELETE_POLICY = 0x14;
/** XFRM_CAUSE_KERNEL of bpf/probes/xfrm-records.bpf.h: of a larval state, that its time is up. */
const CAUSE_KERNEL = 0;
const ENDED_MAX = 4096;

interface Ended {
  readonly by: string;
  /** Nobody has asked for it, and whoever had it made may still ask. */
  readonly expired: boolean;
  readonly ref: ReturnType<EventView['ref']>;
}

class Double implements Stepper {
  readonly #context: InvariantContext;
  readonly #states: States;
  readonly #policies: Policies;
  /** Who deleted it before; oldest first. */
  readonly #ended: RecentMap<Ended>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#states = new States(context);
    this.#policies = new Policies(context);
    this.#ended = new RecentMap(context, ENDED_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.xfrm_state_exists:
        return this.#states.keep(event, true);
      case KIND.xfrm_state_add:
        return this.#addState(event);
      case KIND.xfrm_state_delete:
        this.#states.delete(event);
        return this.#end(stateKey(event), event);
      case KIND.xfrm_policy_exists:
        this.#policies.keep(event, true);
        return;
      case KIND.xfrm_policy_add:
        return this.#addPolicy(event);
      case KIND.xfrm_policy_delete: {
        this.#policies.delete(event);
        const { netns, direction, saddr, daddr, index } = readPolicy(event);
        this.#end(`${netns} ${index}`, event);
        return this.#end(`${netns} ${direction} ${saddr} ${daddr}`, event);
      }
      default:
        return this.#request(event);
    }
  }

  gap(): void {
    this.#context.unknown(this.#states.size + this.#policies.size);
    this.#states.clear();
    this.#policies.clear();
    this.#ended.clear();
  }

  #addState(event: EventView): void {
    const result = event.u32('result');
    if (result === 0) {
      this.#ended.delete(stateKey(event));
      return this.#states.keep(event);
    }
    if (result !== EEXIST) return;
    const name = describeState(
      event.text('spi'),
      event.u32('proto'),
      event.text('saddr'),
      event.text('daddr'),
    );
    const first = this.#states.get(event);
    this.#context.violate({
      object: `${name} (netns ${event.text('netns')})`,
      sentence: `${requester(event)} added the ${name} in netns ${event.text('netns')}, which exists already${origin(first)} (EEXIST)`,
      evidence: first ? [first.ref] : [],
    });
  }

  #addPolicy(event: EventView): void {
    const result = event.u32('result');
    if (result === 0) {
      const { netns, direction, saddr, daddr, index } = this.#policies.keep(event);
      this.#ended.delete(`${netns} ${index}`);
      this.#ended.delete(`${netns} ${direction} ${saddr} ${daddr}`);
      return;
    }
    if (result !== EEXIST) return;
    const policy = readPolicy(event);
    const first = this.#sameAs(policy);
    this.#context.violate({
      object: `${policy.name} (netns ${policy.netns})`,
      sentence: `${requester(event)} added the ${policy.name} in netns ${policy.netns}, which exists already${origin(first)} (EEXIST)`,
      evidence: first ? [first.ref] : [],
    });
  }

  /** A delete of what isn't there leaves no trace but the answer to the request. */
  #request(event: EventView): void {
    const result = event.u32('result');
    const netns = event.text('netns');
    const [saddr, daddr] = [event.text('saddr'), event.text('daddr')];
    const request = event.u32('request');
    if (request === DELETE_STATE && result === ESRCH) {
      const what = `SA ${event.text('spi')} to ${daddr}`;
      this.#missing(event, what, netns, stateKey(event), 'ESRCH');
    } else if (request === DELETE_POLICY && result === ENOENT) {
      const direction = event.u32('direction');
      const way = ['in', 'out', 'forward'][direction] ?? `direction ${direction}`;
      const index = event.u32('index');
      const what = index ? `policy of index ${index}` : `${way} policy from ${saddr} to ${daddr}`;
      const key = index ? `${netns} ${index}` : `${netns} ${direction} ${saddr} ${daddr}`;
      this.#missing(event, what, netns, key, 'ENOENT');
    }
  }

  #missing(event: EventView, what: string, netns: string, key: string, code: string): void {
    const before = this.#ended.get(key);
    if (before?.expired) {
      // The daemon is told of the expiry and deletes what it had there: once.
      this.#ended.delete(key);
      return;
    }
    this.#context.violate({
      object: `${what} (netns ${netns})`,
      sentence: `${requester(event)} deleted the ${what} in netns ${netns}, which is not there${before ? `: ${before.by} ended it before` : ''} (${code})`,
      evidence: before ? [before.ref] : [],
    });
  }

  #end(key: string, event: EventView): void {
    const isState = event.kindNumber === KIND.xfrm_state_delete;
    const expired = isExpiry(event) || (isState && isLarval(event) && event.u32('cause') === CAUSE_KERNEL);
    this.#ended.set(key, { by: ender(event), expired, ref: event.ref() });
  }

  #sameAs({ netns, selector, mark, markMask }: Policy): Policy | undefined {
    for (const other of this.#policies.values())
      if (
        other.netns === netns &&
        other.selector === selector &&
        other.mark === mark &&
        other.markMask === markMask
      )
        return other;
    return undefined;
  }
}

function origin(first: { readonly by: string | null } | undefined): string {
  if (!first) return '';
  return first.by === null ? ' since before the recording' : ` from ${first.by}`;
}

export default defineInvariant({
  name: 'xfrm.double',
  claim: 'no state or policy is added that exists, and none deleted that does not',
  object: 'SA, policy',
  source:
    'net/xfrm/xfrm_state.c: xfrm_state_add (EEXIST), net/xfrm/xfrm_user.c: xfrm_del_sa (ESRCH), xfrm_get_policy (ENOENT)',
  needs: [
    'xfrm_request',
    'xfrm_state_exists',
    'xfrm_state_add',
    'xfrm_state_delete',
    'xfrm_policy_exists',
    'xfrm_policy_add',
    'xfrm_policy_delete',
  ],
  picture: [
    { from: 'absent', event: 'xfrm_state_add', to: 'present' },
    { from: 'present', event: 'xfrm_state_delete', to: 'absent' },
  ],
  start: (context) => new Double(context),
});
