// An interface that is up and carries addresses is neither renamed nor moved into another namespace.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { DEVICE_KINDS, Devices, deviceName, givenAddresses, IFF_UP } from './_devices.ts';
import { refusal, whoOf } from './_words.ts';

/** Addresses that a sentence lists. */
const LISTED = 4;
/** Threads that move a device at once. */
const MOVES_MAX = 1024;

/** An interface that is up and carries addresses. */
interface Busy {
  readonly name: string;
  readonly addresses: string;
  readonly evidence: readonly EventRef[];
}

interface Moving extends Busy {
  readonly target: string;
}

class RenameWhileUp implements Stepper {
  readonly #context: InvariantContext;
  readonly #devices: Devices;
  /** By thread: a move under way, which ends with its addresses gone. */
  readonly #moving: RecentMap<Moving, number>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new Devices(context);
    this.#moving = new RecentMap(context, MOVES_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.link_rename:
        this.#rename(event);
        break;
      case KIND.link_move:
        this.#move(event);
        break;
      case KIND.link_move_done:
        this.#moved(event);
        break;
      default:
        break;
    }
    this.#devices.follow(event);
  }

  gap(): void {
    this.#context.unknown(this.#devices.size);
    this.#devices.clear();
    this.#moving.clear();
  }

  #rename(event: EventView): void {
    const busy = this.#busyOf(event);
    if (!busy) return;
    const { name, addresses, evidence } = busy;
    this.#context.violate({
      object: name,
      sentence: `${whoOf(event)} ${renamed(event, name)} while it was up with ${addresses}`,
      evidence,
    });
  }

  #move(event: EventView): void {
    this.#moving.delete(event.tid);
    const busy = this.#busyOf(event);
    const target = event.text('new_netns');
    // Into its own namespace it isn't moved at all (net/core/dev.c: __dev_change_net_namespace).
    if (!busy || target === event.text('netns')) return;
    this.#moving.set(event.tid, { ...busy, target, evidence: [...busy.evidence, event.ref()] });
  }

  #moved(event: EventView): void {
    const moving = this.#moving.get(event.tid);
    this.#moving.delete(event.tid);
    if (!moving) return;
    const { name, addresses, target, evidence } = moving;
    const result = event.u32('result');
    const move = `${name} into netns ${target}`;
    this.#context.violate({
      object: name,
      sentence:
        result === 0
          ? `${whoOf(event)} moved ${move} while it was up with ${addresses}: it was taken down and lost them and its routes`
          : `${whoOf(event)} wanted to move ${move} (${refusal(result)}) while it was up with ${addresses}`,
      evidence,
    });
  }

  /** What the device carries, if it is up. */
  #busyOf(event: EventView): Busy | undefined {
    const device = this.#devices.find(event);
    const given = givenAddresses(device);
    if ((event.u32('device_flags') & IFF_UP) === 0 || given.length === 0) return undefined;
    const listed = given.slice(0, LISTED);
    const more = given.length > LISTED ? ` and ${given.length - LISTED} more` : '';
    return {
      name: deviceName(event, device),
      addresses: `${listed.map(([ip]) => ip).join(', ')}${more}`,
      evidence: listed.map(([, { ref }]) => ref),
    };
  }
}

function renamed(event: EventView, name: string): string {
  const result = event.u32('result');
  return result === 0
    ? `renamed ${name} to ${event.text('new_name')}`
    : `wanted to rename ${name} to ${event.text('new_name')} (${refusal(result)})`;
}

export default defineInvariant({
  name: 'link.rename-while-up',
  claim: 'an interface is down, or has no addresses, when it is renamed or moved into another namespace',
  object: 'interface',
  source: 'net/core/dev.c: dev_change_name, __dev_change_net_namespace',
  needs: [...DEVICE_KINDS, 'link_move'],
  picture: [
    { from: 'down', event: 'link_move', to: 'down' },
    { from: 'down', event: 'link_rename', to: 'down' },
    { from: 'down', event: 'link_address_add', to: 'configured' },
    { from: 'configured', event: 'link_address_delete', to: 'down' },
  ],
  start: (context) => new RenameWhileUp(context),
});
