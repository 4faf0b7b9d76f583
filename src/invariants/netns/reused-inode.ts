// A namespace's inode number says which namespace is meant only as long as it isn't another's.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';

const NUMBERS_MAX = 16_384;

interface Holder {
  readonly netns: string;
  /** Its last event: that it existed, was made, or deleted. */
  readonly ref: EventRef;
  readonly told: boolean;
}

class ReusedInode implements Stepper {
  readonly #context: InvariantContext;
  /** By inode number; least recently touched first. */
  readonly #holders = new Map<number, Holder>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  step(event: EventView): void {
    const inum = event.u32('inum');
    const netns = event.text('netns');
    const before = this.#holders.get(inum);
    let told = before?.told ?? false;
    if (event.kindNumber === KIND.netns_create && before && before.netns !== netns && !told) {
      // Numbers are given out again and again: that one is no identity is told once.
      told = true;
      this.#context.violate({
        object: `netns ${netns}`,
        sentence: `netns ${netns}, made by thread ${event.tid} of process ${event.pid}, has inode number ${inum}, which was that of netns ${before.netns}: whatever is kept by this number takes one for the other, only the cookie differs`,
        evidence: [before.ref],
      });
    }
    this.#holders.delete(inum);
    this.#holders.set(inum, { netns, ref: event.ref(), told });
    if (this.#holders.size <= NUMBERS_MAX) return;
    for (const oldest of this.#holders.keys()) {
      this.#holders.delete(oldest);
      this.#context.evicted();
      return;
    }
  }

  gap(): void {
    // Whose a number was stays true, whatever was missed.
  }
}

export default defineInvariant({
  name: 'netns.reused-inode',
  claim: 'no two namespaces have had the same inode number since the recorder started',
  object: 'namespace',
  source:
    'fs/proc/generic.c: proc_alloc_inum gives out the lowest free number; net/core/net_namespace.c: net_cookie',
  // Busy hosts do this all day; it is wrong only for programs that keep something by inode number.
  severity: 'warning',
  needs: ['netns_create', 'netns_destroy', 'netns_exists'],
  picture: [
    { from: 'free', event: 'netns_create', to: 'used' },
    { from: 'used', event: 'netns_destroy', to: 'was used' },
  ],
  start: (context) => new ReusedInode(context),
});
