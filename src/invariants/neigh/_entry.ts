// How events name a neighbour entry and who asked for a change of it.

import type { EventView } from '../../decode/event-view.ts';

/** NEIGH_UPDATE_F_ADMIN (include/net/neighbour.h): asked for by a request, not learned; it was bit 31 before 5.16, and is bit 7. */
const ADMIN = 0x8000_0080;
/** NEIGH_UPDATE_F_USE and _MANAGED: the kernel is to look after the entry, which keeps its state and MAC; the same story. */
const KEPT = 0x1000_0018;
/** NUD_VALID: PERMANENT, NOARP, REACHABLE, PROBE, STALE, DELAY (include/net/neighbour.h). */
const VALID = 0xde;
/** RTM_NEWNEIGH of a neigh_request. */
export const ADD = 28;
/** NUD_NOARP: also what the kernel makes of broadcast and multicast by itself (net/ipv4/arp.c, arp_constructor). */
export const NOARP = 0x40;
export const EEXIST = -17;

export function entryOf(event: EventView): string {
  return `${event.text('netns')} ${event.u32('ifindex')} ${event.text('ip')}`;
}

export function nameOf(event: EventView): string {
  return `neighbour ${event.text('ip')} on ifindex ${event.u32('ifindex')} (netns ${event.text('netns')})`;
}

export function whoOf(event: EventView): string {
  return `thread ${event.tid} of process ${event.pid} (netlink port ${event.u32('portid')})`;
}

export function isValid(nud: number): boolean {
  return (nud & VALID) !== 0;
}

/** Of a neigh_update: whether a request changes the entry itself. */
export function isRequest(event: EventView): boolean {
  const flags = event.u32('update_flags');
  return (flags & KEPT) === 0 && (event.u32('portid') !== 0 || (flags & ADMIN) !== 0);
}
