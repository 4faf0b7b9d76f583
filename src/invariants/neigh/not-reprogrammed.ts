// When the entry that won a conflict is deleted, the claim that lost must be programmed: the peer is known.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { ADD, EEXIST, entryOf, isRequest, isValid, nameOf, NOARP, whoOf } from './_entry.ts';

/** How long a programmer may take to put the other entry in. */
const LIMIT_NS = 1e9;
/** NUD_PERMANENT: somebody programmed it. */
const PERMANENT = 0x80;
/** More claims on one address than this are not told apart. */
const CLAIMS_MAX = 16;

const BEFORE = 'somebody before the recording';

interface Claim {
  readonly who: string;
  readonly ref: EventRef;
}

interface Entry {
  readonly name: string;
  /** The MAC that the kernel has, null for none. */
  mac: string | null;
  /** By MAC: who asked for it, and hasn't taken it back. */
  readonly claims: Map<string, Claim>;
}

/** An entry was deleted while another claim stands. */
interface Waiting {
  readonly until: number;
  readonly mac: string;
  readonly who: string;
  readonly ref: EventRef;
}

class NotReprogrammed implements Stepper {
  readonly #context: InvariantContext;
  readonly #entries: RecentMap<Entry>;
  /** By entry, in the order of their deadlines. */
  readonly #waiting: RecentMap<Waiting>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#entries = new RecentMap(context);
    this.#waiting = new RecentMap(context);
  }

  step(event: EventView): void {
    this.#judge(event.ts);
    switch (event.kindNumber) {
      case KIND.neigh_exists:
        this.#exist(event);
        break;
      case KIND.neigh_update:
        if (isRequest(event)) this.#update(event, entryOf(event));
        break;
      case KIND.neigh_update_done:
        this.#done(event, entryOf(event));
        break;
      case KIND.neigh_release:
        this.#release(entryOf(event));
        break;
      case KIND.neigh_request:
        this.#request(event, entryOf(event));
        break;
    }
  }

  gap(): void {
    this.#entries.forget();
    this.#waiting.forget();
  }

  #entry(event: EventView, key: string): Entry {
    const entry = this.#entries.get(key) ?? { name: nameOf(event), mac: null, claims: new Map() };
    this.#entries.set(key, entry);
    return entry;
  }

  #exist(event: EventView): void {
    const nud = event.u32('nud');
    if (!isValid(nud) || (nud & NOARP) !== 0) return;
    const entry = this.#entry(event, entryOf(event));
    entry.mac = event.text('mac');
    if (nud & PERMANENT) this.#claim(entry, entry.mac, event, BEFORE);
  }

  #update(event: EventView, key: string): void {
    const newMac = event.u32('has_new_mac') ? event.text('new_mac') : null;
    if (newMac !== null && isValid(event.u32('new_nud'))) {
      const entry = this.#entry(event, key);
      const mac = event.text('mac');
      // It has been there since before anything was known of it, and is replaced.
      if (event.u32('nud') & PERMANENT && mac !== newMac && entry.claims.size === 0)
        this.#claim(entry, mac, event, BEFORE);
      this.#claim(entry, newMac, event, whoOf(event));
      return;
    }
    if (isValid(event.u32('new_nud'))) return;
    const entry = this.#entries.get(key);
    if (!entry) return;
    // A request to delete, which says by itself only which address: the claim of the MAC that is there is taken back.
    const mac = event.text('mac');
    entry.claims.delete(mac);
    entry.mac = null;
    if (entry.claims.size === 0) this.#entries.delete(key);
    else this.#waiting.set(key, { until: event.ts + LIMIT_NS, mac, who: whoOf(event), ref: event.ref() });
  }

  /** Any MAC makes the address reachable again. */
  #done(event: EventView, key: string): void {
    if (!isValid(event.u32('nud'))) return;
    this.#waiting.delete(key);
    const entry = this.#entries.get(key);
    if (entry) entry.mac = event.text('mac');
  }

  /** Without a request the device went down or away, and every claim with it. */
  #release(key: string): void {
    if (!this.#waiting.has(key)) this.#entries.delete(key);
  }

  #request(event: EventView, key: string): void {
    const newMac = event.u32('has_new_mac') ? event.text('new_mac') : null;
    if (event.u32('operation') === ADD) {
      const entry = this.#entries.get(key);
      // Refused because another MAC is there: the claim stands, and loses.
      if (event.u32('result') === EEXIST && newMac !== null && entry)
        this.#claim(entry, newMac, event, whoOf(event));
      return;
    }
    const entry = this.#entries.get(key);
    if (!entry) return;
    // The kernel deletes whatever MAC the address has; the request may have meant another claim (neigh_delete).
    const waiting = this.#waiting.get(key);
    if (newMac !== null && event.u32('result') === 0 && waiting && waiting.mac !== newMac) {
      entry.claims.delete(newMac);
      entry.claims.set(waiting.mac, { who: 'whoever programmed it', ref: waiting.ref });
    } else if (newMac !== null) entry.claims.delete(newMac);
    else if (event.u32('result') !== 0) entry.claims.clear();
    if (entry.claims.size > 0) return;
    this.#waiting.delete(key);
    this.#entries.delete(key);
  }

  #claim(entry: Entry, mac: string, event: EventView, who: string): void {
    if (!entry.claims.has(mac) && entry.claims.size >= CLAIMS_MAX) return;
    entry.claims.set(mac, { who, ref: event.ref() });
  }

  #judge(now: number): void {
    for (const [key, waiting] of this.#waiting) {
      if (waiting.until > now) return;
      this.#waiting.delete(key);
      const entry = this.#entries.get(key);
      this.#entries.delete(key);
      const [left] = entry?.claims ?? [];
      if (!entry || !left) continue;
      const [mac, claim] = left;
      this.#context.violate({
        object: entry.name,
        sentence: `${waiting.who} deleted ${entry.name} with ${waiting.mac}, and ${mac}, which ${claim.who} had asked for, was not programmed in its place within ${LIMIT_NS / 1e9} s: the peer is known and can't be reached`,
        evidence: [claim.ref, waiting.ref],
      });
    }
  }
}

export default defineInvariant({
  name: 'neigh.not-reprogrammed',
  claim: 'when an entry that won a conflict is deleted, the entry that lost is programmed within a second',
  object: '(netns, dev, IP)',
  source: 'overlay soundness: conflicting peers of one IP; net/core/neighbour.c: neigh_add, neigh_delete',
  // The others only tell how late it is.
  needs: [
    'neigh_exists',
    'neigh_update',
    'neigh_update_done',
    'neigh_release',
    'neigh_request',
    'neigh_create',
    'neigh_timer',
    'task_comm',
  ],
  picture: [
    { from: 'claimed', event: 'neigh_request', to: 'claimed twice' },
    { from: 'claimed twice', event: 'neigh_update', to: 'deleted' },
    { from: 'deleted', event: 'neigh_update_done', to: 'claimed' },
  ],
  start: (context) => new NotReprogrammed(context),
});
