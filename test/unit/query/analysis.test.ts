// docs/analysis.md: its SQL runs in plain DuckDB, its program compiles against the API, and another reader agrees with DuckDB.

import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { openQuery } from '../../../src/index.ts';

const TEXT = readFileSync('docs/analysis.md', 'utf8');

function blocks(language: string): string[] {
  return [...TEXT.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
    ([, block]) => block as string,
  );
}

test('every SQL block is answered by plain DuckDB', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const answers: number[] = [];
    for (const sql of blocks('sql')) {
      const reader = await connection.runAndReadAll(sql);
      expect(reader.currentRowCount, sql).toBeGreaterThan(0);
      answers.push(reader.currentRowCount);
    }
    expect(answers).toHaveLength(6);
  } finally {
    instance.closeSync();
  }
});

test('the life of the frame is the same by hand and ready-made', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const sql = blocks('sql').find((block) => block.includes('761856'));
    const plain = (await connection.runAndReadAll(sql ?? '')).getRowObjects();
    using query = await openQuery('recordings/double-fill.parquet');
    const rows = await query.rows<{ kind: string }>(
      await query.question('life', { object: 'frame:0xba000@umem:1' }),
    );
    expect(rows.map(({ kind }) => kind)).toEqual(plain.map(({ kind }) => kind));
  } finally {
    instance.closeSync();
  }
});

test('the program in it does what it shows', async () => {
  expect(blocks('ts').join('')).toContain(
    "query.rows<{ kind: string; n: bigint }>('SELECT kind, count(*) AS n FROM events GROUP BY kind')",
  );
  using query = await openQuery(['recordings']);
  const rows = await query.rows<{ kind: string; n: bigint }>(
    'SELECT kind, count(*) AS n FROM events GROUP BY kind',
  );
  let events = 0;
  for await (const batch of (await query.run('SELECT * FROM events')).batches()) events += batch.length;
  expect(Number(rows.reduce((sum, { n }) => sum + n, 0n))).toBe(events);
});

test('hyparquet reads the same rows and description', async () => {
  const file = await asyncBufferFromFile('recordings/double-fill.parquet');
  const metadata = await parquetMetadataAsync(file);
  const json = metadata.key_value_metadata?.find(({ key }) => key === 'flightring')?.value;
  const rows = await parquetReadObjects({ file, columns: ['seq', 'ts', 'kind', 'comm', 'addr'] });
  using query = await openQuery('recordings/double-fill.parquet');
  const ours = await query.rows('SELECT seq, ts, kind, comm, addr FROM events ORDER BY ts, cpu, seq');
  expect(rows.map((row) => ({ ...row, comm: row['comm'] ?? null, addr: row['addr'] ?? null }))).toEqual(ours);
  expect(JSON.parse(json ?? '').violations).toHaveLength((await query.rows('FROM violations')).length);
});
