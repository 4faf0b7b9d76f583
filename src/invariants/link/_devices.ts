// The devices that were met, with their names and addresses, as far as the events tell.

import type { InvariantContext } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { isOwnAffair, nameDevice, whoOf } from './_words.ts';

const DEVICES_MAX = 16_384;
const ADDRESSES_MAX = 1024;

/** IFF_UP (include/uapi/linux/if.h). */
export const IFF_UP = 1;

/** The kinds of event that `Devices` follows; an invariant that has one lists them among its needs. */
export const DEVICE_KINDS: readonly string[] = [
  'link_exists',
  'link_register',
  'link_unregister',
  'link_rename',
  'link_move_done',
  'link_address_exists',
  'link_address_add',
  'link_address_delete',
];

export interface Assigned {
  readonly prefix: number;
  readonly who: string;
  readonly ts: number;
  readonly ref: EventRef;
}

export interface Device {
  name: string;
  netns: string;
  ifindex: number;
  readonly addresses: Map<string, Assigned>;
}

/** Where an event's device is kept. */
export function keyOf(event: EventView): string {
  return `${event.text('netns')} ${event.u32('ifindex')}`;
}

/** Of a link_move_done: where it was kept; the same place, if it was asked into its own namespace, where it stays untouched. */
export function oldKeyOf(event: EventView): string {
  return `${event.text('old_netns')} ${event.u32('old_ifindex')}`;
}

export class Devices {
  readonly #devices: RecentMap<Device>;

  constructor(context: InvariantContext) {
    this.#devices = new RecentMap(context, DEVICES_MAX);
  }

  get size(): number {
    return this.#devices.size;
  }

  /** The event's device, if anything was told of it. */
  find(event: EventView): Device | undefined {
    return this.#devices.get(keyOf(event));
  }

  clear(): void {
    this.#devices.clear();
  }

  /** Takes over what an event says; for any other kind it does nothing. */
  follow(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.link_exists:
      case KIND.link_register:
        this.#devices.set(keyOf(event), {
          ...placeOf(event),
          name: event.text('name'),
          // Addresses may have been dumped before their device.
          addresses: event.kindNumber === KIND.link_exists ? this.#at(event).addresses : new Map(),
        });
        break;
      case KIND.link_unregister:
        this.#devices.delete(keyOf(event));
        break;
      case KIND.link_rename:
        this.#at(event).name = event.text(event.u32('result') === 0 ? 'new_name' : 'name');
        break;
      case KIND.link_move_done:
        this.#move(event);
        break;
      case KIND.link_address_exists:
      case KIND.link_address_add:
        this.#assign(event);
        break;
      case KIND.link_address_delete:
        this.find(event)?.addresses.delete(event.text('ip'));
        break;
      default:
        break;
    }
  }

  #at(event: EventView): Device {
    const known = this.find(event);
    if (known) return known;
    const device = { ...placeOf(event), name: event.text('name'), addresses: new Map<string, Assigned>() };
    this.#devices.set(keyOf(event), device);
    return device;
  }

  #move(event: EventView): void {
    if (event.u32('result') !== 0 || oldKeyOf(event) === keyOf(event)) return;
    this.#devices.delete(oldKeyOf(event));
    this.#devices.set(keyOf(event), { ...placeOf(event), name: event.text('name'), addresses: new Map() });
  }

  #assign(event: EventView): void {
    const { addresses } = this.#at(event);
    if (addresses.size >= ADDRESSES_MAX) return;
    addresses.set(event.text('ip'), {
      prefix: event.u32('prefix'),
      who: event.kindNumber === KIND.link_address_exists ? 'somebody before the recording' : whoOf(event),
      ts: event.ts,
      ref: event.ref(),
    });
  }
}

/** The addresses that somebody gave the device. */
export function givenAddresses(device: Device | undefined): [string, Assigned][] {
  return [...(device?.addresses ?? [])].filter(([ip]) => !isOwnAffair(ip));
}

/** The event's device by the best name there is. */
export function deviceName(event: EventView, device: Device | undefined): string {
  return nameDevice(event.text('name') || device?.name || '', event.u32('ifindex'), event.text('netns'));
}

function placeOf(event: EventView): { netns: string; ifindex: number } {
  return { netns: event.text('netns'), ifindex: event.u32('ifindex') };
}
