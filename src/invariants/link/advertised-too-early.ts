// What a device tells of its addresses must be told when somebody can hear it: with a carrier, through a forwarding port.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { keyOf } from './_devices.ts';
import { duration, nameDevice, whoOf } from './_words.ts';

const DEVICES_MAX = 16_384;
/** BR_STATE_* (include/uapi/linux/if_bridge.h) of ports that pass nothing on. */
const SILENT: Readonly<Record<number, string>> = {
  0: 'DISABLED',
  1: 'LISTENING',
  2: 'LEARNING',
  4: 'BLOCKING',
};

interface Since {
  readonly ts: number;
  readonly ref: EventRef;
}

class AdvertisedTooEarly implements Stepper {
  readonly #context: InvariantContext;
  /** By device: when it went up, and when its port got its state. */
  readonly #up: RecentMap<Since>;
  readonly #ports: RecentMap<Since>;
  /** By device and address, what was already told. */
  readonly #told: RecentMap<string>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#up = new RecentMap(context, DEVICES_MAX);
    this.#ports = new RecentMap(context, DEVICES_MAX);
    this.#told = new RecentMap(context, DEVICES_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.link_up:
        this.#beginAnew(event);
        this.#up.set(keyOf(event), { ts: event.ts, ref: event.ref() });
        break;
      case KIND.link_port_state:
        this.#ports.set(keyOf(event), { ts: event.ts, ref: event.ref() });
        break;
      case KIND.link_unregister:
        this.#beginAnew(event);
        this.#up.delete(keyOf(event));
        this.#ports.delete(keyOf(event));
        break;
      default:
        this.#advertise(event);
        break;
    }
  }

  gap(): void {
    this.#context.unknown(this.#up.size + this.#ports.size);
    this.#up.clear();
    this.#ports.clear();
    this.#told.clear();
  }

  /** What was told is told again when it happens again. */
  #beginAnew(event: EventView): void {
    for (const [about] of this.#told) if (about.startsWith(`${keyOf(event)} `)) this.#told.delete(about);
  }

  #advertise(event: EventView): void {
    const state = event.u32('port_state');
    const device = keyOf(event);
    const ip = event.text('ip');
    const cause = event.u32('carrier') === 0 ? 'carrier' : SILENT[state];
    const about = `${device} ${ip}`;
    const same = this.#told.get(about) === cause;
    if (cause === undefined) this.#told.delete(about);
    else this.#told.set(about, cause);
    if (cause === undefined || same) return;
    const name = nameDevice(event.text('name'), event.u32('ifindex'), event.text('netns'));
    const up = this.#up.get(device);
    const when = up ? `, ${duration(event.ts - up.ts)} after it went up` : '';
    const peer = event.u32('peer_ifindex');
    const port = peer
      ? nameDevice(event.text('peer_name'), peer, event.text('peer_netns'))
      : `port ${event.text('name')}`;
    const sinceKey = peer ? `${event.text('peer_netns')} ${peer}` : device;
    const since = cause === 'carrier' ? undefined : this.#ports.get(sinceKey);
    const why =
      cause === 'carrier'
        ? `it has no carrier yet${peer ? ` from ${port}` : ''}: the packet is thrown away`
        : `its bridge port ${port} is ${cause}, not FORWARDING: nobody hears it`;
    this.#context.violate({
      object: name,
      sentence: `${whoOf(event)} advertised ${ip} at ${event.text('mac')} on ${name}${when}, but ${why}`,
      evidence: [up?.ref, since?.ref].filter((ref) => ref !== undefined).sort((a, b) => a.ts - b.ts),
    });
  }
}

export default defineInvariant({
  name: 'link.advertised-too-early',
  claim:
    'a gratuitous ARP or unsolicited neighbour advertisement is sent when the device has a carrier and its bridge port forwards',
  object: 'interface',
  source:
    'RFC 5227, RFC 4861 7.2.6; net/bridge/br_forward.c: should_deliver; container engines advertise once the port forwards',
  needs: ['link_up', 'link_unregister', 'link_port_state', 'link_advertise'],
  picture: [
    { from: 'down', event: 'link_up', to: 'up' },
    { from: 'up', event: 'link_port_state', to: 'forwarding' },
    { from: 'forwarding', event: 'link_advertise', to: 'forwarding' },
    { from: 'forwarding', event: 'link_port_state', to: 'up' },
  ],
  start: (context) => new AdvertisedTooEarly(context),
});
