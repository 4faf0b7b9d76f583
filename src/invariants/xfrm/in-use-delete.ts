// The last state or policy for a VTEP is not deleted while forwarding entries of any overlay point at it.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { Policies, peerOf } from './_policies.ts';
import { isLarval, States } from './_states.ts';
import { requester } from './_words.ts';

const ENTRIES_MAX = 65_536;
const CAUSE_REQUEST = 1;
const CAUSE_FLUSH = 3;

/** A forwarding entry that points at a VTEP. */
interface Entry {
  readonly vni: number;
  readonly mac: string;
  readonly ref: EventRef;
}

class InUseDelete implements Stepper {
  readonly #context: InvariantContext;
  readonly #states: States;
  readonly #policies: Policies;
  /** By (namespace of the sockets, VTEP): entries by VNI and MAC. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  /** The VTEP that a unicast entry points at: it has one (vxlan_fdb_append), and an update replaces it. */
  readonly #remotes = new Map<string, string>();
  #entryCount = 0;
  /** Of each VXLAN device, by (netns, ifindex), the namespace its packets leave from. */
  readonly #underlay = new Map<string, string>();
  /** (netns, VNI) seen encrypted. */
  readonly #encrypted = new Set<string>();
  /** After a gap there may be others that nothing tells of, until what exists is told again: then none is known to be the last. */
  #missesStates = false;
  #missesPolicies = false;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#states = new States(context);
    this.#policies = new Policies(context);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.vxlan_exists:
        return this.#device(event);
      case KIND.vxlan_fdb_exists:
      case KIND.vxlan_fdb_update:
        return this.#point(event);
      case KIND.vxlan_fdb_delete:
        return this.#unpoint(event);
      case KIND.xfrm_traffic:
        if (event.u32('has_vni') !== 0 && this.#encrypted.size < ENTRIES_MAX)
          this.#encrypted.add(`${event.text('netns')} ${event.u32('vni')}`);
        return;
      case KIND.xfrm_state_exists:
        this.#missesStates = false;
        if (!isLarval(event)) this.#states.keep(event, true);
        return;
      case KIND.xfrm_state_delete:
        return this.#deleteState(event);
      case KIND.xfrm_policy_exists:
        this.#missesPolicies = false;
        this.#policies.keep(event, true);
        return;
      case KIND.xfrm_policy_add:
        if (event.u32('result') === 0) this.#policies.keep(event);
        return;
      case KIND.xfrm_policy_delete:
        return this.#deletePolicy(event);
      default:
        if (event.u32('result') === 0 && !isLarval(event)) this.#states.keep(event);
    }
  }

  gap(): void {
    this.#context.unknown(this.#states.size + this.#policies.size + this.#entryCount);
    this.#states.clear();
    this.#policies.clear();
    this.#entries.clear();
    this.#remotes.clear();
    this.#entryCount = 0;
    this.#underlay.clear();
    this.#encrypted.clear();
    this.#missesStates = true;
    this.#missesPolicies = true;
  }

  #device(event: EventView): void {
    const underlay = event.text('link_netns');
    if (underlay !== '0' && this.#underlay.size < ENTRIES_MAX)
      this.#underlay.set(`${event.text('netns')} ${event.u32('ifindex')}`, underlay);
  }

  /** The namespace in which an entry's packets leave: a device may have been moved away from it. */
  #underlayOf(event: EventView): string {
    const told = event.text('link_netns');
    if (told !== '' && told !== '0') return told;
    const netns = event.text('netns');
    return this.#underlay.get(`${netns} ${event.u32('ifindex')}`) ?? netns;
  }

  #point(event: EventView): void {
    const underlay = this.#underlayOf(event);
    const key = `${underlay} ${event.text('remote')}`;
    const [vni, mac] = [event.u32('vni'), event.text('mac')];
    const name = `${underlay} ${vni} ${mac}`;
    const before = this.#remotes.get(name);
    if (before !== undefined && before !== key) this.#forget(before, name);
    if (isUnicast(mac)) this.#remotes.set(name, key);
    const entries = this.#entries.get(key) ?? new Map<string, Entry>();
    if (!entries.has(name)) this.#entryCount++;
    entries.set(name, { vni, mac, ref: event.ref() });
    this.#entries.delete(key);
    this.#entries.set(key, entries);
    if (this.#entryCount > ENTRIES_MAX) this.#evict();
  }

  #unpoint(event: EventView): void {
    const underlay = this.#underlayOf(event);
    const name = `${underlay} ${event.u32('vni')} ${event.text('mac')}`;
    this.#remotes.delete(name);
    this.#forget(`${underlay} ${event.text('remote')}`, name);
  }

  #forget(key: string, name: string): void {
    const entries = this.#entries.get(key);
    if (!entries?.delete(name)) return;
    this.#entryCount--;
    if (entries.size === 0) this.#entries.delete(key);
  }

  #evict(): void {
    for (const [oldest, entries] of this.#entries) {
      for (const name of entries.keys()) this.#remotes.delete(name);
      this.#entries.delete(oldest);
      this.#entryCount -= entries.size;
      this.#context.evicted();
      return;
    }
  }

  #deleteState(event: EventView): void {
    const state = this.#states.delete(event);
    if (!state || this.#missesStates || !isAsked(event) || this.#states.toward(state.netns, state.daddr) > 0)
      return;
    this.#judge(
      event,
      state.name,
      'SA',
      state.netns,
      state.daddr,
      this.#hasUnmarkedPolicy(state.netns, state.daddr),
    );
  }

  #deletePolicy(event: EventView): void {
    const policy = this.#policies.delete(event);
    const peer = policy ? peerOf(policy) : undefined;
    if (!policy || peer === undefined || this.#missesPolicies || !isAsked(event)) return;
    for (const other of this.#policies.values())
      if (other.netns === policy.netns && peerOf(other) === peer) return;
    this.#judge(event, policy.name, 'policy', policy.netns, peer, policy.markMask === 0);
  }

  /** Without a policy that selects by mark, every overlay is to be encrypted. */
  #hasUnmarkedPolicy(netns: string, peer: string): boolean {
    let marked = false;
    for (const policy of this.#policies.values()) {
      if (policy.netns !== netns || peerOf(policy) !== peer) continue;
      if (policy.markMask === 0) return true;
      marked = true;
    }
    return !marked;
  }

  #judge(event: EventView, name: string, what: string, netns: string, peer: string, covered: boolean): void {
    const entries = [...(this.#entries.get(`${netns} ${peer}`)?.values() ?? [])];
    const encrypted = entries.filter(({ vni }) => this.#encrypted.has(`${netns} ${vni}`));
    // By marks only some overlays are encrypted; which, is known once their packets were seen.
    const using = covered || encrypted.length === 0 ? entries : encrypted;
    if (using.length === 0 || (!covered && encrypted.length === 0 && this.#anyEncrypted(netns))) return;
    const vnis = [...new Set(using.map(({ vni }) => vni))].sort((one, other) => one - other);
    const [first] = using;
    this.#context.violate({
      object: `VTEP ${peer} (netns ${netns})`,
      sentence: `${requester(event)} deleted the ${name}, the last ${what} for VTEP ${peer} in netns ${netns}, while ${using.length} forwarding ${using.length === 1 ? 'entry' : 'entries'} of VNI ${vnis.join(', ')} still ${using.length === 1 ? 'points' : 'point'} at it (${first?.mac})`,
      evidence: using
        .slice(0, 8)
        .map(({ ref }) => ref)
        .toSorted((one, other) => one.ts - other.ts),
    });
  }

  #anyEncrypted(netns: string): boolean {
    for (const key of this.#encrypted) if (key.startsWith(`${netns} `)) return true;
    return false;
  }
}

/** Neither a group's MAC nor the all-zero default entry. */
function isUnicast(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00';
}

/** Asked for: a replaced one has a successor, an expired one is the daemon's affair, the kernel's goes with its namespace. */
function isAsked(event: EventView): boolean {
  const cause = event.u32('cause');
  return cause === CAUSE_REQUEST || cause === CAUSE_FLUSH;
}

export default defineInvariant({
  name: 'xfrm.in-use-delete',
  claim: 'the last state or policy for a VTEP is not deleted while forwarding entries point at it',
  object: 'VTEP',
  source: 'overlay soundness: encryption of a VTEP is shared by all overlays, and goes with the last of them',
  needs: [
    'xfrm_traffic',
    'xfrm_state_exists',
    'xfrm_state_add',
    'xfrm_state_update',
    'xfrm_state_delete',
    'xfrm_policy_exists',
    'xfrm_policy_add',
    'xfrm_policy_delete',
    'vxlan_exists',
    'vxlan_fdb_exists',
    'vxlan_fdb_update',
    'vxlan_fdb_delete',
  ],
  picture: [
    { from: 'unused', event: 'vxlan_fdb_update', to: 'in use' },
    { from: 'in use', event: 'vxlan_fdb_delete', to: 'unused' },
    { from: 'unused', event: 'xfrm_state_delete', to: 'unused' },
    { from: 'unused', event: 'xfrm_policy_delete', to: 'unused' },
  ],
  start: (context) => new InUseDelete(context),
});
