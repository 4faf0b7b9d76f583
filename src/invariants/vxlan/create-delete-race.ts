// Making and programming a VNI must not overlap with deleting its device by another thread.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';

/** Later than this after a deletion, programming is not in a race with it but plainly wrong. */
const RACE_NS = 2e9;
const EEXIST = -17;
const ENODEV = -19;
/** RTM_NEWNEIGH. */
const ADD = 28;

interface Step {
  readonly tid: number;
  readonly who: string;
  readonly ts: number;
  readonly ref: EventRef;
}

interface Gone extends Step {
  readonly vni: number;
  readonly linkNetns: string;
  readonly name: string;
}

/** What is under way on a device: it was taken down, and programmed all the same. */
interface UnderWay {
  readonly down: Step;
  programmed: (Step & { readonly what: string }) | null;
  /** How often it was flushed since it was programmed. */
  flushes: number;
}

class CreateDeleteRace implements Stepper {
  readonly #context: InvariantContext;
  /** Deleted devices by (netns, ifindex). */
  readonly #gone: RecentMap<Gone>;
  readonly #underWay: RecentMap<UnderWay>;
  /** Devices refused because their VNI was taken, by (link netns, VNI). */
  readonly #refused: RecentMap<Step>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#gone = new RecentMap(context);
    this.#underWay = new RecentMap(context);
    this.#refused = new RecentMap(context);
  }

  step(event: EventView): void {
    const device = `${event.text('netns')} ${event.u32('ifindex')}`;
    switch (event.kindNumber) {
      case KIND.vxlan_device_add:
        this.#gone.delete(device);
        this.#underWay.delete(device);
        break;
      case KIND.vxlan_device_move:
        this.#gone.delete(`${event.text('to_netns')} ${event.u32('to_ifindex')}`);
        this.#underWay.delete(device);
        break;
      case KIND.vxlan_device_refused:
        if (event.u32('result') === EEXIST) this.#refused.set(vniOf(event), stepOf(event));
        break;
      case KIND.vxlan_flush:
        this.#flush(event, device);
        break;
      case KIND.vxlan_device_delete:
        this.#delete(event, device);
        break;
      default:
        this.#program(event, device);
    }
  }

  gap(): void {
    this.#gone.forget();
    this.#underWay.forget();
    this.#refused.forget();
  }

  /** Without a request for it, the device is going down: the first thing that a deletion does. */
  #flush(event: EventView, device: string): void {
    if (event.u32('portid') !== 0) return;
    const underWay = this.#underWay.get(device);
    if (underWay?.programmed && underWay.down.tid === event.tid && event.ts - underWay.down.ts <= RACE_NS)
      underWay.flushes++;
    else this.#underWay.set(device, { down: stepOf(event), programmed: null, flushes: 0 });
  }

  #program(event: EventView, device: string): void {
    if (event.u32('operation') !== ADD) return;
    const what =
      event.kindNumber === KIND.neigh_request
        ? `neighbour ${event.text('ip')}`
        : `the entry of ${event.text('mac')} behind ${event.text('remote')}`;
    if (event.u32('result') === ENODEV) this.#late(event, device, what);
    if (event.u32('result') !== 0) return;
    const underWay = this.#underWay.get(device);
    if (!underWay || underWay.down.tid === event.tid) return;
    underWay.programmed = { ...stepOf(event), what };
    underWay.flushes = 0;
  }

  #late(event: EventView, device: string, what: string): void {
    const gone = this.#gone.get(device);
    if (!gone || gone.tid === event.tid || event.ts - gone.ts > RACE_NS) return;
    this.#gone.delete(device);
    const ms = ((event.ts - gone.ts) / 1e6).toFixed(1);
    this.#tell(
      gone,
      `${whoOf(event)} programmed ${what} for VNI ${gone.vni} ${ms} ms after ${gone.who} had deleted its device ${gone.name}`,
      [gone.ref],
    );
  }

  #delete(event: EventView, device: string): void {
    const gone = {
      ...stepOf(event),
      vni: event.u32('vni'),
      linkNetns: event.text('link_netns'),
      name: event.text('device'),
    };
    const underWay = this.#underWay.get(device);
    const refused = this.#refused.get(vniOf(event));
    this.#underWay.delete(device);
    this.#refused.delete(vniOf(event));
    this.#gone.set(device, gone);
    const { down, programmed, flushes = 0 } = underWay ?? {};
    // A deletion flushes once, and once more if it finds the device up: then it was not taken down to be deleted.
    const isDown = flushes <= 1;
    if (down && programmed && isDown && down.tid === event.tid && event.ts - down.ts <= RACE_NS)
      this.#tell(
        gone,
        `${programmed.who} programmed ${programmed.what} for VNI ${gone.vni} while ${gone.who} was deleting its device ${gone.name}`,
        [down.ref, programmed.ref],
      );
    if (refused && refused.tid !== event.tid && event.ts - refused.ts <= RACE_NS)
      this.#tell(
        gone,
        `${refused.who} made a device for VNI ${gone.vni} again, and was refused, before ${gone.who} had deleted the old one, ${gone.name}`,
        [refused.ref],
      );
  }

  #tell(gone: Gone, sentence: string, evidence: readonly EventRef[]): void {
    this.#context.violate({ object: `vni ${gone.vni} (netns ${gone.linkNetns})`, sentence, evidence });
  }
}

function vniOf(event: EventView): string {
  return `${event.text('link_netns')} ${event.u32('vni')}`;
}

function whoOf(event: EventView): string {
  return `thread ${event.tid} of process ${event.pid}`;
}

function stepOf(event: EventView): Step {
  return { tid: event.tid, who: whoOf(event), ts: event.ts, ref: event.ref() };
}

export default defineInvariant({
  name: 'vxlan.create-delete-race',
  claim: 'while one thread deletes the device of a VNI, and after that, no other makes or programs it',
  object: 'VNI',
  source: 'overlay soundness: network deletion races with re-creation; drivers/net/vxlan: vxlan_dellink',
  needs: [
    'vxlan_device_add',
    'vxlan_device_move',
    'vxlan_device_refused',
    'vxlan_device_delete',
    'vxlan_flush',
    'vxlan_fdb_request',
    'neigh_request',
  ],
  picture: [
    { from: 'there', event: 'vxlan_flush', to: 'going' },
    { from: 'going', event: 'vxlan_device_delete', to: 'gone' },
    { from: 'gone', event: 'vxlan_device_add', to: 'there' },
  ],
  start: (context) => new CreateDeleteRace(context),
});
