// An IP address that has a MAC must not be programmed with another one, by whichever process.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { ADD, EEXIST, entryOf, isRequest, isValid, NOARP, nameOf, whoOf } from './_entry.ts';

/** What an entry's MAC is, and who gave it; nobody, if it was learned or there before. */
interface Known {
  readonly mac: string;
  readonly who: string | null;
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
  /** By entry. */
  readonly #known: RecentMap<Known>;
  /** By CPU. */
  readonly #requests = new Map<number, Request>();

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#known = new RecentMap(context);
  }

  step(event: EventView): void {
    const entry = entryOf(event);
    switch (event.kindNumber) {
      case KIND.neigh_exists:
        this.#learn(event, entry);
        break;
      case KIND.neigh_release:
        this.#known.delete(entry);
        break;
      case KIND.neigh_update:
        this.#update(event, entry);
        break;
      case KIND.neigh_update_done:
        this.#finish(event, entry);
        break;
      case KIND.neigh_timer:
        if (!isValid(event.u32('nud'))) this.#known.delete(entry);
        break;
      default:
        this.#refuse(event, entry);
    }
  }

  gap(): void {
    this.#known.forget();
    this.#requests.clear();
  }

  #update(event: EventView, entry: string): void {
    if (!isRequest(event)) return;
    if (event.u32('has_new_mac') === 0) {
      if (!isValid(event.u32('new_nud'))) this.#known.delete(entry);
      return;
    }
    const mac = event.text('mac');
    const newMac = event.text('new_mac');
    const who = whoOf(event);
    const ref = event.ref();
    const nobodys = (event.u32('nud') & NOARP) !== 0 && !this.#known.get(entry)?.who;
    if (!isValid(event.u32('nud')) || nobodys || mac === newMac) {
      this.#known.set(entry, { mac: newMac, who, ref });
      return;
    }
    this.#requests.set(event.cpu, { entry, name: nameOf(event), mac, newMac, who, ref });
  }

  #finish(event: EventView, entry: string): void {
    const request = this.#requests.get(event.cpu);
    if (request?.entry !== entry) {
      this.#learn(event, entry);
      return;
    }
    this.#requests.delete(event.cpu);
    const before = this.#known.get(entry);
    const isFirst =
      before?.mac === request.mac && (before.who !== null || before.ref.kind === 'neigh_exists');
    const first = isFirst ? before : undefined;
    const replaced = event.text('mac') === request.newMac;
    const result = event.u32('result');
    const outcome = replaced
      ? 'was silently replaced'
      : `stays${result === 0 ? '' : ` (refused with errno ${-result})`}`;
    this.#context.violate({
      object: request.name,
      sentence: `${request.who} programmed ${request.name} with ${request.newMac}, but it has ${request.mac}${first ? ` from ${first.who ?? 'before recording'}` : ''}, which ${outcome}`,
      evidence: first ? [first.ref, request.ref] : [request.ref],
    });
    if (replaced) this.#known.set(entry, { mac: request.newMac, who: request.who, ref: request.ref });
  }

  /** What an entry is found to have, whoever gave it. */
  #learn(event: EventView, entry: string): void {
    const mac = event.text('mac');
    const known = this.#known.get(entry);
    if (!isValid(event.u32('nud'))) {
      this.#known.delete(entry);
    } else if (known?.mac !== mac) {
      // Whose the kernel's own NOARP entries are is not known: see `nobodys`.
      const isBefore = event.kindNumber === KIND.neigh_exists && (event.u32('nud') & NOARP) === 0;
      this.#known.set(entry, { mac, who: isBefore ? 'before recording' : null, ref: event.ref() });
    }
  }

  /** An add of what exists changes nothing, and so is seen by its result alone (net/core/neighbour.c: neigh_add). */
  #refuse(event: EventView, entry: string): void {
    if (event.u32('operation') !== ADD || event.u32('result') !== EEXIST || !event.u32('has_new_mac')) return;
    const known = this.#known.get(entry);
    const newMac = event.text('new_mac');
    if (!known || known.mac === newMac) return;
    const name = nameOf(event);
    this.#context.violate({
      object: name,
      sentence: `${whoOf(event)} wanted to add ${name} with ${newMac}, but it has ${known.mac}${known.who ? ` from ${known.who}` : ''}, which stays (the kernel refuses it with EEXIST)`,
      evidence: [known.ref],
    });
  }
}

export default defineInvariant({
  name: 'neigh.conflict',
  claim: 'an IP that has a valid MAC is not programmed with another one before it is deleted',
  object: '(netns, dev, IP)',
  source: 'net/core/neighbour.c: __neigh_update, neigh_add; overlay soundness: endpoint IP to MAC is 1:1',
  needs: [
    'neigh_exists',
    'neigh_update',
    'neigh_update_done',
    'neigh_timer',
    'neigh_release',
    'neigh_request',
  ],
  picture: [
    { from: 'absent', event: 'neigh_update', to: 'programmed' },
    { from: 'programmed', event: 'neigh_update', to: 'programmed' },
    { from: 'programmed', event: 'neigh_release', to: 'absent' },
  ],
  start: (context) => new Conflict(context),
});
