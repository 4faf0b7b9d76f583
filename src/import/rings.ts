// What a trace doesn't say of the rings and invariants need: positions, counted in order, and which receive the
// application's look at an RX entry belongs to.

import { KIND, LANE } from '../generated/layouts.ts';
import { HEAD } from '../model/slot.ts';

const POSITION = LANE.xsk_rx_write.position;
const OBJECT = LANE.xsk_rx_write.object;
const ADDR = LANE.xsk_rx_write.addr;
const LENGTH = LANE.xsk_rx_write.len;
const COUNT = LANE.xsk_drop.count;
const REASON = LANE.xsk_drop.reason;
const RX_FULL = 1;
/** Receives kept that the application has not been seen to look at: of one ring, more than any has that is used; of all. */
const UNREAD_MAX = 1 << 15;
const UNREAD_ALL_MAX = 1 << 18;
/** After so many looks in a row that fit no receive, it is not known which belong together. */
const MISFITS_MAX = 2;

interface Receive {
  readonly address: number;
  readonly length: number;
}

/** The RX ring of one socket. */
class RxRing {
  readonly queue: number;
  /** Receives by position, from `next` on; those before are gone. */
  readonly #unread = new Map<number, Receive>();
  readonly #newest = new Map<number, number>();
  written = 0;
  next = 0;
  aligned = false;
  misfits = 0;

  readonly #all: { unread: number };

  constructor(queue: number, all: { unread: number }) {
    this.queue = queue;
    this.#all = all;
  }

  add(receive: Receive): number {
    const position = this.written++;
    this.#unread.set(position, receive);
    this.#newest.set(receive.address, position);
    this.#all.unread++;
    if (this.#unread.size > UNREAD_MAX || this.#all.unread > UNREAD_ALL_MAX) {
      // Nobody looks at them: the next look, if one comes, may be at any.
      this.read(this.next);
      this.aligned = false;
    }
    return position;
  }

  at(position: number): Receive | undefined {
    return this.#unread.get(position);
  }

  /** The position at which this address was received and not seen yet, or -1. */
  find(address: number): number {
    return this.#newest.get(address) ?? -1;
  }

  /** The application has looked at everything up to here. */
  read(position: number): void {
    while (this.next <= position) this.#forget(this.next++);
  }

  #forget(position: number): void {
    const receive = this.#unread.get(position);
    if (receive === undefined) return;
    this.#unread.delete(position);
    this.#all.unread--;
    if (this.#newest.get(receive.address) === position) this.#newest.delete(receive.address);
  }
}

/** What is to be written for one record of the trace. */
export type Placed =
  /** The record, as it is now. */
  | 'one'
  /** In front of it, a receive made up from it, at the same position of the same socket. */
  | 'with-receive'
  /** Instead of it, the receive, of the queue given: what is at the positions of the socket is not known. */
  | 'receive-only';

export interface RingCounts {
  /** Looks of the application whose receive is not in the trace. */
  inferred: number;
  /** Receives of the frame that had just been received: the one before was dropped. */
  dropped: number;
}

export class Rings {
  readonly #queueOf: ReadonlyMap<number, number>;
  readonly #hasReceives: (socket: number) => boolean;
  readonly #rx = new Map<number, RxRing>();
  /** Next position by kind and object. */
  readonly #positions = new Map<number, number>();
  readonly #all = { unread: 0 };
  readonly counts: RingCounts = { inferred: 0, dropped: 0 };

  /** `queueOf`: the queue's index by the socket's; `hasReceives`: the kernel's receives of this socket are in the trace. */
  constructor(queueOf: ReadonlyMap<number, number>, hasReceives: (socket: number) => boolean) {
    this.#queueOf = queueOf;
    this.#hasReceives = hasReceives;
  }

