// An IP address that comes back with another MAC is advertised, or neighbours go on using the old one.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { DEVICE_KINDS, Devices, deviceName, givenAddresses, keyOf } from './_devices.ts';
import { duration, isOwnAffair, whoOf } from './_words.ts';

const USES_MAX = 65_536;
/** Engines wait some seconds for the interface to come up and its port to forward; RFC 5227 then announces twice in two. */
const LIMIT_NS = 10e9;
/** Neighbours have forgotten a MAC that was last seen so long ago (gc_stale_time, many times over). */
const FORGOTTEN_NS = 600e9;

/** An address with a MAC, as the neighbours on its segment know it. */
interface Use {
  readonly mac: string;
  readonly device: string;
  readonly name: string;
  ts: number;
  readonly ref: EventRef;
}

interface Pending {
  readonly before: Use;
  readonly use: Use;
  readonly ip: string;
  readonly segment: string;
  readonly who: string;
}

/** Up, on a bridge. */
interface Attached {
  readonly segment: string;
  mac: string;
}

class NeverAdvertised implements Stepper {
  readonly #context: InvariantContext;
  readonly #devices: Devices;
  /** By segment and address. */
  readonly #uses: RecentMap<Use>;
  readonly #pending: RecentMap<Pending>;
  /** By device. */
  readonly #attached: RecentMap<Attached>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new Devices(context);
    this.#uses = new RecentMap(context, USES_MAX);
    this.#pending = new RecentMap(context, USES_MAX);
    this.#attached = new RecentMap(context, USES_MAX);
  }

  step(event: EventView): void {
    this.#expire(event.ts);
    const key = keyOf(event);
    this.#devices.follow(event);
    switch (event.kindNumber) {
      case KIND.link_up:
        this.#attach(event, key);
        break;
      case KIND.link_down:
      case KIND.link_unregister:
      case KIND.link_move:
        this.#detach(event, key);
        break;
      case KIND.link_mac_change: {
        const attached = this.#attached.get(key);
        if (!attached) break;
        attached.mac = event.text('new_mac');
        this.#useAll(event, attached);
        break;
      }
      case KIND.link_address_add: {
        const attached = this.#attached.get(key);
        if (attached) this.#use(event, attached, event.text('ip'));
        break;
      }
      case KIND.link_address_delete:
        this.#giveUp(key, event.text('ip'));
        break;
      case KIND.link_advertise:
        this.#advertise(event, key);
        break;
      default:
        break;
    }
  }

  gap(): void {
    this.#context.unknown(this.#uses.size);
    this.#devices.clear();
    this.#uses.clear();
    this.#pending.clear();
    this.#attached.clear();
  }

  #attach(event: EventView, key: string): void {
    const bridge = event.u32('bridge');
    if (bridge === 0 || event.u32('peer_ifindex') === 0) return;
    const segment = `${event.text('peer_netns')} ${bridge}`;
    const attached = { segment, mac: event.text('mac') };
    this.#attached.set(key, attached);
    this.#useAll(event, attached);
  }

  #detach(event: EventView, key: string): void {
    this.#attached.delete(key);
    for (const [about, { use }] of this.#pending) if (use.device === key) this.#pending.delete(about);
    for (const [, use] of this.#uses) if (use.device === key) use.ts = event.ts;
  }

  #useAll(event: EventView, attached: Attached): void {
    for (const [ip] of givenAddresses(this.#devices.find(event))) this.#use(event, attached, ip);
  }

  #use(event: EventView, { segment, mac }: Attached, ip: string): void {
    if (isOwnAffair(ip)) return;
    const about = `${segment} ${ip}`;
    const before = this.#uses.get(about);
    const name = deviceName(event, this.#devices.find(event));
    const use = { mac, device: keyOf(event), name, ts: event.ts, ref: event.ref() };
    this.#uses.set(about, use);
    if (before && before.mac !== mac && event.ts - before.ts < FORGOTTEN_NS)
      this.#pending.set(about, { before, use, ip, segment, who: whoOf(event) });
    else if (before?.mac === mac && this.#pending.has(about)) return;
    else this.#pending.delete(about);
  }

  #giveUp(device: string, ip: string): void {
    for (const [about, pending] of this.#pending)
      if (pending.use.device === device && pending.ip === ip) this.#pending.delete(about);
  }

  #advertise(event: EventView, key: string): void {
    const segment = `${event.text('peer_netns')} ${event.u32('bridge')}`;
    const ip = event.text('ip');
    const pending = this.#pending.get(`${segment} ${ip}`);
    if (pending && pending.use.device === key && pending.use.mac === event.text('mac'))
      this.#pending.delete(`${segment} ${ip}`);
  }

  #expire(now: number): void {
    for (const [about, { before, use, ip, segment, who }] of this.#pending) {
      // Oldest first: the rest is younger still.
      if (now - use.ts < LIMIT_NS) return;
      this.#pending.delete(about);
      const [netns, bridge] = segment.split(' ');
      this.#context.violate({
        object: `${ip} on bridge ifindex ${bridge} (netns ${netns})`,
        sentence: `${ip} came back on ${use.name} with ${use.mac} (${who}), ${duration(use.ts - before.ts)} after it was last seen with ${before.mac} on ${before.name}, and nobody has advertised it for ${duration(now - use.ts)}: neighbours still send to ${before.mac}`,
        evidence: [before.ref, use.ref],
      });
    }
  }
}

export default defineInvariant({
  name: 'link.never-advertised',
  severity: 'warning',
  claim: 'an IP address that appears on a bridge with another MAC than before is advertised within 10 s',
  object: '(segment, IP)',
  source: 'RFC 5227 3, RFC 4861 7.2.6: container engines reuse addresses at once, with new MACs',
  needs: [
    ...DEVICE_KINDS,
    'link_up',
    'link_down',
    'link_change',
    'link_mac_change',
    'link_move',
    'link_port_state',
    'link_route_add',
    'link_advertise',
  ],
  picture: [
    { from: 'absent', event: 'link_up', to: 'in use' },
    { from: 'in use', event: 'link_down', to: 'remembered' },
    { from: 'remembered', event: 'link_up', to: 'with another MAC' },
    { from: 'with another MAC', event: 'link_advertise', to: 'in use' },
  ],
  start: (context) => new NeverAdvertised(context),
});
