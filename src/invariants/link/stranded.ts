// An interface whose configuration failed in its new namespace is taken back, or somebody carries on.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { keyOf, oldKeyOf } from './_devices.ts';
import { duration, isOwnAffair, nameDevice, refusal, whoOf } from './_words.ts';

const INTERFACES_MAX = 16_384;
const LIMIT_NS = 10e9;
/** What is already so is no failure; nor is a program in the sandbox that may not configure anything the one who does. */
const EEXIST = -17;
const EPERM = -1;
const ANY = '::';
/** RTM_* (include/uapi/linux/rtnetlink.h); of the requests to delete none leaves anything behind that was not there. */
const REQUESTS: Readonly<Record<number, string>> = {
  16: 'a change of it',
  19: 'a change of it',
  20: 'an address for it',
};

interface Failure {
  readonly what: string;
  readonly who: string;
  readonly result: number;
  readonly ts: number;
  readonly ref: EventRef;
}

/** An interface away from home. */
interface Away {
  readonly homeNetns: string;
  readonly homeName: string;
  readonly who: string;
  readonly moved: EventRef;
  name: string;
  netns: string;
  ifindex: number;
  /** When it was configured last: what fails long after that is no part of it. */
  configured: number;
  failure: Failure | undefined;
}

class Stranded implements Stepper {
  readonly #context: InvariantContext;
  /** By device, where it is now. */
  readonly #away: RecentMap<Away>;
  /** Those with a failure, oldest failure first. */
  readonly #failed: RecentMap<Away>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#away = new RecentMap(context, INTERFACES_MAX);
    this.#failed = new RecentMap(context, INTERFACES_MAX);
  }

  step(event: EventView): void {
    this.#expire(event.ts);
    const key = keyOf(event);
    switch (event.kindNumber) {
      case KIND.link_move_done:
        this.#move(event, key);
        break;
      case KIND.link_unregister:
        this.#away.delete(key);
        this.#failed.delete(key);
        break;
      case KIND.link_rename:
        this.#rename(event, key);
        break;
      case KIND.link_request_failed: {
        const what = REQUESTS[event.u32('request')];
        const result = event.u32('result');
        if (what !== undefined && result !== EEXIST && result !== EPERM)
          this.#failToConfigure(event, key, what);
        break;
      }
      case KIND.link_route_add:
        this.#route(event, key);
        break;
      case KIND.link_address_add:
        if (!isOwnAffair(event.text('ip'))) this.#configure(event, key);
        break;
      case KIND.link_up:
      case KIND.link_mac_change:
      case KIND.link_master:
        this.#configure(event, key);
        break;
      case KIND.link_advertise:
        this.#carryOn(key);
        break;
      default:
        break;
    }
  }

  gap(): void {
    this.#context.unknown(this.#away.size);
    this.#away.clear();
    this.#failed.clear();
  }

  #move(event: EventView, key: string): void {
    const result = event.u32('result');
    if (result < 0) {
      this.#fail(event, key, 'moving it');
      return;
    }
    const oldKey = oldKeyOf(event);
    if (oldKey === key) return;
    const known = this.#away.get(oldKey);
    const failed = this.#failed.has(oldKey);
    this.#away.delete(oldKey);
    this.#failed.delete(oldKey);
    const place = { netns: event.text('netns'), ifindex: event.u32('ifindex'), name: event.text('name') };
    if (!known) {
      this.#away.set(key, {
        ...place,
        homeNetns: event.text('old_netns'),
        homeName: place.name,
        who: whoOf(event),
        moved: event.ref(),
        configured: event.ts,
        failure: undefined,
      });
      return;
    }
    const back = place.netns === known.homeNetns;
    if (back && (place.name === known.homeName || !failed)) return;
    const away = Object.assign(known, place, { configured: event.ts });
    this.#away.set(key, away);
    if (failed) this.#failed.set(key, away);
  }

  #rename(event: EventView, key: string): void {
    const away = this.#away.get(key);
    if (!away) return;
    if (event.u32('result') < 0) {
      this.#fail(event, key, `renaming it to ${event.text('new_name')}`);
      return;
    }
    away.name = event.text('new_name');
    if (away.name !== away.homeName) this.#configure(event, key);
    else if (away.netns === away.homeNetns) {
      this.#away.delete(key);
      this.#failed.delete(key);
    }
  }

  #route(event: EventView, key: string): void {
    const gateway = event.text('gateway');
    const result = event.u32('result');
    // Without one it is the kernel's own, for an address.
    if (gateway === ANY) return;
    if (result === 0) this.#configure(event, key);
    else if (result !== EEXIST) this.#failToConfigure(event, key, `a route via ${gateway}`);
  }

  #failToConfigure(event: EventView, key: string, what: string): void {
    const away = this.#away.get(key);
    if (away && event.ts - away.configured <= LIMIT_NS) this.#fail(event, key, what);
  }

  #configure(event: EventView, key: string): void {
    const away = this.#away.get(key);
    if (away) away.configured = event.ts;
    this.#carryOn(key);
  }

  #fail(event: EventView, key: string, what: string): void {
    const away = this.#away.get(key);
    if (!away || away.failure) return;
    away.failure = {
      what,
      who: whoOf(event),
      result: event.u32('result'),
      ts: event.ts,
      ref: event.ref(),
    };
    this.#failed.set(key, away);
  }

  #carryOn(key: string): void {
    const away = this.#failed.get(key);
    if (!away) return;
    away.failure = undefined;
    this.#failed.delete(key);
  }

  #expire(now: number): void {
    for (const [key, away] of this.#failed) {
      const { failure } = away;
      if (!failure || now - failure.ts < LIMIT_NS) continue;
      this.#failed.delete(key);
      this.#away.delete(key);
      const name = nameDevice(away.name, away.ifindex, away.netns);
      const missing =
        away.netns === away.homeNetns
          ? `it is back in its namespace, but not as ${away.homeName}`
          : `it was not moved back to netns ${away.homeNetns} as ${away.homeName}, nor deleted`;
      this.#context.violate({
        object: name,
        sentence: `${name} is stranded: ${away.who} moved it out of netns ${away.homeNetns}, ${failure.what} was ${refusal(failure.result)} to ${failure.who}, and ${duration(now - failure.ts)} later ${missing}`,
        evidence: [away.moved, failure.ref],
      });
    }
  }
}

export default defineInvariant({
  name: 'link.stranded',
  claim:
    'an interface whose configuration failed after it was moved is taken back under its old name within 10 s, or deleted, or configured after all',
  object: 'interface',
  source: 'container engines: an interface left in a sandbox that failed blocks the next attempt',
  needs: [
    'link_move_done',
    'link_rename',
    'link_unregister',
    'link_request_failed',
    'link_route_add',
    'link_address_add',
    'link_address_delete',
    'link_up',
    'link_down',
    'link_change',
    'link_mac_change',
    'link_master',
    'link_port_state',
    'link_advertise',
  ],
  picture: [
    { from: 'at home', event: 'link_move_done', to: 'away' },
    { from: 'away', event: 'link_request_failed', to: 'failed' },
    { from: 'failed', event: 'link_up', to: 'away' },
    { from: 'failed', event: 'link_move_done', to: 'at home' },
    { from: 'failed', event: 'link_unregister', to: 'at home' },
  ],
  start: (context) => new Stranded(context),
});
