// flightring query: the formats, what is said of files left out, and the exit status.

import { readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { QueryFlags } from '../../../src/cli/query-run.ts';
import { runQuery } from '../../../src/cli/query-run.ts';
import { FAULTY, HEALTHY, Paper, recordingFolder } from './recordings.ts';

const FLAGS: QueryFlags = { format: 'table', pager: false, color: false };

async function run(words: readonly string[], flags: Partial<QueryFlags> = {}, columns?: number) {
  const [out, err] = [new Paper(), new Paper()];
  if (columns !== undefined) Object.assign(out, { isTTY: true, columns, rows: 1000 });
  const code = await runQuery(
    words,
    { ...FLAGS, ...flags },
    out as unknown as NodeJS.WriteStream,
    err as unknown as NodeJS.WriteStream,
  );
  return { code, out: out.text, err: err.text };
}

test('a table has its numbers to the right, and NULL where there is nothing', async () => {
  using folder = recordingFolder();
  const sql = 'SELECT kind, cpu, len, 1.5 AS x FROM events ORDER BY ts LIMIT 2';
  expect((await run([folder.parquet('a', HEALTHY), sql])).out).toBe(
    [
      'kind             cpu   len    x',
      '───────────────  ───  ────  ───',
      'xsk_fill_submit    0  NULL  1.5',
      'xsk_rx_write       1    64  1.5',
      '',
    ].join('\n'),
  );
});

test('on a terminal nothing is wider than it, and no text of a recording moves its cursor', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', HEALTHY);
  for (const columns of [20, 40, 80, 200]) {
    const { out } = await run(
      [file, `SELECT *, 'x' || chr(27) || '[31m' || repeat('ä界', 200) AS long FROM events`],
      {},
      columns,
    );
    for (const line of out.split('\n')) {
      // A Chinese character takes two columns.
      expect(line.length + line.replaceAll(/[^界]/g, '').length).toBeLessThanOrEqual(columns);
      expect(line).not.toMatch(/\p{Cc}/u);
    }
  }
  expect((await run([file, `SELECT repeat('long', 100) AS a, 1 AS b`], {}, 40)).out).toContain('…');
  expect((await run([file, `SELECT 1 AS a WHERE false`])).out).toContain('no rows');
  expect((await run([file, 'SELECT * FROM events'], {}, 60)).out).toMatch(/… \d+ more\n/);
});

test('json is an object per line that loses no digit', async () => {
  using folder = recordingFolder();
  const sql = `SELECT 18446744073709551615::UBIGINT AS big, 7::BIGINT AS small, [1, NULL] AS list, {'a': 1} AS s,
    make_timestamp_ns(1795241598472000001) AS t, NULL AS n, 'a' || chr(27) || chr(155) || chr(10) AS text, 'nan'::DOUBLE AS x, 0.10::DECIMAL(5, 2) AS d`;
  const { out } = await run([folder.parquet('a', HEALTHY), sql], { format: 'json' });
  expect(out).not.toMatch(/[^\P{Cc}\n]/u);
  expect(JSON.parse(out)).toEqual({
    big: '18446744073709551615',
    small: 7,
    list: [1, null],
    s: { a: 1 },
    t: '2026-11-21 06:13:18.472000001',
    n: null,
    text: 'a\u001b\u009b\n',
    x: 'NaN',
    d: '0.10',
  });
});

test('csv keeps to RFC 4180, and no cell is a formula', async () => {
  using folder = recordingFolder();
  const sql = `SELECT 'a,"b"' AS "x,y", 'l' || chr(10) || 'm' AS l, '=1+1' AS f, -5 AS n, '-5' AS t, NULL AS nothing, '' AS e`;
  const { out } = await run([folder.parquet('a', HEALTHY), sql], { format: 'csv' });
  expect(out).toBe(`"x,y",l,f,n,t,nothing,e\r\n"a,""b""","l\nm",'=1+1,-5,-5,,""\r\n`);
});

test('-o writes a file that appears whole or not at all', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', HEALTHY);
  for (const format of ['json', 'csv', 'table', 'parquet'] as const) {
    const output = join(folder.path, `out.${format}`);
    const { code, out } = await run([file, 'SELECT kind FROM events'], { format, output });
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(readFileSync(output).length).toBeGreaterThan(50);
  }
  const failed = join(folder.path, 'failed.csv');
  await expect(
    run([file, `SELECT CASE WHEN ts > 30000 THEN error('no') END FROM events`], {
      format: 'csv',
      output: failed,
    }),
  ).rejects.toThrow(/no/);
  expect(() => readFileSync(failed)).toThrow(/ENOENT/);
  await expect(run([file, 'SELECT 1'], { format: 'parquet' })).rejects.toThrow(/-o/);
  await expect(run([file, 'SELECT 1'], { format: 'xml' })).rejects.toMatchObject({ exitCode: 2 });
  await expect(run([file, 'SELECT 1'], { format: 'csv', output: file })).rejects.toMatchObject({
    code: 'BAD_OUTPUT',
  });
});

