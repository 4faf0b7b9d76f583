// Small layouts, records and descriptions that the recording tests are made of.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FieldLayout, FieldType, RecordLayout } from '../../../src/model/layout.ts';
import { NO_OBJECT, type ObjectEntry } from '../../../src/model/objects.ts';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import { type Batch, CONTINUATION, HEAD_BYTES, SLOT_BYTES, SLOT_LANES } from '../../../src/model/slot.ts';
import { objectEntry } from '../batch.ts';

const SIZES: Readonly<Partial<Record<FieldType, number>>> = {
  u8: 1,
  nud: 1,
  family: 1,
  proto: 1,
  u16: 2,
  port: 2,
  u64: 8,
  ns: 8,
  netns: 8,
  umem_addr: 8,
  cookie: 8,
  pointer: 8,
  count: 8,
  ip: 16,
  mac: 6,
  comm: 16,
  name: 16,
  text: 40,
  packet: 128,
  path: 8,
};

/** A layout whose fields follow each other, aligned as a compiler would. */
export function layout(
  kind: string,
  number: number,
  path: string,
  fields: Readonly<Record<string, FieldType>>,
): RecordLayout {
  let offset = HEAD_BYTES;
  const placed: FieldLayout[] = [];
  for (const [name, type] of Object.entries(fields)) {
    const size = SIZES[type] ?? 4;
    const align = ['ip', 'mac', 'comm', 'name', 'text', 'path', 'packet'].includes(type) ? 1 : size;
    offset = Math.ceil(offset / align) * align;
    placed.push({ name, type, offset, size });
    offset += size;
  }
  const size = Math.max(offset, SLOT_BYTES);
  return {
    kind,
    number,
    path,
    size,
    slots: size <= 64 ? 1 : 1 + Math.ceil((size - 64) / 56),
    fields: placed,
  };
}

export const LAYOUTS: readonly RecordLayout[] = [
  layout('gap', 0, 'recorder', { lost: 'u64', reason: 'reason', bank: 'u32' }),
  layout('neigh_update', 1, 'neigh', {
    netns: 'netns',
    ifindex: 'ifindex',
    family: 'family',
    nud: 'nud',
    new_nud: 'nud',
    ip: 'ip',
    mac: 'mac',
    result: 'errno',
  }),
  layout('xsk_bind', 2, 'xsk', {
    object: 'object',
    result: 'errno',
    netns: 'netns',
    ifindex: 'ifindex',
    queue: 'queue',
    name: 'name',
    comm: 'comm',
  }),
  layout('xsk_fill_take', 3, 'xsk', {
    object: 'object',
    position: 'position',
    addr: 'umem_addr',
    since: 'ns',
  }),
  layout('xsk_rx_publish', 4, 'xsk', {
    object: 'object',
    position: 'position',
    addr: 'umem_addr',
    len: 'bytes',
    result: 'u16',
  }),
];

function object(index: number, type: ObjectEntry['type'], rest: Partial<ObjectEntry>): ObjectEntry {
  const maker = { ts: 5, tgid: 70, tid: 71, comm: 'forwarder', chunkSize: 2048 };
  return objectEntry(index, { ...maker, type, ...rest });
}

