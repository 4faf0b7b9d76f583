// A VXLAN device that comes back from a sandbox must be deleted: its VNI stays taken where its socket is.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';

/** How long whoever moved it back may take to delete it. */
const LIMIT_NS = 2e9;
const EEXIST = -17;

interface Device {
  readonly name: string;
  readonly vni: number;
  readonly linkNetns: string;
  /** The namespace it was first moved out of. */
  readonly home: string;
}

interface Stranded {
  readonly until: number;
  readonly device: Device;
  readonly netns: string;
  readonly from: string;
  readonly who: string;
  readonly ref: EventRef;
}

class VniLeak implements Stepper {
  readonly #context: InvariantContext;
  /** By (netns, ifindex). */
  readonly #devices: RecentMap<Device>;
  /** Devices that came back, by (netns, ifindex), in the order of their deadlines. */
  readonly #stranded: RecentMap<Stranded>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new RecentMap(context);
    this.#stranded = new RecentMap(context);
  }

  step(event: EventView): void {
    this.#judge(event.ts);
    const key = `${event.text('netns')} ${event.u32('ifindex')}`;
    switch (event.kindNumber) {
      case KIND.vxlan_device_move:
        this.#move(event, key);
        break;
      case KIND.vxlan_device_delete:
        this.#devices.delete(key);
        this.#stranded.delete(key);
        break;
      case KIND.vxlan_device_refused:
        this.#refused(event);
        break;
    }
  }

  gap(): void {
    this.#devices.forget();
    this.#stranded.forget();
  }

  #move(event: EventView, key: string): void {
    const netns = event.text('to_netns');
    const from = event.text('netns');
    // Into its own namespace it isn't moved at all (net/core/dev.c: __dev_change_net_namespace).
    if (netns === from) return;
    const linkNetns = event.text('link_netns');
    // One that is met away from home left its socket there (drivers/net/vxlan: vxlan_newlink).
    const home = this.#devices.get(key)?.home ?? (netns === linkNetns ? netns : from);
    const device = { name: event.text('device'), vni: event.u32('vni'), linkNetns, home };
    this.#devices.delete(key);
    this.#stranded.delete(key);
    const place = `${netns} ${event.u32('to_ifindex')}`;
    this.#devices.set(place, device);
    if (netns !== home) return;
    const who = `thread ${event.tid} of process ${event.pid}`;
    this.#stranded.set(place, { until: event.ts + LIMIT_NS, device, netns, from, who, ref: event.ref() });
  }

  /** Nobody need wait: the VNI is missed already (drivers/net/vxlan: vxlan_config_validate). */
  #refused(event: EventView): void {
    if (event.u32('result') !== EEXIST) return;
    for (const [key, stranded] of this.#stranded) {
      const { device } = stranded;
      if (device.vni !== event.u32('vni') || device.linkNetns !== event.text('link_netns')) continue;
      this.#stranded.delete(key);
      const who = `thread ${event.tid} of process ${event.pid}`;
      this.#tell(stranded, `and ${who} was refused a device of that VNI with EEXIST`);
      return;
    }
  }

  #judge(now: number): void {
    for (const [key, stranded] of this.#stranded) {
      if (stranded.until > now) return;
      this.#stranded.delete(key);
      this.#tell(stranded, `and was not deleted within ${LIMIT_NS / 1e9} s`);
    }
  }

  #tell({ device, netns, from, who, ref }: Stranded, outcome: string): void {
    this.#context.violate({
      object: `vni ${device.vni} (netns ${device.linkNetns})`,
      sentence: `VXLAN device ${device.name} was moved back to netns ${netns} from netns ${from} by ${who}, ${outcome}: VNI ${device.vni} stays taken in netns ${device.linkNetns}`,
      evidence: [ref],
    });
  }
}

export default defineInvariant({
  name: 'vxlan.vni-leak',
  claim: 'a VXLAN device that is moved back to a namespace it was moved out of is deleted soon',
  object: 'VNI',
  source:
    'overlay soundness: failed set-up of a sandbox; drivers/net/vxlan: the VNI is unique per socket namespace',
  severity: 'warning',
  // The others only tell how late it is.
  needs: [
    'vxlan_device_move',
    'vxlan_device_delete',
    'vxlan_device_refused',
    'vxlan_device_add',
    'vxlan_fdb_update',
    'vxlan_packets',
    'vxlan_no_remote',
    'task_comm',
  ],
  picture: [
    { from: 'at home', event: 'vxlan_device_move', to: 'in a sandbox' },
    { from: 'in a sandbox', event: 'vxlan_device_move', to: 'back' },
    { from: 'back', event: 'vxlan_device_delete', to: 'gone' },
  ],
  start: (context) => new VniLeak(context),
});