test('-o - is standard output, and what is no file is left as it is', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', HEALTHY);
  expect((await run([file, 'SELECT 1 AS n'], { format: 'csv', output: '-' })).out).toBe('n\r\n1\r\n');
  await expect(run([file, 'SELECT 1'], { format: 'parquet', output: '-' })).rejects.toMatchObject({
    code: 'NO_OUTPUT',
  });
  const device = join(folder.path, 'null');
  symlinkSync('/dev/null', device);
  for (const format of ['csv', 'parquet'])
    await expect(run([file, 'SELECT 1'], { format, output: device })).rejects.toMatchObject({
      code: 'NOT_A_FILE',
    });
  expect(readlinkSync(device)).toBe('/dev/null');
});

test('a recording of a newer version is told of, and asked', async () => {
  using folder = recordingFolder();
  const newer = folder.parquet('newer', HEALTHY, { flightring: '9.8.7' });
  const { code, out, err } = await run([newer, 'SELECT count(*) AS n FROM events'], { format: 'csv' });
  expect({ code, out }).toEqual({ code: 0, out: 'n\r\n5\r\n' });
  expect(err).toMatch(
    /^flightring: .*newer\.parquet was made by flightring 9\.8\.7 .*nothing had to be left out\.\n$/,
  );
});

test('files left out are told of on stderr, and make the exit status 4', async () => {
  using folder = recordingFolder();
  const good = folder.parquet('good', HEALTHY);
  const bad = join(folder.path, 'bad\u001b.parquet');
  writeFileSync(bad, 'x');
  const { code, out, err } = await run([good, bad, 'SELECT count(*) AS n FROM events'], { format: 'csv' });
  expect({ code, out }).toEqual({ code: 4, out: 'n\r\n5\r\n' });
  expect(err).toMatch(
    /^flightring: .*bad\\u001b\.parquet is not a recording.*\nflightring: 1 of 2 files were left out/,
  );
  await expect(run([bad, 'SELECT 1'])).rejects.toMatchObject({ exitCode: 2 });
});

test('the words are told apart, and what is missing is said', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', FAULTY);
  const sql = join(folder.path, 'q.sql');
  writeFileSync(sql, 'SELECT count(*) AS n\nFROM violations;\n');
  expect((await run([file], { file: sql, format: 'csv' })).out).toBe('n\r\n1\r\n');
  await expect(run([])).rejects.toThrow(/Name the recordings first/);
  await expect(run([file])).rejects.toThrow(/What is to be asked/);
  await expect(run([file, file])).rejects.toThrow(/must be the SQL/);
  await expect(run(['SELECT 1'])).rejects.toThrow(/Name the recordings first/);
  await expect(run([file], { ask: 'kinds', file: sql })).rejects.toThrow(/not both/);
  await expect(run([file, `SELECT '${'x'.repeat(10_000)}' AS a, knd FROM events`])).rejects.toThrow(
    /"knd" not found/,
  );
});

test('ready-made questions are listed, asked and shown', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', FAULTY);
  const list = (await run([], { list: true })).out;
  for (const word of [
    'life',
    'deletions',
    'rings',
    'fill-to-rx',
    'rates',
    '--set object=',
    'events:',
    'clock_offset_ns',
  ])
    expect(list).toContain(word);
  const asked = await run([file], { ask: 'life', set: ['object=frame 0x1000 of umem 0'], format: 'csv' });
  expect(asked.out.split('\r\n')[1]).toContain('xsk_fill_submit');
  const shown = await run([file], { ask: 'life', set: ['object=frame 0x1000 of umem 0'], printSql: true });
  expect((await run([file, shown.out], { format: 'csv' })).out).toBe(asked.out);
  await expect(run([file], { ask: 'lif' })).rejects.toThrow(/There is no question "lif"/);
  await expect(run([file], { ask: 'life' })).rejects.toThrow(/needs object/);
  await expect(run([file], { ask: 'life', set: ['object=nothing'] })).rejects.toThrow(/names no object/);
  await expect(run([file], { ask: 'life', set: ['object=umem:77'] })).rejects.toThrow(/There is no umem:77/);
  await expect(run([file], { ask: 'rates', set: ['stp=1ms'] })).rejects.toThrow(/to be set are step/);
  await expect(run([file], { ask: 'rates', set: ['step=0'] })).rejects.toMatchObject({ exitCode: 2 });
  await expect(run([file], { ask: 'talkers', set: ['limit=1; DROP VIEW events'] })).rejects.toMatchObject({
    exitCode: 2,
  });
  await expect(run([file], { ask: 'rates', set: ['step'] })).rejects.toThrow(/name=value/);
});
