// The policies known of each namespace, and which of them the kernel applies to a VXLAN packet.

import { BlockList } from 'node:net';
import type { InvariantContext } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import type { EventRef } from '../../model/violation.ts';
import { requester } from './_words.ts';

const POLICIES_MAX = 65_536;
const AF_INET6 = 10;
const UDP = 17;
/** include/uapi/linux/xfrm.h: XFRM_POLICY_OUT, XFRM_POLICY_ALLOW. */
export const OUT = 1;
const ALLOW = 0;
const UNSPECIFIED = new Set(['0.0.0.0', '::', '']);

export interface Policy {
  readonly netns: string;
  readonly index: number;
  readonly direction: number;
  readonly priority: number;
  readonly daddr: string;
  readonly saddr: string;
  readonly daddrPrefix: number;
  readonly mark: number;
  readonly markMask: number;
  /** Its template, if it wants a state at all. */
  readonly template: Template | null;
  readonly name: string;
  /** Who added it; null if it existed before the recording. */
  readonly by: string | null;
  readonly ref: EventRef;
  /** What its selector says beside the mark; equal for a policy and its successor. */
  readonly selector: string;
  readonly covers: (packet: Packet) => boolean;
}

export interface Template {
  readonly daddr: string;
  readonly saddr: string;
  readonly spi: string;
  readonly reqid: number;
  readonly proto: number;
  readonly mode: number;
}

/** A VXLAN packet between two VTEPs. */
export interface Packet {
  readonly src: string;
  readonly dst: string;
  readonly mark: number;
  readonly dport: number;
  readonly family: number;
}

export function isUnspecified(address: string): boolean {
  return UNSPECIFIED.has(address);
}

/** The peer that an outgoing policy leads to: its template's, or the one address it selects; undefined if there are many. */
export function peerOf(policy: Policy): string | undefined {
  if (policy.direction !== OUT || !policy.template) return undefined;
  if (!isUnspecified(policy.template.daddr)) return policy.template.daddr;
  return policy.daddrPrefix === (policy.daddr.includes(':') ? 128 : 32) ? policy.daddr : undefined;
}

export function readPolicy(event: EventView, existed = false): Policy {
  const [daddr, saddr] = [event.text('daddr'), event.text('saddr')];
  const [daddrPrefix, saddrPrefix] = [event.u32('daddr_prefix'), event.u32('saddr_prefix')];
  const [family, direction] = [event.u32('family'), event.u32('direction')];
  const [protocol, sport, dport] = [event.u32('sel_proto'), event.u32('sport'), event.u32('dport')];
  const [mark, markMask, ifId] = [event.u32('mark'), event.u32('mark_mask'), event.u32('if_id')];
  const wanted = event.u32('proto') !== 0 && event.u32('action') === ALLOW;
  const version = family === AF_INET6 ? 'ipv6' : 'ipv4';
  const sources = prefix(saddr, saddrPrefix, version);
  const destinations = prefix(daddr, daddrPrefix, version);
  const way = ['in', 'out', 'forward'][direction] ?? `direction ${direction}`;
  return {
    netns: event.text('netns'),
    index: event.u32('index'),
    direction,
    priority: event.u32('priority'),
    daddr,
    saddr,
    daddrPrefix,
    mark,
    markMask,
    template: wanted
      ? {
          daddr: event.text('tmpl_daddr'),
          saddr: event.text('tmpl_saddr'),
          spi: event.text('tmpl_spi'),
          reqid: event.u32('reqid'),
          proto: event.u32('proto'),
          mode: event.u32('mode'),
        }
      : null,
    name: `${way} policy ${saddr}/${saddrPrefix} to ${daddr}/${daddrPrefix}${markMask ? ` mark 0x${mark.toString(16)}` : ''}`,
    by: existed ? null : requester(event),
    ref: event.ref(),
    selector: [direction, family, saddr, saddrPrefix, daddr, daddrPrefix, protocol, sport, dport, ifId].join(
      ' ',
    ),
    // xfrm_policy_match: a policy of an interface id is for that interface's packets alone; VXLAN's source port varies.
    covers: (packet) =>
      direction === OUT &&
      ifId === 0 &&
      sport === 0 &&
      family === packet.family &&
      (protocol === 0 || protocol === UDP) &&
      (dport === 0 || dport === packet.dport) &&
      (packet.mark & markMask) >>> 0 === mark &&
      sources.check(packet.src, version) &&
      destinations.check(packet.dst, version),
  };
}

function prefix(address: string, length: number, version: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  // A damaged recording may say anything.
  try {
    list.addSubnet(address, length, version);
  } catch {}
  return list;
}

export class Policies {
  /** By netns and index, which no two policies of a namespace share. */
  readonly #policies: RecentMap<Policy>;

  constructor(context: InvariantContext) {
    this.#policies = new RecentMap(context, POLICIES_MAX);
  }

  get size(): number {
    return this.#policies.size;
  }

  values(): Iterable<Policy> {
    return this.#policies.values();
  }

  keep(event: EventView, existed = false): Policy {
    const policy = readPolicy(event, existed);
    this.#policies.set(`${policy.netns} ${policy.index}`, policy);
    return policy;
  }

  /** Removes the policy that a delete is about; undefined if it was not known. */
  delete(event: EventView): Policy | undefined {
    const key = `${event.text('netns')} ${event.u32('index')}`;
    const policy = this.#policies.get(key);
    this.#policies.delete(key);
    return policy;
  }

  /** The one the kernel would apply: of those that cover the packet the one of least priority number, then the oldest. */
  applied(netns: string, packet: Packet): Policy | undefined {
    let best: Policy | undefined;
    for (const policy of this.#policies.values())
      if (policy.netns === netns && (!best || policy.priority < best.priority) && policy.covers(packet))
        best = policy;
    return best;
  }

  clear(): void {
    this.#policies.clear();
  }
}
