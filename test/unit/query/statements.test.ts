// SQL is taken apart as DuckDB would, and what would do more than ask is refused.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openQuery } from '../../../src/query/query.ts';
import { splitStatements } from '../../../src/query/statements.ts';
import { recordingFolder, HEALTHY } from '../cli/recordings.ts';

test('a semicolon in a text, a quoted name, a comment or a dollar quote ends nothing', () => {
  expect(
    splitStatements(`SELECT ';', e'\\';', ";" -- ;\n, /* ; */ $a$ ; $a$; SELECT 2;;\n -- end ;\n`),
  ).toEqual([`SELECT ';', e'\\';', ";" -- ;\n, /* ; */ $a$ ; $a$`, '\n SELECT 2']);
  expect(splitStatements(' ; -- nothing\n')).toEqual([]);
});

test('what writes, attaches, installs or reads other files is refused, and the recording stays as it was', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', HEALTHY);
  const other = folder.parquet('other', HEALTHY);
  const before = readFileSync(file);
  using query = await openQuery(file);
  const out = join(folder.path, 'out');
  for (const sql of [
    `COPY (SELECT 1) TO '${out}'`,
    `COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false)`,
    `/* ; */ EXPLAIN ANALYZE COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false)`,
    `EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false)`,
    `explain/**/analyze COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false)`,
    `SELECT 1; COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false)`,
    `PREPARE p AS COPY (SELECT 1) TO '${file}' (USE_TMP_FILE false); EXECUTE p`,
    `ATTACH '${out}' AS x`,
    `ATTACH ':memory:' AS x`,
    'INSTALL httpfs',
    'LOAD httpfs',
    `EXPORT DATABASE '${out}'`,
    `IMPORT DATABASE '${folder.path}'`,
    `SELECT * FROM read_parquet('${other}')`,
    `SELECT * FROM '${other}'`,
    `SELECT * FROM read_text('/etc/passwd')`,
    `SELECT * FROM read_csv('/etc/passwd')`,
    `SELECT * FROM glob('/etc/*')`,
    `CREATE TABLE t AS SELECT * FROM read_blob('/etc/passwd')`,
    'SET enable_external_access = true',
    'RESET lock_configuration',
    `SET allowed_paths = ['/etc/passwd']`,
    `SET temp_directory = '${out}'`,
    `CREATE PERSISTENT SECRET s (TYPE http)`,
    `SELECT * FROM enable_logging('QueryLog', storage = 'file', storage_path = '${out}')`,
    `CALL enable_logging()`,
    'PRAGMA enable_profiling',
    'CHECKPOINT',
  ])
    await expect(query.run(sql), sql).rejects.toMatchObject({ name: 'QueryError', exitCode: 2 });
  expect(existsSync(out)).toBe(false);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(await query.rows('SELECT count(*)::INTEGER AS n FROM events')).toEqual([{ n: 5 }]);
});

test('several statements run in turn, and the rows are those of the last', async () => {
  using folder = recordingFolder();
  using query = await openQuery(folder.parquet('a', HEALTHY));
  expect(
    await query.rows(`CREATE TEMP TABLE t AS SELECT kind FROM events; -- a comment
      SET VARIABLE wanted = 'xsk_fill_submit';
      DELETE FROM t WHERE kind <> getvariable('wanted');
      SELECT count(*)::INTEGER AS n FROM t;`),
  ).toEqual([{ n: 2 }]);
  expect(await query.rows('PIVOT (SELECT kind, cpu FROM events) ON cpu USING count(*)')).toHaveLength(4);
  expect(await query.rows('EXPLAIN ANALYZE SELECT 1')).toHaveLength(1);
  expect(await query.rows('PRAGMA table_info(events)')).not.toHaveLength(0);
  await expect(query.run(' ; ')).rejects.toMatchObject({ code: 'NO_SQL' });
});

test("an error is told in DuckDB's words, with the place, the nearest names, and no terminal escapes", async () => {
  using folder = recordingFolder();
  using query = await openQuery(folder.parquet('a', HEALTHY));
  await expect(query.run('SELECT 1;\n\nSELECT knd FROM events')).rejects.toThrow(
    /Referenced column "knd" not found[^]*Candidate bindings:[^]*"kind"[^]*LINE 3: SELECT knd FROM events\n {15}\^$/,
  );
  await expect(query.run('SELECT * FROM event')).rejects.toThrow(/Did you mean "events"/);
  await expect(query.run('SELEC 1')).rejects.toThrow(/syntax error[^]*LINE 1: SELEC 1\n {8}\^$/);
  await expect(query.rows(`SELECT ('x' || chr(27) || '[2J')::INTEGER`)).rejects.toThrow(/x\\u001b\[2J/);
});
