// Questions to a recording of a million events, and to a thousand recordings, beside plain DuckDB on the same files.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DuckDBInstance } from '@duckdb/node-api';
import { openQuery, type RecordingQuery } from '../src/query/query.ts';
import { writeLargeRecording } from '../test/large-recording.ts';
import { type Benchmark, median, type Options, paired, ratio, type Row, spread } from './table.ts';

const EVENTS = 1_000_000;
const FILES = 1000;
const EACH = 1000;
const FRAME = 'frame:0x14f000@umem:0';

/** What `--ask life` asks for, as somebody would write it who has read the schema. */
const plainLife = (
  path: string,
): string => `SELECT ts, cpu, tid, comm, kind, device, queue, xsk_position, addr, len
  FROM read_parquet('${path}') WHERE object IN (0, 1, 2, 3, 4, 5, 6, 7, 8) AND addr // 2048 = ${0x14f000 / 2048}
  ORDER BY ts, cpu, seq`;
const KINDS = 'SELECT kind, count(*) AS n FROM events GROUP BY kind';
const plainKinds = (pattern: string): string =>
  `SELECT kind, count(*) AS n FROM read_parquet('${pattern}', union_by_name = true) GROUP BY kind`;

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

export async function query({ quick }: Options): Promise<Benchmark> {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-bench-'));
  const rounds = quick ? 3 : 15;
  const instance = await DuckDBInstance.create(':memory:');
  const plain = await instance.connect();
  try {
    const million = join(folder, 'million.parquet');
    writeLargeRecording(million, EVENTS);
    const many = join(folder, 'many');
    writeMany(many);
    const rows = [
      ...(await measureOne(million, rounds, (sql) => plain.runAndReadAll(sql))),
      ...(await measureMany(many, Math.ceil(rounds / 3), (sql) => plain.runAndReadAll(sql))),
    ];
    return {
      name: 'query',
      title: `questions to a recording of ${EVENTS} events, and to ${FILES} recordings of ${EACH} each`,
      rows,
      notes: ['Opening checks every byte of every recording; plain DuckDB checks none.'],
    };
  } finally {
    instance.closeSync();
    rmSync(folder, { recursive: true });
  }
}

function writeMany(folder: string): void {
  const one = `${folder}.parquet`;
  writeLargeRecording(one, EACH);
  for (let host = 0; host < 10; host++) {
    const place = join(folder, `host=h${host}`);
    mkdirSync(place, { recursive: true });
    for (let i = 0; i < FILES / 10; i++) copyFileSync(one, join(place, `${i}.parquet`));
  }
}

type Ask = (sql: string) => Promise<unknown>;

async function measureOne(path: string, rounds: number, plain: Ask): Promise<Row[]> {
  const [open, life, plainly]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    let opened: RecordingQuery | undefined;
    open.push(await timed(async () => (opened = await openQuery(path))));
    using asked = opened as RecordingQuery;
    life.push(await timed(async () => asked.rows(await asked.question('life', { object: FRAME }))));
    plainly.push(await timed(() => plain(plainLife(path))));
  }
  return [
    { variant: 'open, a million events', unit: 'ms', ...spread(open) },
    {
      variant: 'life of a frame, the first question',
      unit: 'ms',
      ...spread(life),
      compared: { to: 'of plain DuckDB', value: paired(life, plainly, ratio), unit: 'times' },
      target: { kind: 'at most', limit: 100, value: median(life) },
    },
    { variant: 'the same in plain DuckDB', unit: 'ms', ...spread(plainly) },
  ];
}

async function measureMany(folder: string, rounds: number, plain: Ask): Promise<Row[]> {
  const [open, kinds, host, plainly]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < rounds; round++) {
    let opened: RecordingQuery | undefined;
    open.push(await timed(async () => (opened = await openQuery(folder))));
    using asked = opened as RecordingQuery;
    kinds.push(await timed(() => asked.rows(KINDS)));
    host.push(await timed(() => asked.rows(`${KINDS.replace('GROUP', "WHERE host = 'h3' GROUP")}`)));
    plainly.push(await timed(() => plain(plainKinds(`${folder}/*/*.parquet`))));
  }
  return [
    { variant: `open, ${FILES} recordings`, unit: 'ms', ...spread(open) },
    {
      variant: 'events of each kind in all of them',
      unit: 'ms',
      ...spread(kinds),
      compared: { to: 'of plain DuckDB', value: paired(kinds, plainly, ratio), unit: 'times' },
    },
    { variant: 'of one host in ten', unit: 'ms', ...spread(host) },
    { variant: 'all of them in plain DuckDB', unit: 'ms', ...spread(plainly) },
  ];
}
