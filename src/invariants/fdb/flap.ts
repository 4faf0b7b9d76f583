// A MAC should stay behind its VTEP: one that moves again and again is claimed by two.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { deviceName, deviceOf, entryOf, isLearned, isUnicast, objectOf, whoOf } from './_entry.ts';

/** RFC 7432, 15.1 has five moves, and three minutes, by default: an evening's watch would not see it. */
const MOVES_MAX = 5;
const TIME_NS = 10e9;

interface Mac {
  remote: string;
  /** Moves of the last TIME_NS, oldest first. */
  readonly moves: { readonly to: string; readonly ref: EventRef }[];
}

class Flap implements Stepper {
  readonly #context: InvariantContext;
  /** By (netns, ifindex, VNI, MAC); kept when the entry is deleted, for it may come back elsewhere. */
  readonly #macs: RecentMap<Mac>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#macs = new RecentMap(context);
  }

  step(event: EventView): void {
    if (event.kindNumber === KIND.vxlan_device_delete) {
      for (const [key] of this.#macs) if (key.startsWith(`${deviceOf(event)} `)) this.#macs.delete(key);
      return;
    }
    const macText = event.text('mac');
    const remote = event.text('remote');
    if (!isUnicast(macText)) return;
    const key = entryOf(event);
    const mac = this.#macs.get(key) ?? { remote, moves: [] };
    this.#macs.set(key, mac);
    if (mac.remote === remote) return;
    mac.remote = remote;
    const { moves } = mac;
    moves.push({ to: remote, ref: event.ref() });
    while (moves[0] && moves[0].ref.ts < event.ts - TIME_NS) moves.shift();
    if (moves.length <= MOVES_MAX) return;
    const remotes = [...new Set(moves.map(({ to }) => to))].join(' and ');
    this.#context.violate({
      object: objectOf(event),
      sentence: `${macText} on ${deviceName(event)} moved ${moves.length} times in ${TIME_NS / 1e9} s, last to ${remote} ${isLearned(event) || event.u32('portid') === 0 ? 'as packets came from there' : `by ${whoOf(event)}`}: ${remotes} claim it`,
      evidence: moves.slice(0, -1).map(({ ref }) => ref),
    });
    moves.length = 0;
  }

  gap(): void {
    this.#macs.forget();
  }
}

export default defineInvariant({
  name: 'fdb.flap',
  claim: `a MAC does not move between VTEPs more than ${MOVES_MAX} times in ${TIME_NS / 1e9} s`,
  object: '(netns, vxlan device, MAC)',
  source: 'RFC 7432, 15.1: MAC duplication; drivers/net/vxlan: vxlan_snoop',
  severity: 'warning',
  needs: ['vxlan_fdb_exists', 'vxlan_fdb_update', 'vxlan_device_delete'],
  picture: [
    { from: 'absent', event: 'vxlan_fdb_update', to: 'behind a VTEP' },
    { from: 'behind a VTEP', event: 'vxlan_fdb_update', to: 'moved' },
    { from: 'moved', event: 'vxlan_fdb_update', to: 'moved' },
    { from: 'moved', event: 'vxlan_device_delete', to: 'absent' },
  ],
  start: (context) => new Flap(context),
});