export const META: RecordingMeta = {
  format: 1,
  flightring: '0.1.0',
  createdAt: '2026-01-02T03:04:05.678Z',
  kernel: { release: '6.1.0-test', machine: 'x86_64', cpus: 2 },
  clocks: { monotonicNs: '123456789', realtimeNs: '1767323045678000000', errorNs: 120 },
  layouts: LAYOUTS,
  objects: [
    object(0, 'umem', { size: 1 << 24 }),
    object(1, 'queue', { netns: 0xdead_beef_dead_beefn, ifindex: 7, queue: 3, umem: 0, name: 'veth0' }),
    object(2, 'socket', { netns: 9n }),
    object(3, 'socket', { netns: 9n, parent: 1 }),
  ],
  threads: [
    { tid: 71, ts: 0, comm: 'forwarder' },
    { tid: 72, ts: 2000, comm: 'später' },
    { tid: 72, ts: 1000, comm: 'früher' },
  ],
  coverage: [
    { probe: 'xsk_bind', path: 'xsk', target: 'xsk_bind', method: 'fexit', status: 'attached', reason: null },
    {
      probe: 'xsk_drop',
      path: 'xsk',
      target: 'xsk_drop',
      method: null,
      status: 'missing',
      reason: 'no such function',
    },
  ],
  freeze: {
    cause: 'violation',
    offendingTs: 2500,
    flippedTs: 2600,
    latencyNs: 100,
    overwrittenMeanwhile: 0,
    requested: { lastEvents: 1000, beforeNs: null, afterNs: 0 },
    window: [{ cpu: 0, firstTs: 1000, lastTs: 2500, events: 5, overwritten: 3 }],
  },
  invariants: [{ name: 'xsk.ownership', version: 1 }],
  violations: [
    {
      invariant: 'xsk.ownership',
      severity: 'violation',
      orderDependent: false,
      object: 'umem 0 frame 0x1000',
      sentence: 'Frame 0x1000 was put into FILL twice.',
      at: { cpu: 1, seq: 4, ts: 2500, kind: 'xsk_fill_take' },
      evidence: [{ cpu: 1, seq: 4, ts: 2500, kind: 'xsk_fill_take' }],
    },
  ],
  counts: { 'xsk.ownership': { checked: 5, fired: 1, unplaced: 0, evicted: 0, unknown: 0 } },
  loss: { overwritten: 3, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
  notes: ['made by a test'],
};

export interface EventHead {
  readonly kind: RecordLayout;
  readonly seq?: bigint;
  readonly ts?: bigint;
  readonly tid?: number;
  readonly tgid?: number;
  readonly flags?: number;
  readonly cpu?: number;
}

/** Values of fields by name: numbers, or the bytes of a text. */
export type EventFields = Readonly<Record<string, number | bigint | readonly number[] | string>>;

/** The slots of one record, as the kernel writes them: bpf/recorder.bpf.h, fr_write_slots. */
export function slotsOf(head: EventHead, fields: EventFields = {}): Uint32Array {
  const { kind, seq = 1n, ts = 1500n, tid = 71, tgid = 70, flags = 0, cpu = 0 } = head;
  const record = Buffer.alloc(64 + (kind.slots - 1) * 56);
  record.writeBigUInt64LE(seq, 0);
  record.writeBigUInt64LE(ts, 8);
  record.writeUInt32LE(tid, 16);
  record.writeUInt32LE(tgid, 20);
  record.writeUInt16LE(kind.number, 24);
  record.writeUInt16LE(flags | (kind.slots - 1), 26);
  record.writeUInt32LE(cpu, 28);
  for (const [name, value] of Object.entries(fields)) {
    const field = kind.fields.find((entry) => entry.name === name);
    if (field === undefined) throw new Error(`${kind.kind} has no field ${name}`);
    if (typeof value === 'string') record.write(value, field.offset, field.size, 'utf8');
    else if (typeof value === 'object') record.set(value, field.offset);
    else if (field.size === 8) record.writeBigUInt64LE(BigInt(value), field.offset);
    else record.writeUIntLE(Number(BigInt.asUintN(field.size * 8, BigInt(value))), field.offset, field.size);
  }
  const slots = Buffer.alloc(kind.slots * SLOT_BYTES);
  record.copy(slots, 0, 0, 64);
  for (let i = 1; i < kind.slots; i++) {
    slots.writeBigUInt64LE((seq + BigInt(i)) | (BigInt(CONTINUATION) << 32n), i * SLOT_BYTES);
    record.copy(slots, i * SLOT_BYTES + 8, 64 + (i - 1) * 56, 64 + i * 56);
  }
  return new Uint32Array(Uint8Array.from(slots).buffer);
}

export function batchOf(records: readonly Uint32Array[]): Batch {
  const lanes = new Uint32Array(records.reduce((sum, record) => sum + record.length, 0));
  let at = 0;
  for (const record of records) {
    lanes.set(record, at);
    at += record.length;
  }
  return { lanes, slots: at / SLOT_LANES };
}

/** All slots of a recording, one after the other. */
export function lanesOf(batches: Iterable<Batch>): Uint32Array {
  return batchOf(Array.from(batches, ({ lanes, slots }) => lanes.subarray(0, slots * SLOT_LANES))).lanes;
}

/** Byte for byte; `toEqual` takes seconds for a million lanes. */
export function sameLanes(a: Uint32Array, b: Uint32Array): boolean {
  const bytes = (lanes: Uint32Array): Buffer => Buffer.from(lanes.buffer, lanes.byteOffset, lanes.byteLength);
  return bytes(a).equals(bytes(b));
}

export function kindOf(name: string, layouts = LAYOUTS): RecordLayout {
  const found = layouts.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`no layout ${name}`);
  return found;
}

const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];

/** One record of every kind, with values at the edges of their types. */
export function sampleEvents(): Uint32Array[] {
  return [
    slotsOf({ kind: kindOf('gap'), seq: 1n, ts: 1000n, tid: 0, tgid: 0 }, { lost: 12n, reason: 2, bank: 1 }),
    slotsOf(
      { kind: kindOf('neigh_update'), seq: 2n, ts: 1500n, tid: 72, cpu: 1, flags: 0x0110 },
      {
        netns: 4026n,
        ifindex: 2,
        family: 2,
        nud: 1,
        new_nud: 2,
        ip: mapped,
        mac: [2, 0, 0xab, 0xcd, 0xef, 1],
        result: -22,
      },
    ),
    slotsOf(
      { kind: kindOf('xsk_bind'), seq: 1n << 40n, ts: 2100n, tid: 72 },
      {
        object: 2,
        result: -16,
        netns: 0xffff_ffff_ffff_ffffn,
        ifindex: 3,
        queue: 1,
        name: 'veth1',
        comm: 'a\\b',
      },
    ),
    slotsOf(
      { kind: kindOf('xsk_fill_take'), seq: 5n, ts: 2400n },
      { object: 1, position: 0xffff_ffff, addr: 0xdead_beef_dead_beefn, since: 0n },
    ),
    slotsOf(
      { kind: kindOf('xsk_rx_publish'), seq: 6n, ts: 2500n, tid: 99, cpu: 1 },
      { object: NO_OBJECT, position: 0, addr: 0x1000n, len: 1514, result: 65535 },
    ),
  ];
}

/** A folder that `using` removes. */
export function scratchFolder(): {
  readonly path: string;
  file(name: string): string;
  [Symbol.dispose](): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'flightring-'));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
