// Parquet recordings: written, read back by flightring, by DuckDB and by hyparquet.

import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../../../src/recording/raw.ts';
import { buildBatch } from '../batch.ts';
import { META as STORY } from '../report/story.ts';
import {
  batchOf,
  kindOf,
  lanesOf,
  LAYOUTS,
  layout,
  META,
  sameLanes,
  sampleEvents,
  scratchFolder,
  slotsOf,
} from './sample.ts';

function save(path: string, records = sampleEvents(), meta: RecordingMeta = META): Uint32Array {
  const batch = batchOf(records);
  writeParquet({ meta, batches: [batch] }, path);
  return batch.lanes;
}

describe('written and opened again', () => {
  test('every slot and the whole description come back', async () => {
    using folder = scratchFolder();
    const lanes = save(folder.file('a.parquet'));
    const recording = await openRecording(folder.file('a.parquet'), { layouts: LAYOUTS });
    expect(recording).toMatchObject({ form: 'parquet', meta: META, rows: 5, damage: null });
    expect(lanesOf(recording.batches())).toEqual(lanes);
    expect(lanesOf(recording.batches())).toEqual(lanes);
    expect(statSync(folder.file('a.parquet')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(['a.parquet']);
  });

  test('a raw recording becomes the same Parquet file as its slots', () => {
    using folder = scratchFolder();
    const { lanes, slots } = batchOf(sampleEvents());
    const raw = beginRaw(folder.file('a.raw'));
    writeSync(raw.fd, new Uint8Array(lanes.buffer), 0, lanes.byteLength, RAW_HEADER_BYTES);
    raw.finish(slots, META);
    expect(writeParquet(folder.file('a.raw'), folder.file('a.parquet'))).toMatchObject({
      rows: 5,
      misfits: 0,
    });
    save(folder.file('b.parquet'));
    expect(readFileSync(folder.file('a.parquet'))).toEqual(readFileSync(folder.file('b.parquet')));
  });

  test('a recording without events is a recording', async () => {
    using folder = scratchFolder();
    save(folder.file('a.parquet'), []);
    const recording = await openRecording(folder.file('a.parquet'), { layouts: LAYOUTS });
    expect([recording.rows, recording.damage, [...recording.batches()]]).toEqual([0, null, []]);
  });

  test('more rows than a row group, in batches that split no record', async () => {
    using folder = scratchFolder();
    const one = slotsOf({ kind: kindOf('xsk_fill_take') });
    const two = slotsOf({ kind: kindOf('neigh_update') });
    const progress: number[] = [];
    const batch = batchOf([...Array<Uint32Array>(65_535).fill(one), two, two, one]);
    writeParquet({ meta: META, batches: [batch] }, folder.file('a.parquet'), {
      onProgress: (rows) => progress.push(rows),
    });
    const recording = await openRecording(folder.file('a.parquet'), { layouts: LAYOUTS });
    expect(progress).toEqual([65_536, 65_538]);
    expect(Array.from(recording.batches(), ({ slots }) => slots)).toEqual([65_535, 2, 3]);
    expect(sameLanes(lanesOf(recording.batches()), batch.lanes)).toBe(true);
  });

  test('slots that are no whole record are left out, counted and noted', async () => {
    using folder = scratchFolder();
    const [, two = new Uint32Array()] = sampleEvents();
    const unknown = slotsOf({ kind: layout('later', 90, 'xsk', {}) });
    const batch = batchOf([two.subarray(16), unknown, ...sampleEvents(), two.subarray(0, 16)]);
    expect(writeParquet({ meta: META, batches: [batch] }, folder.file('a.parquet'))).toMatchObject({
      rows: 5,
      misfits: 3,
    });
    const { meta } = await openRecording(folder.file('a.parquet'), { layouts: LAYOUTS });
    expect(meta.notes.at(-1)).toBe('3 slots hold no whole record of a known kind and were left out.');
  });
});

test('a device has the name that events have given it last', async () => {
  using folder = scratchFolder();
  const file = folder.file('names.parquet');
  const eth = { netns: 3, ifindex: 5 };
  const change = { kind: 'link_change', ...eth };
  const rename = { kind: 'link_rename', ...eth, name: 'eth0', new_name: 'lan0' };
  const events = [
    { ...change, ts: 1 },
    { kind: 'link_exists', ts: 2, ...eth, name: 'eth0' },
    { kind: 'neigh_release', ts: 3, ...eth },
    { ...rename, ts: 4, result: -16 },
    { ...change, ts: 5 },
    { ...rename, ts: 6, result: 0 },
    { ...change, ts: 7 },
    { ...change, ts: 8, netns: 4 },
    { kind: 'netns_request', ts: 9, ...eth, name: 'wanted' },
    { ...change, ts: 10 },
  ];
  writeParquet({ meta: STORY, batches: [buildBatch(events)] }, file);
  const bytes = readFileSync(file);
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  });
  expect(rows.map((row) => row['device'] ?? null)).toEqual([
    null,
    'eth0',
    'eth0',
    'eth0',
    'eth0',
    'lan0',
    'lan0',
    null,
    'lan0',
    'lan0',
  ]);
});

