// How events name a forwarding entry (MAC to VTEP) of a VXLAN device, and who asked for a change of it.

import type { EventView } from '../../decode/event-view.ts';

/** Of a vxlan_fdb_update or vxlan_fdb_delete: the change came with a packet (bpf/probes/vxlan-records.bpf.h). */
const LEARNED = 0x0100;
/** NUD_PERMANENT and NUD_NOARP: not learned, and never forgotten by itself. */
const STATIC = 0xc0;

export function deviceOf(event: EventView): string {
  return `${event.text('netns')} ${event.u32('ifindex')}`;
}

/** A device of many VNIs (external, collect metadata) has an entry per VNI and MAC (vxlan_fdb_insert). */
export function entryOf(event: EventView): string {
  return `${deviceOf(event)} ${event.u32('vni')} ${event.text('mac')}`;
}

/** `vx0 (ifindex 5 in netns 4098, VNI 42)`; records of dumps and requests have no name of the device. */
export function deviceName(event: EventView): string {
  const name = event.text('device');
  const place = `ifindex ${event.u32('ifindex')} in netns ${event.text('netns')}, VNI ${event.u32('vni')}`;
  return name ? `${name} (${place})` : place;
}

/** As violations name it: the same words for every kind of event. */
export function objectOf(event: EventView): string {
  return `fdb ${event.text('mac')} on ifindex ${event.u32('ifindex')} (netns ${event.text('netns')})`;
}

export function whoOf(event: EventView): string {
  return `thread ${event.tid} of process ${event.pid} (netlink port ${event.u32('portid')})`;
}

export function isLearned(event: EventView): boolean {
  return (event.flags & LEARNED) !== 0;
}

export function isStatic(event: EventView): boolean {
  return (event.u32('fdb_state') & STATIC) !== 0;
}

/** What a request leaves out: it goes to the device's default remote, or a nexthop group. */
export function isUnspecified(remote: string): boolean {
  return remote === '' || remote === '::' || remote === '0.0.0.0';
}

/** The all-zero default entry and multicast may have many remotes (vxlan_fdb_append). */
export function isUnicast(mac: string): boolean {
  return mac !== '00:00:00:00:00:00' && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0;
}
