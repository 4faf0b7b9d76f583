// A device that advertises one of its addresses does so with the MAC that it has now.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { DEVICE_KINDS, Devices, deviceName, keyOf } from './_devices.ts';
import { duration, whoOf } from './_words.ts';

const DEVICES_MAX = 16_384;
/** A device's earlier MACs that are kept. */
const MACS_MAX = 4;
/** RFC 5798, 7.3: addresses of virtual routers, which no device has as its own. */
const VIRTUAL_ROUTER = /^00:00:5e:00:0[12]:/;

interface Change {
  readonly mac: string;
  readonly who: string;
  readonly ts: number;
  readonly ref: EventRef;
}

class WrongMac implements Stepper {
  readonly #context: InvariantContext;
  readonly #devices: Devices;
  /** By device, latest last: the MACs it had. */
  readonly #changes: RecentMap<readonly Change[]>;
  /** By device and address: the wrong MAC that was already told. */
  readonly #told: RecentMap<string>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new Devices(context);
    this.#changes = new RecentMap(context, DEVICES_MAX);
    this.#told = new RecentMap(context, DEVICES_MAX);
  }

  step(event: EventView): void {
    const key = keyOf(event);
    switch (event.kindNumber) {
      case KIND.link_advertise:
        this.#advertise(event, key);
        return;
      case KIND.link_mac_change:
        this.#changes.set(key, [
          ...(this.#changes.get(key) ?? []).slice(1 - MACS_MAX),
          { mac: event.text('mac'), who: whoOf(event), ts: event.ts, ref: event.ref() },
        ]);
        return;
      case KIND.link_unregister:
        this.#changes.delete(key);
        for (const [about] of this.#told) if (about.startsWith(`${key} `)) this.#told.delete(about);
        break;
      case KIND.link_move_done: {
        const old = `${event.text('old_netns')} ${event.u32('old_ifindex')}`;
        const changes = this.#changes.get(old);
        if (changes && event.u32('result') === 0) {
          this.#changes.delete(old);
          this.#changes.set(key, changes);
        }
        break;
      }
      default:
        break;
    }
    this.#devices.follow(event);
  }

  gap(): void {
    this.#context.unknown(this.#devices.size + this.#changes.size);
    this.#devices.clear();
    this.#changes.clear();
    this.#told.clear();
  }

  #advertise(event: EventView, key: string): void {
    const mac = event.text('mac');
    const now = event.text('device_mac');
    const ip = event.text('ip');
    const about = `${key} ${ip}`;
    if (mac === now) {
      this.#told.delete(about);
      return;
    }
    const changes = this.#changes.get(key) ?? [];
    const had = changes.some((change) => change.mac === mac);
    const device = this.#devices.find(event);
    // What passes through a port, or another's packet, names addresses that aren't the device's.
    if (VIRTUAL_ROUTER.test(mac) || (!had && !device?.addresses.has(ip))) return;
    if (this.#told.get(about) === mac) return;
    this.#told.set(about, mac);
    const name = deviceName(event, device);
    const last = changes.at(-1);
    const since = last ? ` since ${last.who} changed it ${duration(event.ts - last.ts)} before` : '';
    this.#context.violate({
      object: name,
      sentence: `${whoOf(event)} advertised ${ip} at ${mac} on ${name}, but the device's MAC is ${now}${since}`,
      evidence: last ? [last.ref] : [],
    });
  }
}

export default defineInvariant({
  name: 'link.wrong-mac-advertised',
  claim: 'an address is advertised with the MAC that its device has at that moment',
  object: 'interface',
  source: 'RFC 5227, RFC 4861 7.2.6: repeats go out over seconds, in which the MAC may change',
  needs: [...DEVICE_KINDS, 'link_mac_change', 'link_advertise'],
  picture: [
    { from: 'one MAC', event: 'link_advertise', to: 'one MAC' },
    { from: 'one MAC', event: 'link_mac_change', to: 'another MAC' },
  ],
  start: (context) => new WrongMac(context),
});