test("a device is found through a socket's queue, and by the record's own namespace and index", async () => {
  using folder = scratchFolder();
  const netns = 0xdead_beef_dead_beefn;
  const records = [
    slotsOf({ kind: kindOf('xsk_fill_take') }, { object: 3 }),
    slotsOf({ kind: kindOf('neigh_update') }, { netns, ifindex: 7 }),
    slotsOf({ kind: kindOf('neigh_update') }, { netns: 1n, ifindex: 7 }),
    slotsOf({ kind: kindOf('xsk_bind') }, { object: 1, netns, ifindex: 8 }),
  ];
  save(folder.file('a.parquet'), records);
  const bytes = readFileSync(folder.file('a.parquet'));
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  });
  expect(rows.map((row) => [row['netns'], row['ifindex'], row['queue'], row['device']])).toEqual([
    [netns, 7, 3, 'veth0'],
    [netns, 7, null, 'veth0'],
    [1n, 7, null, null],
    [netns, 8, 0, null],
  ]);
});

test('an older recording is read in the layouts of this version', async () => {
  using folder = scratchFolder();
  const older = [
    layout('gone', 1, 'xsk', { addr: 'umem_addr' }),
    layout('kept', 2, 'xsk', {
      object: 'object',
      addr: 'umem_addr',
      len: 'u16',
      dropped: 'u32',
      name: 'name',
      mac: 'mac',
    }),
  ];
  const newer = [
    layout('gap', 0, 'recorder', {}),
    layout('kept', 5, 'xsk', {
      added: 'u64',
      len: 'u32',
      mac: 'mac',
      name: 'comm',
      addr: 'umem_addr',
      object: 'object',
    }),
  ];
  const [gone, kept] = older as [(typeof older)[0], (typeof older)[0]];
  const meta = { ...META, layouts: older };
  const fields = {
    object: 1,
    addr: 0x1234_5678_9abc_def0n,
    len: 60,
    dropped: 3,
    name: 'eth0',
    mac: [1, 2, 3, 4, 5, 6],
  };
  const records = [
    slotsOf({ kind: gone }),
    slotsOf({ kind: kept, seq: 9n, ts: 8n, flags: 0x0110, cpu: 3 }, fields),
    slotsOf({ kind: gone }),
  ];
  save(folder.file('a.parquet'), records, meta);
  const recording = await openRecording(folder.file('a.parquet'), { layouts: newer });
  const wanted = slotsOf(
    { kind: kindOf('kept', newer), seq: 9n, ts: 8n, flags: 0x0110, cpu: 3 },
    { added: 0, len: 60, mac: [1, 2, 3, 4, 5, 6], addr: 0x1234_5678_9abc_def0n, object: 1 },
  );
  expect(lanesOf(recording.batches())).toEqual(wanted);
  expect([...recording.unknownKinds]).toEqual([['gone', 2]]);
});

