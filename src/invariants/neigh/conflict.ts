// An IP address that has a MAC must not be programmed with another one, by whichever process.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';

/** NEIGH_UPDATE_F_ADMIN (include/net/neighbour.h): asked for by a request, not learned from a packet. */
const ADMIN = 0x8000_0000;
/** NUD_VALID: PERMANENT, NOARP, REACHABLE, PROBE, STALE, DELAY (include/net/neighbour.h). */
const VALID = 0xde;
/** NUD_NOARP: also what the kernel makes of broadcast and multicast by itself (net/ipv4/arp.c, arp_constructor). */
const NOARP = 0x40;
const ENTRIES_MAX = 65_536;

/** Who gave an entry its MAC. */
interface Programmed {
  readonly mac: string;
  readonly who: string;
  readonly ref: EventRef;
}

/** A request that asks for another MAC than the entry has; its outcome follows on the same CPU. */
interface Request {
  readonly entry: string;
  readonly name: string;
  readonly mac: string;
  readonly newMac: string;
  readonly who: string;
  readonly ref: EventRef;
}

class Conflict implements Stepper {
  readonly #context: InvariantContext;
  /** By entry; least recently programmed first. */
  readonly #programmed = new Map<string, Programmed>();
  /** By CPU. */
  readonly #requests = new Map<number, Request>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  step(event: EventView): void {
    const entry = `${event.text('netns')} ${event.u32('ifindex')} ${event.text('ip')}`;
    if (event.kindNumber === KIND.neigh_exists) this.#found(event, entry);
    else if (event.kindNumber === KIND.neigh_release) this.#programmed.delete(entry);
    else if (event.kindNumber === KIND.neigh_update) this.#update(event, entry);
    else this.#finish(event, entry);
  }

  gap(): void {
    this.#context.unknown(this.#programmed.size);
    this.#programmed.clear();
    this.#requests.clear();
  }

  /** Whose the kernel's own NOARP entries are is not known: see `nobodys`. */
  #found(event: EventView, entry: string): void {
    const nud = event.u32('nud');
    if ((nud & VALID) === 0 || (nud & NOARP) !== 0) return;
    this.#keep(entry, { mac: event.text('mac'), who: 'before recording', ref: event.ref() });
  }

  #update(event: EventView, entry: string): void {
    const isRequest = event.u32('portid') !== 0 || (event.u32('update_flags') & ADMIN) !== 0;
    if (!isRequest) return;
    if (event.u32('has_new_mac') === 0) {
      if ((event.u32('new_nud') & VALID) === 0) this.#programmed.delete(entry);
      return;
    }
    const mac = event.text('mac');
    const newMac = event.text('new_mac');
    const who = `thread ${event.tid} of process ${event.pid} (netlink port ${event.u32('portid')})`;
    const ref = event.ref();
    const nobodys = (event.u32('nud') & NOARP) !== 0 && !this.#programmed.has(entry);
    if ((event.u32('nud') & VALID) === 0 || nobodys || mac === newMac) {
      this.#keep(entry, { mac: newMac, who, ref });
      return;
    }
    const name = `neighbour ${event.text('ip')} on ifindex ${event.u32('ifindex')} (netns ${event.text('netns')})`;
    this.#requests.set(event.cpu, { entry, name, mac, newMac, who, ref });
  }

  #finish(event: EventView, entry: string): void {
    const request = this.#requests.get(event.cpu);
    if (request?.entry !== entry) return;
    this.#requests.delete(event.cpu);
    const before = this.#programmed.get(entry);
    const first = before?.mac === request.mac ? before : undefined;
    const replaced = event.text('mac') === request.newMac;
    const result = event.u32('result');
    const outcome = replaced
      ? 'was silently replaced'
      : `stays${result === 0 ? '' : ` (refused with errno ${-result})`}`;
    this.#context.violate({
      object: request.name,
      sentence: `${request.who} programmed ${request.name} with ${request.newMac}, but it has ${request.mac}${first ? ` from ${first.who}` : ''}, which ${outcome}`,
      evidence: first ? [first.ref, request.ref] : [request.ref],
    });
    if (replaced) this.#keep(entry, { mac: request.newMac, who: request.who, ref: request.ref });
  }

  #keep(entry: string, programmed: Programmed): void {
    this.#programmed.delete(entry);
    this.#programmed.set(entry, programmed);
    if (this.#programmed.size <= ENTRIES_MAX) return;
    for (const oldest of this.#programmed.keys()) {
      this.#programmed.delete(oldest);
      this.#context.evicted();
      return;
    }
  }
}

export default defineInvariant({
  name: 'neigh.conflict',
  claim: 'an IP that has a valid MAC is not programmed with another one before it is deleted',
  object: '(netns, dev, IP)',
  source: 'net/core/neighbour.c: __neigh_update, neigh_add; overlay soundness: endpoint IP to MAC is 1:1',
  needs: ['neigh_exists', 'neigh_update', 'neigh_update_done', 'neigh_release'],
  picture: [
    { from: 'absent', event: 'neigh_update', to: 'programmed' },
    { from: 'programmed', event: 'neigh_update', to: 'programmed' },
    { from: 'programmed', event: 'neigh_release', to: 'absent' },
  ],
  start: (context) => new Conflict(context),
});
