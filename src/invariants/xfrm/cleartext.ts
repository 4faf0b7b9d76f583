// A VXLAN packet must not leave in the clear toward a VTEP whose packets are, or were, encrypted.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { type Packet, Policies, type Policy, readPolicy } from './_policies.ts';
import { isLarval } from './_states.ts';
import { describeState, ender, span } from './_words.ts';

/** A packet's route is decided before it waits in a queue or for its neighbour: a policy younger than this may be too late. */
const ROUTED_NS = 1e9;
const CAUSE_REPLACED = 2;
const ENDED_MAX = 4096;
const PAIRS_MAX = 65_536;

/** A policy or state that ended, and by whom. */
interface Ended {
  readonly what: string;
  readonly by: string;
  readonly ref: EventRef;
}

interface EndedPolicy extends Ended {
  readonly policy: Policy;
}

class Cleartext implements Stepper {
  readonly #context: InvariantContext;
  readonly #policies: Policies;
  /** Outgoing policies with a template that ended and were not made anew; oldest first. */
  readonly #ended: RecentMap<EndedPolicy>;
  /** By (netns, dst): the last state that ended. */
  readonly #endedStates: RecentMap<Ended>;
  /** (netns, dst) that had a state or policy; (netns, VNI) and (netns, dst, VNI) that were seen encrypted. */
  readonly #had: RecentMap<true>;
  readonly #encrypted: RecentMap<EventRef>;
  /** (netns, src, dst, VNI) reported and not encrypted since. */
  readonly #reported: RecentMap<true>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#policies = new Policies(context);
    this.#ended = new RecentMap(context, ENDED_MAX);
    this.#endedStates = new RecentMap(context, ENDED_MAX);
    this.#had = new RecentMap(context, PAIRS_MAX);
    this.#encrypted = new RecentMap(context, PAIRS_MAX);
    this.#reported = new RecentMap(context, PAIRS_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.xfrm_wire:
        return this.#judge(event);
      case KIND.xfrm_traffic:
        return this.#sawEncrypted(event);
      case KIND.xfrm_policy_exists:
        return this.#add(event, true);
      case KIND.xfrm_policy_add:
        if (event.u32('result') === 0) this.#add(event, false);
        return;
      case KIND.xfrm_policy_delete:
        return this.#end(event);
      case KIND.xfrm_state_delete:
        return this.#endState(event);
      default:
        if (event.u32('result') === 0) this.#had.set(`${event.text('netns')} ${event.text('daddr')}`, true);
    }
  }

  gap(): void {
    this.#context.unknown(this.#policies.size + this.#encrypted.size);
    this.#policies.clear();
    this.#ended.clear();
    this.#endedStates.clear();
    this.#had.clear();
    this.#encrypted.clear();
    this.#reported.clear();
  }

  #add(event: EventView, existed: boolean): void {
    const policy = this.#policies.keep(event, existed);
    this.#ended.delete(identity(policy));
    if (policy.template) this.#had.set(`${policy.netns} ${policy.daddr}`, true);
  }

  #end(event: EventView): void {
    this.#policies.delete(event);
    if (event.u32('cause') === CAUSE_REPLACED) return;
    const policy = readPolicy(event);
    if (!policy.template) return;
    this.#ended.set(identity(policy), { policy, what: policy.name, by: ender(event), ref: event.ref() });
  }

  #endState(event: EventView): void {
    if (isLarval(event) || event.u32('cause') === CAUSE_REPLACED) return;
    const daddr = event.text('daddr');
    const key = `${event.text('netns')} ${daddr}`;
    this.#endedStates.set(key, {
      what: describeState(event.text('spi'), event.u32('proto'), event.text('saddr'), daddr),
      by: ender(event),
      ref: event.ref(),
    });
    this.#had.set(key, true);
  }

  #sawEncrypted(event: EventView): void {
    if (event.u32('has_vni') === 0) return;
    const [netns, dst, vni] = [event.text('netns'), event.text('daddr'), event.u32('vni')];
    for (const key of [`${netns} ${vni}`, `${netns} ${dst} ${vni}`])
      if (!this.#encrypted.has(key)) this.#encrypted.set(key, event.ref());
    this.#had.set(`${netns} ${dst}`, true);
    this.#reported.delete(`${netns} ${event.text('saddr')} ${dst} ${vni}`);
  }

  #judge(event: EventView): void {
    const netns = event.text('netns');
    const vni = event.u32('vni');
    const packet: Packet = {
      src: event.text('src'),
      dst: event.text('dst'),
      mark: event.u32('mark'),
      dport: event.u32('dport'),
      family: event.u32('family'),
    };
    const policy = this.#policies.applied(netns, packet);
    if (policy) this.#againstPolicy(event, policy, netns, vni, packet);
    else this.#withoutPolicy(event, netns, vni, packet);
  }

  #againstPolicy(event: EventView, policy: Policy, netns: string, vni: number, packet: Packet): void {
    if (!policy.template || (policy.by !== null && event.ts - policy.ref.ts < ROUTED_NS)) return;
    const by = policy.by === null ? 'there since before the recording' : `added by ${policy.by}`;
    this.#report(event, netns, vni, packet, `although the ${policy.name}, ${by}, wants it encrypted`, [
      policy.ref,
    ]);
  }

  #withoutPolicy(event: EventView, netns: string, vni: number, packet: Packet): void {
    const { dst } = packet;
    const ended = this.#endedPolicyOf(netns, packet);
    const encrypted =
      this.#encrypted.get(`${netns} ${dst} ${vni}`) ??
      (this.#had.has(`${netns} ${dst}`) ? this.#encrypted.get(`${netns} ${vni}`) : undefined);
    // A VNI that no policy covered and that was never seen encrypted is in the clear by intention.
    if (!ended && !encrypted) return;
    const state = this.#endedStates.get(`${netns} ${dst}`);
    const causes = [ended ?? this.#lastEndedFor(netns, dst), state].filter((one) => one !== undefined);
    const told = causes.map(
      ({ what, by, ref }) => `the ${what} was deleted by ${by} ${span(event.ts - ref.ts)} before`,
    );
    const before = encrypted ? `VNI ${vni} was encrypted until then` : 'no other policy covers it';
    const reason = told.length > 0 ? told.join(', ') : 'no policy covers it any more';
    const evidence = [...(encrypted ? [encrypted] : []), ...causes.map(({ ref }) => ref)];
    this.#report(event, netns, vni, packet, `and ${before}: ${reason}`, evidence, ended ?? state);
  }

  #report(
    event: EventView,
    netns: string,
    vni: number,
    packet: Packet,
    why: string,
    evidence: readonly EventRef[],
    last?: Ended,
  ): void {
    const key = `${netns} ${packet.src} ${packet.dst} ${vni}`;
    if (this.#reported.has(key)) return;
    this.#reported.set(key, true);
    const device = `${event.text('device')} (ifindex ${event.u32('ifindex')}, netns ${netns})`;
    this.#context.violate({
      object: `${packet.src} to ${packet.dst}`,
      sentence: `a VXLAN packet of VNI ${vni} from ${packet.src} to ${packet.dst} left ${device} in the clear, ${why}`,
      evidence: evidence.toSorted((one, other) => one.ts - other.ts),
      orderDependent:
        last !== undefined &&
        last.ref.cpu !== event.cpu &&
        event.ts - last.ref.ts <= this.#context.clockErrorNs,
    });
  }

  #endedPolicyOf(netns: string, packet: Packet): EndedPolicy | undefined {
    let found: EndedPolicy | undefined;
    for (const ended of this.#ended.values())
      if (ended.policy.netns === netns && ended.policy.covers(packet)) found = ended;
    return found;
  }

  /** The last policy for this VTEP that ended, whatever its mark. */
  #lastEndedFor(netns: string, dst: string): EndedPolicy | undefined {
    let found: EndedPolicy | undefined;
    for (const ended of this.#ended.values())
      if (ended.policy.netns === netns && ended.policy.daddr === dst) found = ended;
    return found;
  }
}

