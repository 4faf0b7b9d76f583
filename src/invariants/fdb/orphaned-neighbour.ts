// A MAC's forwarding entry must not be deleted while neighbours still resolve to that MAC: it is shared by several IPs.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { deviceName, deviceOf, entryOf, isUnicast, objectOf, whoOf } from './_entry.ts';

/** A peer's neighbour may be deleted after its forwarding entry, but soon. */
const LIMIT_NS = 2e9;
/** NUD_VALID and NUD_PERMANENT of include/net/neighbour.h. */
const VALID = 0xde;
const PERMANENT = 0x80;
/** NEIGH_UPDATE_F_ADMIN, bit 31 before Linux 5.16 and bit 7 since; NEIGH_UPDATE_F_USE and _MANAGED leave the entry as it is. */
const ADMIN = 0x8000_0080;
const KEPT = 0x1000_0018;
/** RTM_NEWNEIGH, and NLM_F_APPEND of include/uapi/linux/netlink.h. */
const ADD = 28;
const APPEND = 0x800;
/** The entry for every MAC that has none (vxlan_xmit). */
const DEFAULT = '00:00:00:00:00:00';
/** Neighbours that a sentence names. */
const NAMED_MAX = 3;

interface Neighbour {
  readonly netns: string;
  readonly device: string;
  readonly mac: string;
  readonly name: string;
  readonly ref: EventRef;
}

/** Of a forwarding entry; and what they were before it was updated last. */
interface Remotes {
  now: string[];
  readonly before: readonly string[];
}

interface Deleted {
  readonly until: number;
  readonly netns: string;
  readonly mac: string;
  readonly device: string;
  readonly vni: number;
  readonly object: string;
  readonly what: string;
  readonly ref: EventRef;
}

