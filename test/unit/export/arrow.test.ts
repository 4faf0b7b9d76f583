// The Arrow file as two other implementations read it, and the Parquet file cell for cell.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC as flechette } from '@uwdata/flechette';
import { tableFromIPC, type Table } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { exportRecording } from '../../../src/export/export.ts';
import { writeLargeRecording } from '../../large-recording.ts';
import { BIG_COOKIE, EVENTS, EXPORT_META, HOSTILE_COMM, HOSTILE_DEVICE, sampleFolder } from './sample.ts';

type Row = Readonly<Record<string, unknown>>;

function rowsOf(table: Table): Row[] {
  return table.toArray().map((row: { toJSON(): Row }) => row.toJSON());
}

/** Numbers of any width as one, so that readers may give them as they like. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : value;
}

async function parquetRows(path: string): Promise<Row[]> {
  const bytes = readFileSync(path);
  const file = new Uint8Array(bytes).buffer;
  return parquetReadObjects({ file });
}

/** The first cell that differs, in words; null if all are the same. Parquet's readers give unsigned numbers as signed. */
function firstDifference(wanted: readonly Row[], rows: readonly Row[]): string | null {
  if (wanted.length !== rows.length) return `${rows.length} rows, not ${wanted.length}`;
  for (const [at, row] of wanted.entries()) {
    for (const column of Object.keys(row)) {
      const [a, b] = [plain(row[column]), plain(rows[at]?.[column])];
      const same =
        typeof a === 'bigint' && typeof b === 'bigint'
          ? BigInt.asUintN(64, a) === BigInt.asUintN(64, b)
          : a === b;
      if (!same) return `row ${at} ${column}: ${String(b)}, not ${String(a)}`;
    }
  }
  return null;
}

test.each(['sample', 'large'])('%s: cell for cell the Parquet file', async (name) => {
  using folder = sampleFolder();
  const file = name === 'sample' ? folder.file : join(folder.path, 'large.parquet');
  // More than one row group.
  if (name === 'large') writeLargeRecording(file, 70_000);
  const { path } = await exportRecording(file, { to: 'arrow' });
  const bytes = readFileSync(path as string);
  const wanted = await parquetRows(file);
  expect(firstDifference(wanted, rowsOf(tableFromIPC(bytes)))).toBe(null);
  expect(firstDifference(wanted, flechette(bytes, { useBigInt: true }).toArray() as Row[])).toBe(null);
});

test('types, time of day, and values at the edges', async () => {
  using folder = sampleFolder();
  const { path } = await exportRecording(folder.file, { to: 'arrow' });
  expect(path).toBe(folder.file.replace('.parquet', '.arrow'));
  const table = tableFromIPC(readFileSync(path as string));
  const types = new Map(table.schema.fields.map(({ name, type }) => [name, String(type)]));
  expect(types.get('ts')).toBe('Int64');
  expect(types.get('time')).toBe('Timestamp<NANOSECOND, UTC>');
  expect(types.get('netns')).toBe('Uint64');
  expect(types.get('comm')).toBe('Dictionary<Int32, Utf8>');
  // Nothing in this recording has a value there.
  expect(types.has('key_bits')).toBe(false);
  expect(JSON.parse(table.schema.metadata.get('flightring') as string)).toMatchObject({
    kernel: EXPORT_META.kernel,
  });
  const { monotonicNs, realtimeNs } = EXPORT_META.clocks;
  const times = table.getChild('time')?.data[0]?.values as BigInt64Array;
  expect(times[0]).toBe(BigInt(EVENTS[0]?.ts ?? 0) + BigInt(realtimeNs) - BigInt(monotonicNs));
  const rows = rowsOf(table);
  expect(rows.find(({ kind }) => kind === 'link_register')).toMatchObject({
    comm: HOSTILE_COMM,
    name: HOSTILE_DEVICE,
  });
  expect(rows.find(({ kind }) => kind === 'sockiter_hash')).toMatchObject({ cookie: BIG_COOKIE });
});

test('DuckDB sees the same in the CSV as in the Parquet file', async () => {
  using folder = sampleFolder();
  const { path } = await exportRecording(folder.file, { to: 'csv' });
  const connection = await (await DuckDBInstance.create()).connect();
  const columns = 'seq, ts, cpu, tid, comm, netns, kind, device, "name", cookie, neigh_result, packet';
  const differing = await connection.runAndReadAll(
    `SELECT count(*) AS n FROM (
       (SELECT ${columns} FROM read_parquet('${folder.file}') EXCEPT ALL SELECT ${columns} FROM csv)
       UNION ALL
       (SELECT ${columns} FROM csv EXCEPT ALL SELECT ${columns} FROM read_parquet('${folder.file}')))`.replaceAll(
      'FROM csv',
      `FROM read_csv('${path}', types = {'cookie': 'UBIGINT', 'netns': 'UBIGINT'}, nullstr = '', allow_quoted_nulls = false)`,
    ),
  );
  expect(differing.getRowObjects()).toEqual([{ n: 0n }]);
});
