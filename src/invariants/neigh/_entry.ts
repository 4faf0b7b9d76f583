// How events name a neighbour entry and who asked for a change of it.

import type { EventView } from '../../decode/event-view.ts';

/** NEIGH_UPDATE_F_ADMIN (include/net/neighbour.h): asked for by a request, not learned from a packet. */
const ADMIN = 0x8000_0000;
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

/** Of a neigh_update. */
export function isRequest(event: EventView): boolean {
  return event.u32('portid') !== 0 || (event.u32('update_flags') & ADMIN) !== 0;
}
