// No state or policy is programmed for encryption toward an address of this host itself.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { peerOf, readPolicy } from './_policies.ts';
import { isLarval } from './_states.ts';
import { describeState, requester } from './_words.ts';

const ADDRESSES_MAX = 65_536;

/** An address of this host, and the devices that have it. */
interface Local {
  readonly devices: Set<number>;
  ref: EventRef;
}

class Self implements Stepper {
  readonly #context: InvariantContext;
  /** By netns and address. */
  readonly #local: RecentMap<Local>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#local = new RecentMap(context, ADDRESSES_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.link_address_exists:
      case KIND.link_address_add:
        return this.#assign(event);
      case KIND.link_address_delete:
        return this.#unassign(event);
      case KIND.xfrm_policy_add:
        return this.#policy(event);
      default:
        return this.#state(event);
    }
  }

  gap(): void {
    this.#local.forget();
  }

  #assign(event: EventView): void {
    const key = `${event.text('netns')} ${event.text('ip')}`;
    const local = this.#local.get(key) ?? { devices: new Set(), ref: event.ref() };
    local.devices.add(event.u32('ifindex'));
    this.#local.set(key, local);
  }

  #unassign(event: EventView): void {
    const key = `${event.text('netns')} ${event.text('ip')}`;
    const local = this.#local.get(key);
    if (!local) return;
    local.devices.delete(event.u32('ifindex'));
    if (local.devices.size === 0) this.#local.delete(key);
  }

  /** A state to this host is how packets come in; one from and to this host serves nobody. */
  #state(event: EventView): void {
    if (event.u32('result') !== 0 || isLarval(event)) return;
    const netns = event.text('netns');
    const [saddr, daddr] = [event.text('saddr'), event.text('daddr')];
    const [source, destination] = [
      this.#local.get(`${netns} ${saddr}`),
      this.#local.get(`${netns} ${daddr}`),
    ];
    if (!source || !destination) return;
    const name = describeState(event.text('spi'), event.u32('proto'), saddr, daddr);
    this.#violate(
      event,
      name,
      netns,
      saddr === daddr ? `${daddr} is` : `${saddr} and ${daddr} both are`,
      destination,
    );
  }

  #policy(event: EventView): void {
    if (event.u32('result') !== 0) return;
    const policy = readPolicy(event);
    const peer = peerOf(policy);
    const local = peer === undefined ? undefined : this.#local.get(`${policy.netns} ${peer}`);
    if (local) this.#violate(event, policy.name, policy.netns, `its peer ${peer} is`, local);
  }

  #violate(event: EventView, name: string, netns: string, which: string, local: Local): void {
    this.#context.violate({
      object: `${name} (netns ${netns})`,
      sentence: `${requester(event)} programmed the ${name} in netns ${netns}, but ${which} local there (ifindex ${[...local.devices].join(', ')}): a host does not encrypt to itself`,
      evidence: [local.ref],
    });
  }
}

export default defineInvariant({
  name: 'xfrm.self',
  claim: 'no state or outgoing policy is programmed toward an address that is local to its namespace',
  object: 'VTEP',
  source: 'overlay soundness: no encryption parameters for oneself',
  needs: [
    'xfrm_state_add',
    'xfrm_state_update',
    'xfrm_policy_add',
    'link_address_exists',
    'link_address_add',
    'link_address_delete',
  ],
  picture: [
    { from: 'remote', event: 'xfrm_state_add', to: 'remote' },
    { from: 'remote', event: 'xfrm_state_update', to: 'remote' },
    { from: 'remote', event: 'xfrm_policy_add', to: 'remote' },
    { from: 'remote', event: 'link_address_add', to: 'local' },
    { from: 'local', event: 'link_address_delete', to: 'remote' },
  ],
  start: (context) => new Self(context),
});
