// A short story to report on: one frame goes round and comes out on RX while it is in TX; records built by their layouts.

import { LAYOUTS } from '../../../src/generated/layouts.ts';
import type { ObjectEntry } from '../../../src/model/objects.ts';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import type { Batch } from '../../../src/model/slot.ts';
import type { Violation } from '../../../src/model/violation.ts';
import { buildBatch, type EventSpec, objectEntry } from '../batch.ts';

function entry(index: number, type: ObjectEntry['type'], rest: Partial<ObjectEntry>): ObjectEntry {
  return objectEntry(index, { ts: 5, tgid: 4700, tid: 4711, comm: 'xsk-forwarder', type, ...rest });
}

export const OBJECTS: readonly ObjectEntry[] = [
  entry(0, 'umem', { size: 0x2000000, chunkSize: 4096 }),
  entry(1, 'queue', { umem: 0, name: 'outer', ifindex: 4, queue: 1, netns: 8193n, size: 2048 }),
  entry(2, 'socket', { umem: 0, parent: 1, name: 'outer', ifindex: 4, queue: 1, netns: 8193n }),
  entry(3, 'queue', { umem: 0, name: 'inner', ifindex: 7, queue: 0, netns: 1n, size: 2048 }),
  entry(4, 'socket', { umem: 0, parent: 3, name: 'inner', ifindex: 7, queue: 0, netns: 1n }),
];

export const T0 = 8123_456_789_012;
const FRAME = 0x16ce000;

const STORY: readonly EventSpec[] = [
  { kind: 'xsk_fill_submit', ts: T0, cpu: 0, object: 1, position: 77, addr: FRAME, since: T0 - 12_300 },
  { kind: 'xsk_wakeup', ts: T0 + 900, cpu: 0, object: 2, reason: 3 },
  { kind: 'xsk_fill_take', ts: T0 + 20_000, cpu: 1, tid: 0, object: 1, position: 77, addr: FRAME },
  {
    kind: 'xsk_rx_write',
    ts: T0 + 21_500,
    cpu: 1,
    tid: 0,
    object: 2,
    position: 40,
    addr: FRAME + 0x100,
    len: 60,
  },
  {
    kind: 'xsk_rx_publish',
    ts: T0 + 30_000,
    cpu: 1,
    tid: 0,
    object: 2,
    position: 40,
    addr: FRAME + 0x100,
    len: 60,
  },
  {
    kind: 'xsk_tx_submit',
    ts: T0 + 90_000,
    cpu: 0,
    object: 4,
    position: 12,
    addr: FRAME + 0x100,
    len: 60,
    since: T0 + 71_000,
  },
  { kind: 'xsk_tx_take', ts: T0 + 91_200, cpu: 0, object: 3, addr: FRAME + 0x100 },
  {
    kind: 'xsk_fill_submit',
    ts: T0 + 200_000,
    cpu: 0,
    flags: 0x200,
    object: 1,
    position: 78,
    addr: 0x1000,
    since: T0,
  },
  { kind: 'gap', ts: T0 + 300_000, cpu: 1, tid: 0, lost: 1234, reason: 1 },
  {
    kind: 'xsk_rx_write',
    ts: T0 + 1_870_000,
    cpu: 1,
    tid: 21,
    flags: 0x10,
    object: 2,
    position: 41,
    addr: FRAME + 0x100,
    len: 60,
  },
  { kind: 'xsk_wakeup', ts: T0 + 1_900_000, cpu: 0, object: 2, reason: 1 },
];

/** The story's records, numbered from 1 on each CPU. */
export function story(): Batch {
  return buildBatch(STORY.map((event) => ({ tid: 4711, pid: 4700, ...event })));
}

export const VIOLATION: Violation = {
  invariant: 'xsk.ownership',
  severity: 'violation',
  orderDependent: false,
  object: `frame 0x${FRAME.toString(16)} of umem 0`,
  sentence: `frame 0x${FRAME.toString(16)} of umem 0 went from TX to RX on outer q1 (netns 8193) without passing COMP and FILL`,
  at: { cpu: 1, seq: 5, ts: T0 + 1_870_000, kind: 'xsk_rx_write' },
  evidence: [
    { cpu: 0, seq: 3, ts: T0 + 90_000, kind: 'xsk_tx_submit' },
    { cpu: 1, seq: 5, ts: T0 + 1_870_000, kind: 'xsk_rx_write' },
  ],
};

export const META: RecordingMeta = {
  format: 1,
  flightring: '0.1.0',
  createdAt: '2026-11-21T05:00:12.345Z',
  kernel: { release: '6.1.0-56-amd64', machine: 'x86_64', cpus: 2 },
  clocks: { monotonicNs: '8123456789012', realtimeNs: '1795237212345000000', errorNs: 120 },
  layouts: LAYOUTS,
  objects: OBJECTS,
  threads: [
    { tid: 4711, ts: 0, comm: 'bash' },
    { tid: 4711, ts: T0 - 1000, comm: 'xsk-forwarder' },
    { tid: 21, ts: 0, comm: 'ksoftirqd/1' },
  ],
  coverage: [],
  freeze: {
    cause: 'violation',
    offendingTs: T0 + 1_870_000,
    flippedTs: T0 + 1_901_200,
    latencyNs: 31_200,
    overwrittenMeanwhile: 12,
    requested: { lastEvents: null, beforeNs: 10e9, afterNs: 0 },
    window: [
      { cpu: 0, firstTs: T0, lastTs: T0 + 1_900_000, events: 6, overwritten: 40_012 },
      { cpu: 1, firstTs: T0 + 20_000, lastTs: T0 + 1_870_000, events: 5, overwritten: 0 },
    ],
  },
  invariants: [{ name: 'xsk.ownership', version: 1 }],
  violations: [VIOLATION],
  counts: {},
  loss: { overwritten: 1234, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
  notes: [],
};
