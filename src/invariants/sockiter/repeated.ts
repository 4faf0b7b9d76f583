// One iterator must not show a socket twice.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { nameSocket, protocolName, readSocket, type Socket, taskOf } from './_sockets.ts';

/** bpf/probes/sockiter-records.bpf.h: SOCKITER_FIRST and SOCKITER_DISCARDED. */
const FIRST = 0x0100;
const DISCARDED = 0x0100;
const ITERATORS_MAX = 64;
/** Sockets that one iterator is remembered to have shown. */
const SHOWN_MAX = 65_536;
/** Insertions remembered per iterator, for the sentence. */
const INSERTED_MAX = 256;

interface Shown {
  readonly position: number;
  readonly ref: EventRef;
}

interface Walk {
  readonly proto: number;
  readonly netns: string;
  /** By the socket's address in the kernel, which is another socket's after a removal; oldest first. */
  readonly shown: RecentMap<Shown, bigint>;
  /** By port: the last insertion; the latest last. */
  readonly inserted: Map<number, Socket>;
}

class Repeated implements Stepper {
  readonly #context: InvariantContext;
  /** By session id. */
  readonly #walks: RecentMap<Walk, bigint>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#walks = new RecentMap(context, ITERATORS_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.sockiter_hash:
        return this.#insert(event);
      case KIND.sockiter_unhash:
        return this.#forget(event.u64('socket'));
      case KIND.sockiter_release:
        this.#walks.delete(event.u64('iterator'));
        return;
      case KIND.sockiter_show:
        return this.#show(event, this.#walkOf(event));
      case KIND.sockiter_start:
        if ((event.flags & FIRST) !== 0) this.#walks.delete(event.u64('iterator'));
        return;
    }
  }

  gap(): void {
    let known = 0;
    for (const { shown } of this.#walks.values()) known += shown.size;
    this.#context.unknown(known);
    this.#walks.clear();
  }

  /** Iterators need not be seen from their first read on: what is shown twice from here on is wrong as well. */
  #walkOf(event: EventView): Walk {
    const iterator = event.u64('iterator');
    const known = this.#walks.get(iterator);
    if (known) return known;
    const walk: Walk = {
      proto: event.u32('proto'),
      netns: event.text('netns'),
      shown: new RecentMap(this.#context, SHOWN_MAX),
      inserted: new Map(),
    };
    this.#walks.set(iterator, walk);
    return walk;
  }

  #insert(event: EventView): void {
    const socket = readSocket(event, event.u64('socket'), taskOf(event));
    this.#forget(socket.pointer);
    for (const { proto, netns, inserted } of this.#walks.values()) {
      if (proto !== socket.proto || netns !== socket.netns) continue;
      inserted.delete(socket.port);
      inserted.set(socket.port, socket);
      if (inserted.size <= INSERTED_MAX) continue;
      for (const oldest of inserted.keys()) {
        inserted.delete(oldest);
        break;
      }
    }
  }

  #forget(pointer: bigint): void {
    for (const { shown } of this.#walks.values()) shown.delete(pointer);
  }

  #show(event: EventView, walk: Walk): void {
    if ((event.flags & DISCARDED) !== 0) return;
    const pointer = event.u64('socket');
    const before = walk.shown.get(pointer);
    if (before) this.#report(event, walk, before);
    walk.shown.set(pointer, { position: event.u53('position'), ref: event.ref() });
  }

  #report(event: EventView, walk: Walk, before: Shown): void {
    const socket = readSocket(event, event.u64('socket'), '');
    const inserted = findInserted(walk, socket.port, before.ref.ts);
    const name = `${protocolName(walk.proto)} iterator ${event.u64('iterator')} (netns ${walk.netns})`;
    const why = inserted
      ? `between two reads ${inserted.by} inserted the ${nameSocket(inserted)}, which moved it down`
      : 'no insertion was seen since';
    this.#context.violate({
      object: `${name}, ${nameSocket(socket)}`,
      sentence: `${name}, read by ${taskOf(event)}, showed the ${nameSocket(socket)} twice, at position ${before.position} and at position ${event.u53('position')}: ${why}`,
      evidence: inserted ? [before.ref, inserted.ref] : [before.ref],
    });
  }
}

/** The insertion that made the count of passed sockets wrong: after the first show, into the same bucket if possible. */
function findInserted({ inserted }: Walk, port: number, since: number): Socket | undefined {
  const same = inserted.get(port);
  if (same && same.since > since) return same;
  const last = [...inserted.values()].at(-1);
  return last && last.since > since ? last : undefined;
}

export default defineInvariant({
  name: 'sockiter.repeated',
  claim: 'an iterator shows a socket once',
  object: '(iterator, socket)',
  source: 'net/ipv4/udp.c: udp_get_idx, bpf_iter_udp_batch; net/ipv4/tcp_ipv4.c: bpf_iter_tcp_batch',
  needs: ['sockiter_start', 'sockiter_show', 'sockiter_release', 'sockiter_hash', 'sockiter_unhash'],
  picture: [
    { from: 'not shown', event: 'sockiter_show', to: 'shown' },
    { from: 'shown', event: 'sockiter_unhash', to: 'not shown' },
    { from: 'shown', event: 'sockiter_hash', to: 'not shown' },
  ],
  start: (context) => new Repeated(context),
});
