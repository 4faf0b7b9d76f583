// An interface that is up and carries addresses is neither renamed nor moved into another namespace.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import { DEVICE_KINDS, Devices, deviceName, givenAddresses, IFF_UP } from './_devices.ts';
import { refusal, whoOf } from './_words.ts';

/** Addresses that a sentence lists. */
const LISTED = 4;

class RenameWhileUp implements Stepper {
  readonly #context: InvariantContext;
  readonly #devices: Devices;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#devices = new Devices(context);
  }

  step(event: EventView): void {
    if (event.kindNumber === KIND.link_rename || event.kindNumber === KIND.link_move) this.#look(event);
    this.#devices.follow(event);
  }

  gap(): void {
    this.#context.unknown(this.#devices.size);
    this.#devices.clear();
  }

  #look(event: EventView): void {
    const device = this.#devices.find(event);
    const given = givenAddresses(device);
    if ((event.u32('device_flags') & IFF_UP) === 0 || given.length === 0) return;
    const name = deviceName(event, device);
    const list = given.slice(0, LISTED).map(([ip]) => ip);
    const more = given.length > LISTED ? ` and ${given.length - LISTED} more` : '';
    const addresses = `${list.join(', ')}${more}`;
    this.#context.violate({
      object: name,
      sentence:
        event.kindNumber === KIND.link_rename
          ? `${whoOf(event)} ${renamed(event, name)} while it was up with ${addresses}`
          : `${whoOf(event)} moved ${name} into netns ${event.text('new_netns')} while it was up with ${addresses}: it is taken down and loses them and its routes`,
      evidence: given.slice(0, LISTED).map(([, { ref }]) => ref),
    });
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
