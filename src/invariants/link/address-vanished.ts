// An address that went without being deleted is not used any more: neither advertised, nor routed with.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { DEVICE_KINDS, Devices, deviceName, keyOf, oldKeyOf } from './_devices.ts';
import { duration, isOwnAffair, nameDevice, refusal, samePrefix, whoOf } from './_words.ts';

const VANISHED_MAX = 16_384;
const ANY = '::';
const EEXIST = -17;
/** LINK_REASON_* of bpf/probes/link-records.bpf.h: nobody asked for these. Moves and the end of a device speak for themselves. */
const UNASKED: Readonly<Record<number, string>> = {
  2: 'when a sysctl switched IPv6 off',
  3: 'when the device went down',
  6: 'when its lifetime ended',
  7: 'because another host has it',
};

interface Vanished {
  readonly ip: string;
  readonly prefix: number;
  readonly family: number;
  readonly device: string;
  readonly name: string;
  readonly how: string;
  readonly ts: number;
  readonly evidence: readonly EventRef[];
}

class AddressVanished implements Stepper {
  readonly #context: InvariantContext;
  readonly #devices: Devices;
  /** By device and address. */
  readonly #vanished: RecentMap<Vanished>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new Devices(context);
    this.#vanished = new RecentMap(context, VANISHED_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.link_advertise:
        this.#advertise(event);
        return;
      case KIND.link_route_add:
        this.#route(event);
        return;
      case KIND.link_address_delete:
        this.#delete(event);
        break;
      case KIND.link_address_add:
        this.#vanished.delete(`${keyOf(event)} ${event.text('ip')}`);
        break;
      case KIND.link_register:
      case KIND.link_unregister:
        this.#forget([keyOf(event)]);
        break;
      case KIND.link_move_done:
        if (event.u32('result') === 0 && oldKeyOf(event) !== keyOf(event))
          this.#forget([keyOf(event), oldKeyOf(event)]);
        break;
      default:
        break;
    }
    this.#devices.follow(event);
  }

  gap(): void {
    this.#context.unknown(this.#devices.size + this.#vanished.size);
    this.#devices.clear();
    this.#vanished.clear();
  }

  #delete(event: EventView): void {
    const unasked = UNASKED[event.u32('reason')];
    const ip = event.text('ip');
    if (unasked === undefined || isOwnAffair(ip)) return;
    const device = this.#devices.find(event);
    const assigned = device?.addresses.get(ip);
    const given = assigned
      ? `, ${duration(event.ts - assigned.ts)} after ${assigned.who} had assigned it`
      : '';
    this.#vanished.set(`${keyOf(event)} ${ip}`, {
      ip,
      prefix: event.u32('prefix'),
      family: event.u32('family'),
      device: keyOf(event),
      name: deviceName(event, device),
      how: `${unasked} (${whoOf(event)})${given}`,
      ts: event.ts,
      evidence: assigned ? [assigned.ref, event.ref()] : [event.ref()],
    });
  }

  /** The device is another one now. */
  #forget(places: readonly string[]): void {
    for (const [key, { device }] of this.#vanished) if (places.includes(device)) this.#vanished.delete(key);
  }

  #advertise(event: EventView): void {
    const ip = event.text('ip');
    const vanished = this.#vanished.get(`${keyOf(event)} ${ip}`);
    const name = nameDevice(event.text('name'), event.u32('ifindex'), event.text('netns'));
    if (vanished) this.#tell(event, { ...vanished, name }, `advertises it at ${event.text('mac')}`);
  }

  #route(event: EventView): void {
    const source = event.text('source');
    const gateway = event.text('gateway');
    if (source === ANY && gateway === ANY) return;
    const key = keyOf(event);
    const result = event.u32('result');
    // A request may leave the device to the gateway; the kernel then finds none.
    const anywhere = event.u32('ifindex') === 0;
    if (anywhere && (result >= 0 || result === EEXIST)) return;
    const others = [...(this.#devices.find(event)?.addresses ?? [])];
    for (const [, vanished] of this.#vanished) {
      const isHere = anywhere
        ? vanished.device.startsWith(`${event.text('netns')} `)
        : vanished.device === key;
      if (!isHere || vanished.family !== event.u32('family')) continue;
      const { ip, prefix } = vanished;
      const reached = others.some(([other, assigned]) => samePrefix(other, gateway, assigned.prefix));
      if (source !== ip && (gateway === ANY || reached || !samePrefix(gateway, ip, prefix))) continue;
      const through = gateway === ANY ? 'with it as the source' : `via ${gateway} by it`;
      this.#tell(event, vanished, `routes ${through}${result < 0 ? ` (${refusal(result)})` : ''}`);
      return;
    }
  }

  #tell(event: EventView, { ip, name, how, ts, device, evidence }: Vanished, use: string): void {
    // Once is enough until it is assigned again.
    this.#vanished.delete(`${device} ${ip}`);
    this.#context.violate({
      object: `${ip} of ${name}`,
      sentence: `${ip} vanished from ${name} ${how}, but ${duration(event.ts - ts)} later ${whoOf(event)} ${use}`,
      evidence,
    });
  }
}

export default defineInvariant({
  name: 'link.address-vanished',
  claim: 'an address that went without having been deleted is neither advertised nor routed with afterwards',
  object: '(interface, address)',
  source: 'net/ipv6/addrconf.c: addrconf_ifdown takes all addresses away when disable_ipv6 is set',
  needs: [...DEVICE_KINDS, 'link_advertise', 'link_route_add'],
  picture: [
    { from: 'absent', event: 'link_address_add', to: 'assigned' },
    { from: 'assigned', event: 'link_address_delete', to: 'vanished' },
    { from: 'vanished', event: 'link_address_add', to: 'assigned' },
    { from: 'assigned', event: 'link_advertise', to: 'assigned' },
  ],
  start: (context) => new AddressVanished(context),
});
