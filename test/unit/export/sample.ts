// A recording with something of everything that exports draw: polls, gaps, packets, a neighbour, hostile names, a violation.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import type { Violation } from '../../../src/model/violation.ts';
import type { Exporter, FormatOptions } from '../../../src/export/formats.ts';
import { createSource, type ExportInput } from '../../../src/export/source.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import type { FilterOptions } from '../../../src/report/filter.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, T0 } from '../report/story.ts';

/** HTML, a quotation mark, a comma and a formula, all in what a thread may call itself. */
export const HOSTILE_COMM = '=1+1,"<b>\x1b[31m';
export const HOSTILE_DEVICE = 'a"b\x1b]0;x\n';
/** Beyond what a JavaScript number holds exactly. */
export const BIG_COOKIE = 0xffff_ffff_ffff_fff1n;
export const FRAME = 0x16ce000;
export const PACKET = 'ffffffffffff02000000000108004500003c00';

const SNAPSHOT_FLAG = 0x80;

export const EVENTS: readonly EventSpec[] = [
  {
    kind: 'neigh_exists',
    ts: T0 - 10,
    cpu: 65535,
    flags: SNAPSHOT_FLAG,
    netns: 1n,
    ifindex: 7,
    family: 2,
    nud: 2,
    ip: '10.0.0.2',
    mac: '02:00:00:00:00:02',
  },
  { kind: 'gap', ts: T0, cpu: 1, lost: 0, reason: 3, until: T0 + 100, share: 'xsk' },
  {
    kind: 'xsk_fill_submit',
    ts: T0 + 200,
    tid: 4711,
    pid: 4700,
    object: 1,
    position: 77,
    addr: FRAME,
    since: T0,
  },
  { kind: 'xsk_napi_begin', ts: T0 + 300, cpu: 1, object: 1 },
  { kind: 'xsk_fill_take', ts: T0 + 400, cpu: 1, object: 1, position: 77, addr: FRAME },
  { kind: 'xsk_rx_write', ts: T0 + 500, cpu: 1, object: 2, position: 40, addr: FRAME + 0x100, len: 60 },
  {
    kind: 'xsk_packet',
    ts: T0 + 510,
    cpu: 1,
    object: 2,
    position: 40,
    addr: FRAME + 0x100,
    len: 60,
    kept: 20,
    packet: PACKET,
  },
  { kind: 'xsk_napi_end', ts: T0 + 600, cpu: 1, object: 1, work: 1 },
  { kind: 'xsk_rx_publish', ts: T0 + 700, cpu: 1, object: 2, position: 40, addr: FRAME + 0x100, len: 60 },
  {
    kind: 'xsk_rx_consume',
    ts: T0 + 800,
    tid: 4711,
    pid: 4700,
    object: 2,
    position: 41,
    count: 1,
    since: T0,
  },
  {
    kind: 'neigh_update_done',
    ts: T0 + 900,
    tid: 99,
    pid: 99,
    netns: 1n,
    ifindex: 7,
    family: 2,
    nud: 4,
    ip: '10.0.0.2',
    mac: '02:00:00:00:00:02',
    result: -17,
  },
  {
    kind: 'xsk_tx_submit',
    ts: T0 + 1000,
    tid: 4711,
    pid: 4700,
    object: 4,
    position: 12,
    addr: FRAME,
    len: 60,
  },
  { kind: 'link_register', ts: T0 + 1100, tid: 99, pid: 99, netns: 5n, ifindex: 3, name: HOSTILE_DEVICE },
  { kind: 'sockiter_hash', ts: T0 + 1200, tid: 99, pid: 99, netns: 5n, cookie: BIG_COOKIE, port: 80 },
  { kind: 'gap', ts: T0 + 1300, cpu: 1, lost: 1234, reason: 1, until: T0 + 1400, share: 'xsk' },
  {
    kind: 'xsk_rx_write',
    ts: T0 + 2000,
    cpu: 1,
    tid: 21,
    pid: 21,
    object: 2,
    position: 41,
    addr: FRAME,
    len: 60,
  },
  {
    kind: 'xsk_packet',
    ts: T0 + 2010,
    cpu: 1,
    tid: 21,
    pid: 21,
    object: 2,
    position: 41,
    addr: FRAME,
    len: 60,
    kept: 2,
    packet: '0102',
  },
];

/** The second frame written to RX, while it is in TX. */
export const VIOLATION: Violation = {
  invariant: 'xsk.ownership',
  severity: 'violation',
  orderDependent: false,
  object: `frame 0x${FRAME.toString(16)} of umem 0`,
  sentence: `frame 0x${FRAME.toString(16)} of umem 0 went from TX to RX on outer q1 (netns 8193) without passing COMP and FILL`,
  at: { cpu: 1, seq: 12, ts: T0 + 2000, kind: 'xsk_rx_write' },
  evidence: [
    { cpu: 0, seq: 5, ts: T0 + 1000, kind: 'xsk_tx_submit' },
    { cpu: 1, seq: 12, ts: T0 + 2000, kind: 'xsk_rx_write' },
  ],
};

export const EXPORT_META: RecordingMeta = {
  ...META,
  threads: [...META.threads, { tid: 99, ts: 0, comm: HOSTILE_COMM }],
  violations: [VIOLATION],
  snapshot: { records: 1 },
};

export function inputOf(events = EVENTS, meta: RecordingMeta = EXPORT_META): ExportInput {
  return { path: 'sample.parquet', rows: events.length, meta, batches: () => [buildBatch(events)] };
}

/** What a format makes of the sample. */
export function exported(
  exporter: Exporter,
  { filter = null, ...options }: FormatOptions & { filter?: FilterOptions | null } = {},
  input = inputOf(),
): Buffer {
  const pieces: Buffer[] = [];
  // A piece is good until the next one is asked for.
  for (const piece of exporter(createSource(input, filter), options)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** A folder with the sample as a recording, that `using` removes. */
export function sampleFolder() {
  const path = mkdtempSync(join(tmpdir(), 'flightring-export-'));
  const file = join(path, 'sample.parquet');
  writeParquet({ meta: EXPORT_META, batches: [buildBatch(EVENTS)] }, file);
  return { path, file, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
