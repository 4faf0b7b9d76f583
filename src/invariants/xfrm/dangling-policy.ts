// The state that a policy's template names exists, but for as long as a rotation of keys takes.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { isUnspecified, OUT, Policies, type Policy } from './_policies.ts';
import { isLarval, type State, States } from './_states.ts';
import { ender, span } from './_words.ts';

/** What a rotation may take. */
const LIMIT_NS = 5e9;
const NO_SPI = '0x0';
const DANGLING_MAX = 65_536;

/** A policy whose template nothing satisfies. */
interface Dangling {
  readonly policy: Policy;
  readonly since: number;
  /** The state it had until then, and who deleted it. */
  readonly lost: { readonly name: string; readonly by: string; readonly ref: EventRef } | null;
}

class DanglingPolicy implements Stepper {
  readonly #context: InvariantContext;
  readonly #states: States;
  readonly #policies: Policies;
  /** By policy, oldest first: so is the order in which their time is up. */
  readonly #dangling: RecentMap<Dangling>;
  /** After a gap there may be states that nothing tells of, until what exists is told again. */
  #missesStates = false;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#states = new States(context);
    this.#policies = new Policies(context);
    this.#dangling = new RecentMap(context, DANGLING_MAX);
  }

  step(event: EventView): void {
    this.#expire(event.ts);
    switch (event.kindNumber) {
      case KIND.xfrm_state_exists:
        this.#missesStates = false;
        if (!isLarval(event)) this.#gain(event, true);
        return;
      case KIND.xfrm_state_add:
      case KIND.xfrm_state_update:
        if (event.u32('result') === 0 && !isLarval(event)) this.#gain(event, false);
        return;
      case KIND.xfrm_state_delete:
        return this.#lose(event);
      case KIND.xfrm_policy_exists:
        return this.#look(this.#policies.keep(event, true), event.ts);
      case KIND.xfrm_policy_add:
        if (event.u32('result') === 0) this.#look(this.#policies.keep(event), event.ts);
        return;
      case KIND.xfrm_policy_delete: {
        const policy = this.#policies.delete(event);
        if (policy) this.#dangling.delete(keyOf(policy));
      }
    }
  }

  gap(): void {
    this.#context.unknown(this.#policies.size);
    this.#states.clear();
    this.#policies.clear();
    this.#dangling.clear();
    this.#missesStates = true;
  }

  #gain(event: EventView, existed: boolean): void {
    this.#states.keep(event, existed);
    const state = this.#states.get(event);
    if (!state) return;
    for (const [key, { policy }] of this.#dangling) if (satisfies(state, policy)) this.#dangling.delete(key);
  }

  #lose(event: EventView): void {
    const state = this.#states.delete(event);
    if (!state || this.#missesStates) return;
    const lost = { name: state.name, by: ender(event), ref: event.ref() };
    for (const policy of this.#policies.values())
      if (satisfies(state, policy) && !this.#dangling.has(keyOf(policy)) && !this.#isSatisfied(policy))
        this.#begin({ policy, since: event.ts, lost });
  }

  #look(policy: Policy, now: number): void {
    this.#dangling.delete(keyOf(policy));
    if (!this.#missesStates && names(policy) && !this.#isSatisfied(policy))
      this.#begin({ policy, since: now, lost: null });
  }

  #begin(dangling: Dangling): void {
    this.#dangling.set(keyOf(dangling.policy), dangling);
  }

  #isSatisfied(policy: Policy): boolean {
    for (const state of this.#states.values()) if (satisfies(state, policy)) return true;
    return false;
  }

  /** Reports those whose time is up, each once. */
  #expire(now: number): void {
    for (const [key, dangling] of this.#dangling) {
      if (now - dangling.since <= LIMIT_NS) return;
      this.#dangling.delete(key);
      this.#violate(dangling, now);
    }
  }

  #violate({ policy, since, lost }: Dangling, now: number): void {
    const { template, by, netns } = policy;
    if (!template) return;
    const wanted = [
      ...(template.spi === NO_SPI ? [] : [`SPI ${template.spi}`]),
      ...(template.reqid === 0 ? [] : [`reqid ${template.reqid}`]),
    ].join(' and ');
    const origin = by === null ? 'there since before the recording' : `from ${by}`;
    const why = lost ? `since ${lost.by} deleted the ${lost.name}` : 'since the policy was added';
    this.#context.violate({
      object: `${policy.name} (netns ${netns})`,
      sentence: `the ${policy.name} in netns ${netns}, ${origin}, names ${wanted}, which no SA has had for ${span(now - since)}, ${why}`,
      evidence: lost ? [policy.ref, lost.ref].toSorted((one, other) => one.ts - other.ts) : [policy.ref],
      // A key daemon's trap names a reqid only, and waits for a packet that may never come.
      ...(!lost && template.spi === NO_SPI ? { severity: 'warning' as const } : {}),
    });
  }
}

function keyOf({ netns, index }: Policy): string {
  return `${netns} ${index}`;
}

/** Whether a policy's template names a state at all; of traffic that is only forwarded another host may have it. */
function names({ template, direction }: Policy): boolean {
  return template !== null && direction <= OUT && (template.spi !== NO_SPI || template.reqid !== 0);
}

/** xfrm_state_ok and xfrm_selector_match of net/xfrm, as far as templates go. */
function satisfies(state: State, policy: Policy): boolean {
  const { template } = policy;
  return (
    template !== null &&
    names(policy) &&
    state.netns === policy.netns &&
    state.proto === template.proto &&
    state.mode === template.mode &&
    (template.spi === NO_SPI || state.spi === template.spi) &&
    (template.reqid === 0 || state.reqid === template.reqid) &&
    (isUnspecified(template.daddr) || state.daddr === template.daddr) &&
    (isUnspecified(template.saddr) || state.saddr === template.saddr)
  );
}

export default defineInvariant({
  name: 'xfrm.dangling-policy',
  claim: 'a state satisfies the SPI and reqid that a policy names, but for the 5 s that a rotation may take',
  object: 'policy',
  source:
    'net/xfrm/xfrm_state.c: xfrm_state_find; overlay soundness: SAs are rotated before the policies that name them',
  needs: [
    'xfrm_state_exists',
    'xfrm_state_add',
    'xfrm_state_update',
    'xfrm_state_delete',
    'xfrm_policy_exists',
    'xfrm_policy_add',
    'xfrm_policy_delete',
    'xfrm_traffic',
    'xfrm_wire',
    'xfrm_drop',
    'xfrm_request',
  ],
  picture: [
    { from: 'absent', event: 'xfrm_policy_add', to: 'waits for a state' },
    { from: 'waits for a state', event: 'xfrm_state_add', to: 'satisfied' },
    { from: 'satisfied', event: 'xfrm_state_delete', to: 'waits for a state' },
    { from: 'waits for a state', event: 'xfrm_policy_delete', to: 'absent' },
    { from: 'satisfied', event: 'xfrm_policy_delete', to: 'absent' },
  ],
  start: (context) => new DanglingPolicy(context),
});
