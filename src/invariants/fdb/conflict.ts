// A MAC is behind one VTEP: it must not be given another while somebody still claims the first.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import {
  deviceName,
  deviceOf,
  entryOf,
  isLearned,
  isStatic,
  isUnicast,
  isUnspecified,
  objectOf,
  whoOf,
} from './_entry.ts';

/** RTM_NEWNEIGH, and NLM_F_APPEND of include/uapi/linux/netlink.h. */
const ADD = 28;
const APPEND = 0x800;
const EEXIST = -17;
/** Threads whose requests are in the kernel at once. */
const THREADS_MAX = 4096;

/** Who put a MAC behind which VTEP. */
interface Claim {
  readonly remote: string;
  readonly who: string | null;
  readonly pid: number;
  readonly device: string;
  readonly ref: EventRef;
}

class Conflict implements Stepper {
  readonly #context: InvariantContext;
  /** By (netns, ifindex, VNI, MAC): the claim that holds. */
  readonly #claims: RecentMap<Claim>;
  /** By thread: the claim that was there before the update its request made; the request follows. */
  readonly #before: RecentMap<{ readonly key: string; readonly claim: Claim }>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#claims = new RecentMap(context);
    this.#before = new RecentMap(context, THREADS_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.vxlan_fdb_exists:
        if (isStatic(event) && isUnicast(event.text('mac'))) this.#claim(event, null);
        break;
      case KIND.vxlan_fdb_update:
        this.#update(event);
        break;
      case KIND.vxlan_fdb_delete:
        if (this.#claims.get(entryOf(event))?.remote === event.text('remote'))
          this.#claims.delete(entryOf(event));
        break;
      case KIND.vxlan_fdb_request:
        this.#request(event);
        break;
      case KIND.vxlan_learn_refused:
        this.#refused(event);
        break;
      case KIND.vxlan_device_move:
        this.#move(event);
        break;
      default:
        for (const [key] of this.#claims) if (key.startsWith(`${deviceOf(event)} `)) this.#claims.delete(key);
    }
  }

  gap(): void {
    this.#claims.forget();
    this.#before.forget();
  }

  #claim(event: EventView, who: string | null): void {
    const remote = event.text('remote');
    this.#claims.set(entryOf(event), {
      remote,
      who,
      pid: event.pid,
      device: deviceName(event),
      ref: event.ref(),
    });
  }

  #update(event: EventView): void {
    const key = entryOf(event);
    this.#before.delete(String(event.tid));
    if (!isUnicast(event.text('mac'))) return;
    // What is learned moves with the packets, and claims nothing.
    if (isLearned(event) || event.u32('portid') === 0) {
      if (this.#claims.get(key)?.remote !== event.text('remote')) this.#claims.delete(key);
      return;
    }
    const claim = this.#claims.get(key);
    if (claim) this.#before.set(String(event.tid), { key, claim });
    this.#claim(event, whoOf(event));
  }

  #request(event: EventView): void {
    const mac = event.text('mac');
    const before = this.#before.get(String(event.tid));
    this.#before.delete(String(event.tid));
    const remote = event.text('remote');
    const result = event.u32('result');
    if (event.u32('operation') !== ADD || !isUnicast(mac) || isUnspecified(remote)) return;
    // The request alone doesn't say for which VNI of a device of many.
    const isUpdated = before?.key.startsWith(`${deviceOf(event)} `) && before.key.endsWith(` ${mac}`);
    const earlier = isUpdated ? before?.claim : undefined;
    const now = this.#claims.get(entryOf(event));
    if (now && now.remote !== remote && (result === EEXIST || result === 0)) {
      // Of entries that exist only those of several remotes are appended to (vxlan_fdb_update_existing).
      const why = result === 0 ? 'accepts it without effect' : 'refuses it with EEXIST';
      this.#tell(event, 'wanted to put', earlier ?? now, `stays (the kernel ${why})`);
      return;
    }
    if (result !== 0 || !earlier || earlier.remote === remote) return;
    if (event.u32('nlmsg_flags') & APPEND)
      this.#tell(event, 'put', earlier, 'stays beside it: every packet goes to both');
    // One authority may move what it has placed itself (RFC 7432, 15: MAC mobility); of what was there before, nobody knows whose it is.
    else if (earlier.who !== null && earlier.pid !== event.pid)
      this.#tell(event, 'put', earlier, 'was silently replaced');
  }

  #tell(event: EventView, did: string, claim: Claim, outcome: string): void {
    this.#context.violate({
      object: objectOf(event),
      sentence: `${whoOf(event)} ${did} ${event.text('mac')} behind ${event.text('remote')} on ${claim.device}, but it is behind ${claim.remote}${claim.who ? ` by ${claim.who}` : ''}, which ${outcome}`,
      evidence: [claim.ref],
    });
  }

  #refused(event: EventView): void {
    const claim = this.#claims.get(entryOf(event));
    this.#context.violate({
      object: objectOf(event),
      sentence: `${event.u53('packets')} packets from ${event.text('mac')} came from ${event.text('remote')} and were dropped by ${claim?.device ?? deviceName(event)}: its entry says that it is behind ${claim?.remote ?? 'another VTEP'}${claim?.who ? `, by ${claim.who}` : ''}`,
      evidence: claim ? [claim.ref] : [],
      severity: 'warning',
    });
  }

  #move(event: EventView): void {
    const from = `${deviceOf(event)} `;
    const to = `${event.text('to_netns')} ${event.u32('to_ifindex')} `;
    const moved: [string, Claim][] = [];
    for (const [key, claim] of this.#claims)
      if (key.startsWith(from)) {
        this.#claims.delete(key);
        moved.push([to + key.slice(from.length), claim]);
      }
    for (const [key, claim] of moved) this.#claims.set(key, claim);
  }
}

export default defineInvariant({
  name: 'fdb.conflict',
  claim: 'a MAC that was put behind one VTEP by request is not put behind another before it is deleted',
  object: '(netns, vxlan device, MAC)',
  source: 'drivers/net/vxlan: vxlan_fdb_update, vxlan_snoop; overlay soundness: MAC to VTEP is 1:1',
  needs: [
    'vxlan_fdb_exists',
    'vxlan_fdb_update',
    'vxlan_fdb_delete',
    'vxlan_fdb_request',
    'vxlan_learn_refused',
    'vxlan_device_move',
    'vxlan_device_delete',
  ],
  picture: [
    { from: 'absent', event: 'vxlan_fdb_update', to: 'claimed' },
    { from: 'claimed', event: 'vxlan_fdb_delete', to: 'absent' },
  ],
  start: (context) => new Conflict(context),
});