/** The same for a policy and the one that is made anew in its place. */
function identity({ netns, selector, mark, markMask }: Policy): string {
  return `${netns} ${selector} ${mark} ${markMask}`;
}

export default defineInvariant({
  name: 'xfrm.cleartext',
  claim:
    'no VXLAN packet leaves in the clear toward a VTEP for which it was, or by policy must be, encrypted',
  object: '(src VTEP, dst VTEP)',
  source:
    'net/xfrm/xfrm_policy.c: xfrm_lookup, xfrm_policy_match; overlay soundness: what is meant to be encrypted is',
  needs: [
    'xfrm_wire',
    'xfrm_traffic',
    'xfrm_policy_exists',
    'xfrm_policy_add',
    'xfrm_policy_delete',
    'xfrm_state_exists',
    'xfrm_state_add',
    'xfrm_state_delete',
  ],
  picture: [
    { from: 'unknown', event: 'xfrm_wire', to: 'clear by intention' },
    { from: 'unknown', event: 'xfrm_policy_add', to: 'to be encrypted' },
    { from: 'to be encrypted', event: 'xfrm_traffic', to: 'encrypted' },
    { from: 'encrypted', event: 'xfrm_policy_delete', to: 'unprotected' },
    { from: 'unprotected', event: 'xfrm_policy_add', to: 'to be encrypted' },
  ],
  start: (context) => new Cleartext(context),
});
