// One umem, three queues on two devices in two namespaces, and a short way to say what happened on them.

import { Checker } from '../../../src/check/checker.ts';
import type { Invariant } from '../../../src/check/invariant.ts';
import type { InvariantCounts, Violation } from '../../../src/model/violation.ts';
import { BatchBuilder, type EventSpec, ObjectTableInMemory, type ObjectSpec } from '../batch.ts';

const UMEM = 0;
export const OUTER_0 = 1;
export const OUTER_1 = 2;
export const INNER_0 = 3;
export const SOCKET_OUTER_0 = 4;
export const SOCKET_OUTER_1 = 5;
export const SOCKET_INNER_0 = 6;
export const CHUNK = 4096;
export const FRAMES = 256;
export const FREE_LIST = 0x0100;
/** An index the table has no entry for. */
export const NOBODY = 77;

const OUTER = { name: 'outer', ifindex: 4, netns: 1n };
const INNER = { name: 'inner', ifindex: 4, netns: 8193n };

export function makeObjects(umem: Partial<ObjectSpec> = {}): ObjectTableInMemory {
  return new ObjectTableInMemory([
    { type: 'umem', size: FRAMES * CHUNK, chunkSize: CHUNK, ...umem },
    { type: 'queue', umem: UMEM, ...OUTER, queue: 0, size: 64 },
    { type: 'queue', umem: UMEM, ...OUTER, queue: 1, size: 64 },
    { type: 'queue', umem: UMEM, ...INNER, queue: 0, size: 64 },
    { type: 'socket', umem: UMEM, ...OUTER, queue: 0, parent: OUTER_0 },
    { type: 'socket', umem: UMEM, ...OUTER, queue: 1, parent: OUTER_1 },
    { type: 'socket', umem: UMEM, ...INNER, queue: 0, parent: INNER_0 },
  ]);
}

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly sentences: readonly string[];
  readonly counts: InvariantCounts;
}

/** Checks batches with one invariant. */
export function check(
  invariant: Invariant,
  batches: readonly (readonly EventSpec[])[],
  objects = makeObjects(),
): Outcome {
  const checker = new Checker([invariant], objects);
  const builder = new BatchBuilder();
  for (const events of batches) checker.check(builder.build(events));
  const { violations } = checker;
  return {
    violations,
    sentences: violations.map(({ sentence }) => sentence),
    counts: checker.counts()[invariant.name] as InvariantCounts,
  };
}

/** `cpu:seq kind` of each piece of evidence, the offending event last. */
export function evidenceOf(violation: Violation | undefined): string[] {
  return (violation?.evidence ?? []).map(({ cpu, seq, kind }) => `${cpu}:${seq} ${kind}`);
}

/** Says events one after the other, 1 µs apart unless told. */
export class Story {
  readonly events: EventSpec[] = [];
  cpu = 0;
  ts = 1_000_000_000;

  on(cpu: number): this {
    this.cpu = cpu;
    return this;
  }
  /** The next event comes so much later, in ns. */
  after(ns: number): this {
    this.ts += ns - 1000;
    return this;
  }
  say(kind: string, fields: Readonly<Record<string, number | bigint | string>> = {}): this {
    this.ts += 1000;
    this.events.push({ kind, ts: this.ts, cpu: this.cpu, ...fields });
    return this;
  }

  fill(object: number, position: number, addr: number | bigint): this {
    return this.say('xsk_fill_submit', { object, position, addr, since: this.ts - 500 });
  }
  take(object: number, position: number, addr: number | bigint, flags = 0): this {
    return this.say('xsk_fill_take', { object, position, addr, flags });
  }
  redirect(object: number, len = 60): this {
    return this.say('xsk_redirect', { object, len });
  }
  reserve(object: number, position: number, len = 60): this {
    return this.say('xsk_rx_reserve', { object, position, len });
  }
  write(object: number, position: number, addr: number | bigint, len = 60): this {
    return this.say('xsk_rx_write', { object, position, addr, len });
  }
  publish(object: number, position: number, addr: number | bigint, len = 60): this {
    return this.say('xsk_rx_publish', { object, position, addr, len });
  }
  send(object: number, position: number, addr: number | bigint, len = 60): this {
    return this.say('xsk_tx_submit', { object, position, addr, len, since: this.ts - 500 });
  }
  sent(object: number, addr: number | bigint): this {
    return this.say('xsk_tx_take', { object, addr });
  }
  complete(object: number, position: number, addr: number | bigint): this {
    return this.say('xsk_comp_submit', { object, position, addr });
  }
  drop(object: number, reason: number, count = 1): this {
    return this.say('xsk_drop', { object, reason, count });
  }
  gap(lost = 10): this {
    return this.say('gap', { lost });
  }
  /** What a zero-copy driver takes for its own ring at once, in the order of FILL. */
  takeBatch(queue: number, position: number, addresses: readonly number[]): this {
    for (const [i, addr] of addresses.entries()) this.take(queue, position + i, addr);
    return this;
  }
  /** A packet of a zero-copy driver: it was taken from FILL long before. */
  receiveTaken(socket: number, rxPosition: number, addr: number, len = 60): this {
    return this.reserve(socket, rxPosition, len)
      .redirect(socket, len)
      .write(socket, rxPosition, addr + 256, len)
      .publish(socket, rxPosition, addr + 256, len);
  }
  /** Completions that a zero-copy driver reports at once. */
  completeBatch(queue: number, position: number, addresses: readonly number[]): this {
    this.say('xsk_comp_begin', { object: queue, count: addresses.length });
    for (const [i, addr] of addresses.entries()) this.complete(queue, position + i, addr);
    return this;
  }
  /** One packet received in copy mode: taken, reserved, written; the flush is said separately. */
  receive(
    queue: number,
    socket: number,
    fillPosition: number,
    rxPosition: number,
    addr: number,
    len = 60,
  ): this {
    return this.redirect(socket, len)
      .take(queue, fillPosition, addr)
      .reserve(socket, rxPosition, len)
      .write(socket, rxPosition, addr + 256, len);
  }
}
