// An iterator that is read to its end must show every socket that was there before it began and still is.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import type { EventRef } from '../../model/violation.ts';
import { nameSocket, protocolName, type Socket, SocketTable, taskOf } from './_sockets.ts';

/** bpf/probes/sockiter-records.bpf.h: SOCKITER_FIRST and SOCKITER_DISCARDED. */
const FIRST = 0x0100;
const DISCARDED = 0x0100;
const ITERATORS_MAX = 64;
/** Removals remembered per iterator, for the sentence. */
const REMOVALS_MAX = 64;

/** A socket that an iterator had shown went away before the iterator was through. */
interface Removal {
  readonly socket: Socket;
  readonly by: string;
  readonly ref: EventRef;
}

/** The end of a read. */
interface Pause {
  readonly position: number;
  readonly ref: EventRef;
}

interface Walk {
  readonly name: string;
  readonly netns: string;
  readonly proto: number;
  readonly since: number;
  readonly ref: EventRef;
  readonly shown: Set<Socket>;
  readonly removals: Removal[];
  /** By the socket that was to be shown next: the last such pause. */
  readonly pauses: Map<Socket, Pause>;
  ended: boolean;
}

class Skipped implements Stepper {
  readonly #context: InvariantContext;
  readonly #sockets: SocketTable;
  /** By session id; the first read longest ago first. */
  readonly #walks: RecentMap<Walk, bigint>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#sockets = new SocketTable(context);
    this.#walks = new RecentMap(context, ITERATORS_MAX);
  }

  step(event: EventView): void {
    switch (event.kindNumber) {
      case KIND.sockiter_socket_exists:
        return this.#sockets.noteExisting(event);
      case KIND.sockiter_hash:
        return this.#forget(this.#sockets.at(event.u64('socket')), event, this.#sockets.insert(event));
      case KIND.sockiter_unhash:
        return this.#forget(this.#sockets.remove(event), event);
      case KIND.sockiter_start:
        return this.#start(event);
      case KIND.sockiter_release:
        this.#walks.delete(event.u64('iterator'));
        return;
    }
    const walk = this.#walks.get(event.u64('iterator'));
    if (!walk || walk.ended) return;
    if (event.kindNumber === KIND.sockiter_show) this.#show(event, walk);
    else if (event.kindNumber === KIND.sockiter_stop) this.#stop(event, walk);
    else this.#end(event, walk);
  }

  gap(): void {
    this.#context.unknown(this.#sockets.size + this.#walks.size);
    this.#sockets.clear();
    this.#walks.clear();
  }

  #start(event: EventView): void {
    if ((event.flags & FIRST) === 0) return;
    const iterator = event.u64('iterator');
    const proto = event.u32('proto');
    const netns = event.text('netns');
    this.#walks.set(iterator, {
      name: `${protocolName(proto)} iterator ${iterator} (netns ${netns})`,
      netns,
      proto,
      since: event.ts,
      ref: event.ref(),
      shown: new Set(),
      removals: [],
      pauses: new Map(),
      ended: false,
    });
  }

  #show(event: EventView, walk: Walk): void {
    const socket = this.#sockets.find(event);
    if (!socket || (event.flags & DISCARDED) !== 0) return;
    walk.shown.add(socket);
    walk.pauses.delete(socket);
  }

  #stop(event: EventView, walk: Walk): void {
    const next = this.#sockets.at(event.u64('next'));
    if (next) walk.pauses.set(next, { position: event.u53('position'), ref: event.ref() });
  }

  /** A socket has left its table: no iterator owes it any more, and it may have moved others up. */
  #forget(socket: Socket | undefined, event: EventView, successor?: Socket): void {
    if (!socket || socket === successor) return;
    for (const walk of this.#walks.values()) {
      walk.pauses.delete(socket);
      if (!walk.shown.delete(socket) || walk.ended) continue;
      walk.removals.push({ socket, by: taskOf(event), ref: event.ref() });
      if (walk.removals.length > REMOVALS_MAX) walk.removals.shift();
    }
  }

  #end(event: EventView, walk: Walk): void {
    walk.ended = true;
    const before = walk.since - this.#context.clockErrorNs;
    for (const socket of this.#sockets)
      if (
        socket.proto === walk.proto &&
        socket.netns === walk.netns &&
        socket.since < before &&
        !walk.shown.has(socket)
      )
        this.#report(event, walk, socket);
    walk.shown.clear();
    walk.pauses.clear();
  }

  #report(event: EventView, walk: Walk, socket: Socket): void {
    const pause = walk.pauses.get(socket);
    const removal = findRemoval(walk, socket, pause);
    const evidence = [socket.ref, walk.ref];
    if (pause) evidence.push(pause.ref);
    if (removal) evidence.push(removal.ref);
    this.#context.violate({
      object: `${walk.name}, ${nameSocket(socket)}`,
      sentence: `${walk.name} was read to its end by ${taskOf(event)} and never showed the ${nameSocket(socket)}, which was there before the first read and still is: ${explain(pause, removal)}`,
      evidence,
    });
  }
}

/** The removal that made the count of passed sockets wrong: the first after the socket was to be next. */
function findRemoval(walk: Walk, socket: Socket, pause: Pause | undefined): Removal | undefined {
  if (pause) return walk.removals.find(({ ref }) => ref.ts > pause.ref.ts);
  return walk.removals.findLast((removal) => removal.socket.port === socket.port) ?? walk.removals.at(-1);
}

function explain(pause: Pause | undefined, removal: Removal | undefined): string {
  const next = pause ? `it was to be next, at position ${pause.position}, when a read ended` : '';
  if (!removal) return next === '' ? 'no read ended at it' : `${next}, and the following read passed it over`;
  const removed = `${removal.by} removed the ${nameSocket(removal.socket)}, which had been shown`;
  return next === ''
    ? `between two reads ${removed}`
    : `${next}; then ${removed}, and those behind it moved up`;
}

export default defineInvariant({
  name: 'sockiter.skipped',
  claim:
    'an iterator read to its end has shown every socket of its protocol and namespace that was there all the time',
  object: '(iterator, socket)',
  source: 'net/ipv4/udp.c: udp_get_idx, bpf_iter_udp_batch; net/ipv4/tcp_ipv4.c: bpf_iter_tcp_batch',
  needs: [
    'sockiter_start',
    'sockiter_show',
    'sockiter_stop',
    'sockiter_end',
    'sockiter_release',
    'sockiter_hash',
    'sockiter_unhash',
    'sockiter_socket_exists',
  ],
  picture: [
    { from: 'absent', event: 'sockiter_hash', to: 'present' },
    { from: 'present', event: 'sockiter_start', to: 'owed' },
    { from: 'owed', event: 'sockiter_show', to: 'shown' },
    { from: 'owed', event: 'sockiter_unhash', to: 'absent' },
    { from: 'shown', event: 'sockiter_unhash', to: 'absent' },
    { from: 'shown', event: 'sockiter_end', to: 'present' },
  ],
  start: (context) => new Skipped(context),
});
