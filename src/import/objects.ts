// The umem, sockets and queues that a trace speaks of: by device and queue, or by a pointer of which it is learned whose it is.

import { KIND } from '../generated/layouts.ts';
import { NO_OBJECT, type ObjectEntry, OBJECTS_MAX } from '../model/objects.ts';
import type { UmemRule } from './mapping.ts';

/** Index of the one umem in which all addresses lie. */
export const UMEM = 0;
const SMALL_CHUNK = 2048;
const LARGE_CHUNK = 4096;
/** A umem of more frames than invariants follow is not learned from an address: that one is wrong. */
const LEARNED_MAX = SMALL_CHUNK * 2 ** 21;
/** Addresses of which it is kept who received into them last. */
const RECEIVED_MAX = 1 << 18;

/** A socket with the queue it is bound to. */
export interface Port {
  readonly socket: number;
  readonly queue: number;
  readonly device: string;
  readonly ifindex: number;
  readonly netns: bigint;
  readonly queueNumber: number;
  readonly ts: number;
  /** Null for a port that was named by what the mapping's `by` says. */
  readonly pointer: string | null;
  /** Of a pointer: how often a port was seen to get what was received into this one. */
  readonly votes: Map<Port, number>;
}

/** What names a port in one line. */
export interface PortName {
  readonly device: string | undefined;
  readonly queue: number;
  readonly ifindex: number;
  readonly netns: bigint;
}

/** The kinds whose `object` is a queue; that of the others is a socket (bpf/probes/xsk-*.bpf.h). */
const OF_QUEUE: ReadonlySet<number> = new Set([
  KIND.xsk_fill_submit,
  KIND.xsk_fill_take,
  KIND.xsk_comp_begin,
  KIND.xsk_comp_submit,
  KIND.xsk_comp_consume,
  KIND.xsk_drop,
  KIND.xsk_napi_schedule,
  KIND.xsk_napi_begin,
  KIND.xsk_napi_end,
  KIND.xsk_napi_complete,
]);

/** Null when the object table is full. */
export type Found = Port | null;

export class TraceObjects {
  readonly #rule: UmemRule;
  readonly #ports: Port[] = [];
  readonly #byName = new Map<string, Port>();
  readonly #byPointer = new Map<string, Port>();
  readonly #ifindexes = new Map<string, number>();
  readonly #received = new Map<number, Port>();
  #next = UMEM + 1;
  #firstTs = Number.POSITIVE_INFINITY;
  /** Highest address, and whether one lies in the second half of a large chunk. */
  #highest = 0;
  #small = false;
  usesUmem = false;

  constructor(rule: UmemRule) {
    this.#rule = rule;
  }

  indexIn(kind: number, port: Port): number {
    return OF_QUEUE.has(kind) ? port.queue : port.socket;
  }

  named(name: PortName, ts: number): Found {
    const key = `${name.device ?? ''}\0${name.ifindex}\0${name.netns}\0${name.queue}`;
    const known = this.#byName.get(key);
    if (known !== undefined) return known;
    const device = name.device ?? '';
    return this.#add(this.#byName, key, null, ts, {
      device,
      ifindex: name.ifindex || this.#madeUpIfindex(device),
      netns: name.netns,
      queueNumber: name.queue,
    });
  }

  /** The same number of a device as whenever it was asked for: without one it would have no name, either. */
  #madeUpIfindex(device: string): number {
    const known = this.#ifindexes.get(device) ?? this.#ifindexes.size + 1;
    this.#ifindexes.set(device, known);
    return known;
  }

  pointedTo(pointer: string, ts: number): Found {
    const known = this.#byPointer.get(pointer);
    if (known !== undefined) return known;
    const place = { device: `socket ${pointer}`, ifindex: 0, netns: 0n, queueNumber: 0 };
    return this.#add(this.#byPointer, pointer, pointer, ts, {
      ...place,
      ifindex: this.#madeUpIfindex(place.device),
    });
  }

  /** Notes an address that an event names: from them size and chunks of the umem are learned. */
  noteAddress(address: number, ts: number): void {
    this.usesUmem = true;
    if (ts < this.#firstTs) this.#firstTs = ts;
    if (address >= LEARNED_MAX) return;
    if (address > this.#highest) this.#highest = address;
    if ((address & SMALL_CHUNK) !== 0) this.#small = true;
  }

  /** The kernel received into this address on the port. */
  noteReceive(port: Port, address: number): void {
    if (this.#received.size < RECEIVED_MAX || this.#received.has(address)) this.#received.set(address, port);
  }

  /** The application says that this port gave it this address: whoever received into it is the same port. */
  noteSeen(port: Port, address: number): void {
    const from = this.#received.get(address);
    if (from?.pointer == null || port.pointer !== null) return;
    from.votes.set(port, (from.votes.get(port) ?? 0) + 1);
  }

  /** Of each pointer's port the one it turned out to be, or itself. */
  resolve(): ReadonlyMap<Port, Port> {
    return new Map(
      this.#ports.map((port) => {
        const [best] = [...port.votes].sort((a, b) => b[1] - a[1]);
        return [port, best?.[0] ?? port] as const;
      }),
    );
  }

  get ports(): readonly Port[] {
    return this.#ports;
  }

  get chunkSize(): number {
    return this.#rule.chunkSize ?? (this.#small ? SMALL_CHUNK : LARGE_CHUNK);
  }

  get size(): number {
    const learned = (Math.floor(this.#highest / this.chunkSize) + 1) * this.chunkSize;
    return this.#rule.size ?? learned;
  }

  get isLearned(): boolean {
    return this.#rule.chunkSize === null || this.#rule.size === null;
  }

  /** The table for the recording, of the ports that are left. */
  entries(resolved: ReadonlyMap<Port, Port>): ObjectEntry[] {
    const ports = this.#ports.filter((port) => resolved.get(port) === port);
    if (!this.usesUmem && ports.length === 0) return [];
    const common = { tgid: 0, tid: 0, comm: '', headroom: 0, flags: 0 };
    const umem: ObjectEntry = {
      ...common,
      index: UMEM,
      type: 'umem',
      ts: Number.isFinite(this.#firstTs) ? this.#firstTs : 0,
      netns: 0n,
      ifindex: 0,
      queue: 0,
      umem: UMEM,
      parent: NO_OBJECT,
      name: '',
      size: this.size,
      chunkSize: this.chunkSize,
      headroom: this.#rule.headroom,
    };
    return [
      umem,
      ...ports.flatMap((port): ObjectEntry[] => {
        const { device: name, ifindex, netns, queueNumber: queue, ts } = port;
        const both = { ...common, ts, netns, ifindex, queue, umem: UMEM, name, size: 0, chunkSize: 0 };
        return [
          { ...both, index: port.queue, type: 'queue', parent: NO_OBJECT },
          { ...both, index: port.socket, type: 'socket', parent: port.queue },
        ];
      }),
    ];
  }

  #add(
    table: Map<string, Port>,
    key: string,
    pointer: string | null,
    ts: number,
    place: Pick<Port, 'device' | 'ifindex' | 'netns' | 'queueNumber'>,
  ): Found {
    if (this.#next + 2 > OBJECTS_MAX) return null;
    const port: Port = { ...place, queue: this.#next, socket: this.#next + 1, ts, pointer, votes: new Map() };
    this.#next += 2;
    this.#ports.push(port);
    table.set(key, port);
    return port;
  }
}
