// The sockets in the kernel's TCP and UDP tables, as insertions, removals and the dump at the start tell.

import type { InvariantContext } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import type { EventRef } from '../../model/violation.ts';

const SOCKETS_MAX = 65_536;
/** Cookies are never reused; what was dumped before a removal may be told after it. */
const REMOVED_MAX = 4096;

/** One life of a socket in its table: from an insertion to the next removal. */
export interface Socket {
  /** Address in the kernel; 0 until an event tells it, for sockets that were dumped. */
  pointer: bigint;
  /** 0 until somebody asks for it. */
  cookie: bigint;
  readonly netns: string;
  readonly family: number;
  readonly proto: number;
  readonly port: number;
  /** When it was in the table for certain. */
  readonly since: number;
  readonly ref: EventRef;
  /** Who put it there; empty if it was there before the recorder. */
  readonly by: string;
}

export function protocolName(proto: number): string {
  return proto === 6 ? 'TCP' : 'UDP';
}

/** Who did it; an interrupt of an idle CPU, such as a timer, is nobody's. */
export function taskOf(event: EventView): string {
  return event.tid === 0 ? 'an interrupt' : `thread ${event.tid} of process ${event.pid}`;
}

export function nameSocket({ proto, port, cookie, netns }: Socket): string {
  const known = cookie === 0n ? 'no cookie' : `cookie ${cookie}`;
  return `${protocolName(proto)} socket of port ${port} (${known}, netns ${netns})`;
}

export class SocketTable {
  readonly #context: InvariantContext;
  readonly #byPointer = new Map<bigint, Socket>();
  /** Every socket with a cookie. */
  readonly #byCookie = new Map<bigint, Socket>();
  /** Oldest first. */
  readonly #all = new Set<Socket>();
  readonly #withoutCookie = new Set<Socket>();
  readonly #removed = new Set<bigint>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Socket> {
    return this.#all.values();
  }

  clear(): void {
    this.#byPointer.clear();
    this.#byCookie.clear();
    this.#all.clear();
    this.#withoutCookie.clear();
    this.#removed.clear();
  }

  /** sockiter_hash. What was known at this address is over, whether or not its removal was seen. */
  insert(event: EventView): Socket {
    this.remove(event);
    const socket = readSocket(event, event.u64('socket'), taskOf(event));
    this.#add(socket);
    return socket;
  }

  /** sockiter_socket_exists. */
  noteExisting(event: EventView): void {
    const socket = readSocket(event, 0n, '');
    if (socket.cookie === 0n) return this.#context.unplaced();
    if (this.#byCookie.has(socket.cookie) || this.#removed.has(socket.cookie)) return;
    for (const other of this.#withoutCookie) if (mayBeOne(socket, other)) return;
    this.#add(socket);
  }

  /** The socket of a sockiter_show or sockiter_unhash, if it is known. */
  find(event: EventView): Socket | undefined {
    const pointer = event.u64('socket');
    const cookie = event.u64('cookie');
    const socket = this.#byPointer.get(pointer) ?? (cookie === 0n ? undefined : this.#byCookie.get(cookie));
    if (!socket) return undefined;
    if (socket.pointer === 0n) {
      socket.pointer = pointer;
      this.#byPointer.set(pointer, socket);
    }
    if (socket.cookie === 0n && cookie !== 0n) {
      socket.cookie = cookie;
      this.#byCookie.set(cookie, socket);
      this.#withoutCookie.delete(socket);
    }
    return socket;
  }

  at(pointer: bigint): Socket | undefined {
    return this.#byPointer.get(pointer);
  }

  /** sockiter_unhash: what the socket was, if it is known. */
  remove(event: EventView): Socket | undefined {
    const cookie = event.u64('cookie');
    const socket = this.find(event);
    if (socket) this.#drop(socket);
    if (cookie === 0n) return socket;
    this.#removed.add(cookie);
    if (this.#removed.size > REMOVED_MAX)
      for (const oldest of this.#removed) {
        this.#removed.delete(oldest);
        break;
      }
    return socket;
  }

  #add(socket: Socket): void {
    this.#all.add(socket);
    if (socket.pointer !== 0n) this.#byPointer.set(socket.pointer, socket);
    if (socket.cookie === 0n) this.#withoutCookie.add(socket);
    else this.#byCookie.set(socket.cookie, socket);
    if (this.#all.size <= SOCKETS_MAX) return;
    for (const oldest of this.#all) {
      this.#drop(oldest);
      this.#context.evicted();
      return;
    }
  }

  #drop(socket: Socket): void {
    this.#all.delete(socket);
    this.#withoutCookie.delete(socket);
    if (this.#byPointer.get(socket.pointer) === socket) this.#byPointer.delete(socket.pointer);
    if (this.#byCookie.get(socket.cookie) === socket) this.#byCookie.delete(socket.cookie);
  }
}

/** The socket an event is about. */
export function readSocket(event: EventView, pointer: bigint, by: string): Socket {
  return {
    pointer,
    cookie: event.u64('cookie'),
    netns: event.text('netns'),
    family: event.u32('family'),
    proto: event.u32('proto'),
    port: event.u32('port'),
    since: event.ts,
    ref: event.ref(),
    by,
  };
}

/** A dumped socket may be one whose insertion was seen before it had a cookie. */
function mayBeOne(a: Socket, b: Socket): boolean {
  return a.netns === b.netns && a.proto === b.proto && a.port === b.port && a.family === b.family;
}