  /** Something is missing here: which look belongs to which receive has to be found out again. */
  gap(): void {
    for (const ring of this.#rx.values()) ring.aligned = false;
  }

  /** Gives the record its position; `named` if the trace has said it. */
  place(lanes: Uint32Array, at: number, kind: number, named: boolean): Placed {
    if (named) return 'one';
    if (kind === KIND.xsk_rx_write) return this.#receive(lanes, at);
    if (kind === KIND.xsk_rx_publish) return this.#look(lanes, at);
    if (POSITIONED[kind] === 1) lanes[at + POSITION] = this.#count(kind, lanes[at + OBJECT] as number);
    return 'one';
  }

  #count(kind: number, object: number): number {
    const key = kind * 65_536 + object;
    const position = this.#positions.get(key) ?? 0;
    this.#positions.set(key, (position + 1) >>> 0);
    return position;
  }

  #receive(lanes: Uint32Array, at: number): Placed {
    const ring = this.#ring(lanes[at + OBJECT] as number);
    const address = addressAt(lanes, at);
    const last = ring.at(ring.written - 1);
    if (last !== undefined && last.address === address) {
      // A frame that found no room in RX is the next that is received into (xp_alloc takes it from its free list).
      this.counts.dropped++;
      toDrop(lanes, at, ring.queue);
      return 'one';
    }
    lanes[at + POSITION] = ring.add({ address, length: lanes[at + LENGTH] as number });
    return 'one';
  }

  #look(lanes: Uint32Array, at: number): Placed {
    const socket = lanes[at + OBJECT] as number;
    const ring = this.#ring(socket);
    const address = addressAt(lanes, at);
    if (!this.#hasReceives(socket)) {
      this.counts.inferred++;
      lanes[at + POSITION] = ring.written++;
      return 'with-receive';
    }
    let position = ring.next;
    const expected = ring.aligned ? ring.at(position) : undefined;
    if (expected?.address === address) ring.misfits = 0;
    else {
      const found = ring.find(address);
      if (found >= 0) {
        position = found;
        ring.misfits = 0;
      } else if (expected === undefined || ring.misfits + 1 >= MISFITS_MAX) {
        ring.aligned = false;
        ring.misfits = 0;
        this.counts.inferred++;
        lanes[at + OBJECT] = ring.queue;
        lanes[at + POSITION] = 0;
        return 'receive-only';
      } else ring.misfits++;
    }
    ring.aligned = true;
    if (lanes[at + LENGTH] === 0) lanes[at + LENGTH] = ring.at(position)?.length ?? 0;
    lanes[at + POSITION] = position;
    ring.read(position);
    return 'one';
  }

  #ring(socket: number): RxRing {
    let ring = this.#rx.get(socket);
    if (ring === undefined) {
      ring = new RxRing(this.#queueOf.get(socket) ?? socket, this.#all);
      this.#rx.set(socket, ring);
    }
    return ring;
  }
}

/** Kinds with a position that is only counted. */
const POSITIONED = new Uint8Array(256);
for (const kind of [
  KIND.xsk_fill_submit,
  KIND.xsk_fill_take,
  KIND.xsk_tx_submit,
  KIND.xsk_comp_submit,
  KIND.xsk_rx_reserve,
])
  POSITIONED[kind] = 1;

/** Exact below 2^53; beyond, near enough to tell two apart. */
export function addressAt(lanes: Uint32Array, at: number): number {
  return (lanes[at + ADDR] as number) + (lanes[at + ADDR + 1] as number) * 0x1_0000_0000;
}

/** Makes the record in place a drop of one packet that found RX full. */
function toDrop(lanes: Uint32Array, at: number, queue: number): void {
  const length = lanes[at + LENGTH] as number;
  lanes[at + HEAD.kindFlags] = ((lanes[at + HEAD.kindFlags] as number) & 0xffff_0000) | KIND.xsk_drop;
  lanes.fill(0, at + HEAD.cpu + 1, at + 16);
  lanes[at + OBJECT] = queue;
  lanes[at + REASON] = RX_FULL;
  lanes[at + LANE.xsk_drop.len] = length;
  lanes[at + COUNT] = 1;
}