describe('DuckDB', () => {
  async function query(sql: string): Promise<Record<string, unknown>[]> {
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      return (await connection.runAndReadAll(sql)).getRowObjects();
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }

  test('sees the columns with their types', async () => {
    using folder = scratchFolder();
    save(folder.file('a.parquet'));
    const columns = await query(`DESCRIBE SELECT * FROM '${folder.file('a.parquet')}'`);
    expect(columns.slice(0, 13).map((row) => `${row['column_name']} ${row['column_type']}`)).toEqual([
      'seq BIGINT',
      'ts BIGINT',
      'cpu UINTEGER',
      'tid UINTEGER',
      'pid UINTEGER',
      'comm VARCHAR',
      'netns UBIGINT',
      'path VARCHAR',
      'kind VARCHAR',
      'flags UINTEGER',
      'ifindex UINTEGER',
      'queue UINTEGER',
      'device VARCHAR',
    ]);
    const types = new Map(columns.map((row) => [row['column_name'], row['column_type']]));
    expect([types.get('addr'), types.get('neigh_result'), types.get('mac'), types.get('len')]).toEqual([
      'UBIGINT',
      'INTEGER',
      'VARCHAR',
      'UINTEGER',
    ]);
  });

  test('sees values, joined names and NULLs', async () => {
    using folder = scratchFolder();
    save(folder.file('a.parquet'));
    const file = folder.file('a.parquet');
    expect(
      await query(`SELECT kind, comm, netns, ifindex, queue, device, object FROM '${file}' ORDER BY ts`),
    ).toEqual([
      { kind: 'gap', comm: null, netns: null, ifindex: null, queue: null, device: null, object: null },
      {
        kind: 'neigh_update',
        comm: 'früher',
        netns: 4026n,
        ifindex: 2,
        queue: null,
        device: null,
        object: null,
      },
      {
        kind: 'xsk_bind',
        comm: 'später',
        netns: 0xffff_ffff_ffff_ffffn,
        ifindex: 3,
        queue: 1,
        device: null,
        object: 2,
      },
      {
        kind: 'xsk_fill_take',
        comm: 'forwarder',
        netns: 0xdead_beef_dead_beefn,
        ifindex: 7,
        queue: 3,
        device: 'veth0',
        object: 1,
      },
      {
        kind: 'xsk_rx_publish',
        comm: null,
        netns: null,
        ifindex: null,
        queue: null,
        device: null,
        object: null,
      },
    ]);
    expect(await query(`SELECT ip, mac, neigh_result, seq FROM '${file}' WHERE mac IS NOT NULL`)).toEqual([
      { ip: '10.0.0.1', mac: '02:00:ab:cd:ef:01', neigh_result: -22, seq: 2n },
    ]);
    expect(await query(`SELECT seq FROM '${file}' WHERE addr = 16045690984833335023`)).toEqual([{ seq: 5n }]);
    expect(await query(`SELECT position FROM '${file}' WHERE position > 2147483648`)).toEqual([
      { position: 0xffff_ffff },
    ]);
  });

  test('counts what was written, over several row groups and every encoding', async () => {
    using folder = scratchFolder();
    const kinds = ['xsk_fill_take', 'xsk_rx_publish', 'gap', 'neigh_update'].map((name) => kindOf(name));
    const records = Array.from({ length: 10_000 }, (_, i) => {
      const kind = kinds[i % 4] as (typeof kinds)[number];
      const own =
        kind.kind === 'gap'
          ? { lost: i }
          : kind.path === 'neigh'
            ? { ifindex: i % 3 }
            : { position: i * 7, addr: BigInt(i % 64) * 2048n };
      return slotsOf({ kind, seq: BigInt(i + 1), ts: BigInt(1_000_000 + i * i), cpu: i % 2 }, own);
    });
    writeParquet({ meta: META, batches: [batchOf(records)] }, folder.file('a.parquet'), { groupRows: 3000 });
    const file = folder.file('a.parquet');
    expect(await query(`SELECT kind, count(*) AS events FROM '${file}' GROUP BY kind ORDER BY kind`)).toEqual(
      [
        { kind: 'gap', events: 2500n },
        { kind: 'neigh_update', events: 2500n },
        { kind: 'xsk_fill_take', events: 2500n },
        { kind: 'xsk_rx_publish', events: 2500n },
      ],
    );
    const [sums] = await query(
      `SELECT sum(seq)::BIGINT s, sum(ts)::BIGINT t, sum(position)::BIGINT p, sum(addr)::BIGINT a, sum(lost)::BIGINT l, count(addr) n FROM '${file}'`,
    );
    const sum = (value: (i: number) => number): bigint =>
      BigInt(records.reduce((total, _, i) => total + value(i), 0));
    expect(sums).toEqual({
      s: sum((i) => i + 1),
      t: sum((i) => 1_000_000 + i * i),
      p: sum((i) => (i % 4 < 2 ? i * 7 : 0)),
      a: sum((i) => (i % 4 < 2 ? (i % 64) * 2048 : 0)),
      l: sum((i) => (i % 4 === 2 ? i : 0)),
      n: 5000n,
    });
  });

  test('finds the violation in the key-value metadata', async () => {
    using folder = scratchFolder();
    save(folder.file('a.parquet'));
    const rows = await query(
      `SELECT decode(value) AS value FROM parquet_kv_metadata('${folder.file('a.parquet')}') WHERE key = 'flightring.violation'`,
    );
    expect(rows).toEqual([{ value: 'Frame 0x1000 was put into FILL twice.' }]);
  });
});

test('hyparquet reads every row', async () => {
  using folder = scratchFolder();
  save(folder.file('a.parquet'));
  const bytes = readFileSync(folder.file('a.parquet'));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const rows = await parquetReadObjects({ file });
  expect(rows).toHaveLength(5);
  expect(rows[3]).toMatchObject({
    seq: 5n,
    ts: 2400n,
    cpu: 0,
    tid: 71,
    pid: 70,
    comm: 'forwarder',
    netns: 0xdead_beef_dead_beefn,
    path: 'xsk',
    kind: 'xsk_fill_take',
    flags: 0,
    ifindex: 7,
    queue: 3,
    device: 'veth0',
    object: 1,
    position: 0xffff_ffff,
    addr: 0xdead_beef_dead_beefn,
    since: 0n,
  });
});