class OrphanedNeighbour implements Stepper {
  readonly #context: InvariantContext;
  /** Programmed neighbours by (netns, ifindex, IP); and their keys by (netns, MAC). */
  readonly #neighbours: RecentMap<Neighbour>;
  readonly #byMac: RecentMap<Set<string>>;
  /** Remotes by (netns, ifindex, VNI, MAC). */
  readonly #remotes: RecentMap<Remotes>;
  /** Deleted forwarding entries whose neighbours have still to go, in the order of their deadlines. */
  readonly #deleted: RecentMap<Deleted>;
  /** By CPU: the entry that a request is about to program. */
  readonly #asked = new Map<number, string>();

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#neighbours = new RecentMap(context);
    this.#byMac = new RecentMap(context);
    this.#remotes = new RecentMap(context);
    this.#deleted = new RecentMap(context);
  }

  step(event: EventView): void {
    this.#judge(event.ts);
    switch (event.kindNumber) {
      case KIND.neigh_exists:
        if (event.u32('nud') & PERMANENT) this.#know(event);
        break;
      case KIND.neigh_update:
        this.#update(event);
        break;
      case KIND.neigh_update_done:
        this.#updated(event, neighbourKey(event));
        break;
      case KIND.neigh_timer:
        if ((event.u32('nud') & VALID) === 0) this.#forgetNeighbour(neighbourKey(event));
        break;
      case KIND.neigh_release:
        this.#forgetNeighbour(neighbourKey(event));
        break;
      case KIND.vxlan_fdb_exists:
      case KIND.vxlan_fdb_update:
        this.#programmed(event);
        break;
      case KIND.vxlan_fdb_request:
        this.#request(event);
        break;
      case KIND.vxlan_fdb_delete:
        this.#delete(event);
        break;
      case KIND.vxlan_device_delete:
      case KIND.vxlan_device_move:
        this.#deviceGone(deviceOf(event));
        break;
    }
  }

  gap(): void {
    this.#neighbours.forget();
    this.#byMac.forget();
    this.#remotes.forget();
    this.#deleted.forget();
    this.#asked.clear();
  }

  #update(event: EventView): void {
    const flags = event.u32('update_flags');
    if ((flags & KEPT) !== 0 || (event.u32('portid') === 0 && (flags & ADMIN) === 0)) return;
    const key = neighbourKey(event);
    if (event.u32('has_new_mac') && event.u32('new_nud') & VALID) this.#asked.set(event.cpu, key);
    else if ((event.u32('new_nud') & VALID) === 0) this.#forgetNeighbour(key);
  }

  #updated(event: EventView, key: string): void {
    const isAsked = this.#asked.get(event.cpu) === key;
    if (isAsked) this.#asked.delete(event.cpu);
    const isStill = (event.u32('nud') & VALID) !== 0 && this.#neighbours.get(key)?.mac === event.text('mac');
    if (isAsked && event.u32('nud') & VALID) this.#know(event);
    else if (!isStill) this.#forgetNeighbour(key);
  }

  #know(event: EventView): void {
    const key = neighbourKey(event);
    const netns = event.text('netns');
    const mac = event.text('mac');
    if (!isUnicast(mac)) return;
    this.#forgetNeighbour(key);
    const name = `${event.text('ip')} on ifindex ${event.u32('ifindex')}`;
    this.#neighbours.set(key, { netns, device: deviceOf(event), mac, name, ref: event.ref() });
    const group = `${netns} ${mac}`;
    this.#byMac.set(group, (this.#byMac.get(group) ?? new Set()).add(key));
  }

  #forgetNeighbour(key: string): void {
    const neighbour = this.#neighbours.get(key);
    if (!neighbour) return;
    this.#neighbours.delete(key);
    const group = `${neighbour.netns} ${neighbour.mac}`;
    const keys = this.#byMac.get(group);
    keys?.delete(key);
    if (keys?.size === 0) this.#byMac.delete(group);
  }

  #programmed(event: EventView): void {
    const key = entryOf(event);
    const before = this.#remotes.get(key)?.now ?? [];
    this.#remotes.set(key, { now: [event.text('remote')], before });
    this.#deleted.delete(key);
  }

  /** An update takes the place of what was there, unless the request says that it is one more. */
  #request(event: EventView): void {
    const remotes = this.#remotes.get(entryOf(event));
    if (!remotes || event.u32('result') !== 0 || (event.u32('nlmsg_flags') & APPEND) === 0) return;
    if (event.u32('operation') === ADD)
      remotes.now.push(...remotes.before.filter((one) => !remotes.now.includes(one)));
  }

  #delete(event: EventView): void {
    const key = entryOf(event);
    const mac = event.text('mac');
    const remotes = this.#remotes.get(key);
    if (remotes) remotes.now = remotes.now.filter((one) => one !== event.text('remote'));
    if (remotes && remotes.now.length > 0) return;
    this.#remotes.delete(key);
    // Without a request the whole device goes down or away, or the entry was learned and is too old.
    if (event.u32('portid') === 0 || !isUnicast(mac)) return;
    if (!this.#byMac.has(`${event.text('netns')} ${mac}`)) return;
    this.#deleted.set(key, {
      until: event.ts + LIMIT_NS,
      netns: event.text('netns'),
      mac,
      device: deviceOf(event),
      vni: event.u32('vni'),
      object: objectOf(event),
      what: `${whoOf(event)} deleted the entry of ${mac} behind ${event.text('remote')} from ${deviceName(event)}`,
      ref: event.ref(),
    });
  }

  #deviceGone(device: string): void {
    for (const [key] of this.#remotes) if (key.startsWith(`${device} `)) this.#remotes.delete(key);
    for (const [key, deleted] of this.#deleted) if (deleted.device === device) this.#deleted.delete(key);
  }

  /** Whether another VNI of the neighbour's device, or any of its namespace, leads to the MAC: that may be its way. */
  #isForwarded(mac: string, place: string): boolean {
    for (const [key] of this.#remotes)
      if (key.startsWith(`${place} `) && key.endsWith(` ${mac}`)) return true;
    return false;
  }

  #judge(now: number): void {
    for (const [key, deleted] of this.#deleted) {
      if (deleted.until > now) return;
      this.#deleted.delete(key);
      const keys = this.#byMac.get(`${deleted.netns} ${deleted.mac}`);
      const left = [...(keys ?? [])]
        .map((one) => this.#neighbours.get(one))
        .filter(
          (one): one is Neighbour =>
            one !== undefined &&
            one.ref.ts < deleted.ref.ts &&
            !this.#isForwarded(deleted.mac, one.device === deleted.device ? deleted.device : deleted.netns),
        );
      if (left.length === 0) continue;
      const names = left.slice(0, NAMED_MAX).map(({ name }) => name);
      if (left.length > names.length) names.push(`${left.length - names.length} more`);
      const them = left.length > 1 ? 'them' : 'it';
      const isFlooded = this.#remotes.has(`${deleted.device} ${deleted.vni} ${DEFAULT}`);
      const fate = isFlooded ? 'go to all default remotes' : 'have nowhere to go';
      this.#context.violate({
        object: deleted.object,
        sentence: `${deleted.what}, but ${left.length > 1 ? 'neighbours' : 'neighbour'} ${names.join(', ')} still ${left.length > 1 ? 'resolve' : 'resolves'} to it ${LIMIT_NS / 1e9} s later: packets for ${them} ${fate}`,
        evidence: [...left.slice(0, NAMED_MAX).map(({ ref }) => ref), deleted.ref],
      });
    }
  }
}

function neighbourKey(event: EventView): string {
  return `${event.text('netns')} ${event.u32('ifindex')} ${event.text('ip')}`;
}

export default defineInvariant({
  name: 'fdb.orphaned-neighbour',
  claim:
    'a forwarding entry is not deleted by request while neighbours programmed in its namespace resolve to its MAC',
  object: '(netns, vxlan device, MAC)',
  source: 'overlay soundness: several IPs behind one MAC; drivers/net/vxlan: __vxlan_fdb_delete',
  // The last ones only tell how late it is.
  needs: [
    'neigh_exists',
    'neigh_update',
    'neigh_update_done',
    'neigh_release',
    'vxlan_fdb_exists',
    'vxlan_fdb_update',
    'vxlan_fdb_delete',
    'vxlan_fdb_request',
    'vxlan_device_delete',
    'vxlan_device_move',
    'vxlan_packets',
    'vxlan_no_remote',
    'neigh_create',
    'neigh_timer',
    'task_comm',
  ],
  picture: [
    { from: 'forwarded', event: 'vxlan_fdb_delete', to: 'neighbours must go' },
    { from: 'neighbours must go', event: 'neigh_release', to: 'gone' },
    { from: 'neighbours must go', event: 'vxlan_fdb_update', to: 'forwarded' },
  ],
  start: (context) => new OrphanedNeighbour(context),
});
