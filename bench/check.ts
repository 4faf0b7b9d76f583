// From a Parquet file to the verdict: how fast one core checks a recording, beside reading the file and asking DuckDB.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Invariant } from '../src/check/invariant.ts';
import { INVARIANTS } from '../src/generated/invariants.ts';
import { checkRecording } from '../src/pipeline.ts';
import { writeLargeRecording } from '../test/large-recording.ts';
import { BUILD } from './driver.ts';
import { type Benchmark, median, type Options, paired, spread } from './table.ts';

/** What xsk.ownership looks at, as a question: each event's kind, object, frame and time. */
const QUESTION = `select kind, object, count(*), count(distinct addr), min(ts), max(ts), max(seq), max(cpu)
  from events group by kind, object`;

export async function check({ quick }: Options): Promise<Benchmark> {
  const events = quick ? 1_000_000 : 4_000_000;
  const path = join(BUILD, 'bench-check.parquet');
  mkdirSync(BUILD, { recursive: true });
  const { bytes } = writeLargeRecording(path, events);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`create view events as from '${path}'`);
  const ownership = INVARIANTS.filter(({ name }) => name === 'xsk.ownership');
  const xsk = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));
  const rates = {
    ownership: [] as number[],
    xsk: [] as number[],
    duckdb: [] as number[],
    read: [] as number[],
  };
  const rate = async (run: () => unknown): Promise<number> => {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    return events / (user + system);
  };
  // The first round has the compiler's work in it, and is left out.
  for (let round = 0; round < (quick ? 4 : 8); round++) {
    const one = {
      ownership: await rate(() => verdictOf(path, ownership, events)),
      xsk: await rate(() => verdictOf(path, xsk, events)),
      duckdb: await rate(() => connection.run(QUESTION)),
      read: await rate(() => readFileSync(path)),
    };
    if (round === 0) continue;
    for (const name of ['ownership', 'xsk', 'duckdb', 'read'] as const) rates[name].push(one[name]);
  }
  connection.closeSync();
  rmSync(path);
  const unit = 'M events/s';
  const ratio = (name: 'ownership' | 'xsk') => ({
    to: 'of DuckDB',
    value: paired(rates[name], rates.duckdb, (a, b) => a / b),
    unit: '×',
  });
  return {
    name: 'check',
    title: `${events / 1e6} M events in a Parquet file, per second of CPU time to the verdict`,
    rows: [
      {
        variant: 'xsk.ownership',
        unit,
        ...spread(rates.ownership),
        compared: ratio('ownership'),
        target: { kind: 'at least', limit: 5, value: median(rates.ownership) },
        note: `${(bytes / events).toFixed(1)} bytes an event`,
      },
      { variant: `all ${xsk.length} xsk invariants`, unit, ...spread(rates.xsk), compared: ratio('xsk') },
      { variant: 'DuckDB, one thread: the same columns grouped', unit, ...spread(rates.duckdb) },
      { variant: 'the file read, no more', unit, ...spread(rates.read) },
    ],
    notes: ['Opening, with all checksums, is part of it.'],
  };
}

async function verdictOf(path: string, invariants: readonly Invariant[], events: number): Promise<void> {
  const { summary, verdicts } = await checkRecording(path, { invariants });
  const found = verdicts.find(({ invariant }) => invariant === 'xsk.ownership')?.verdict;
  if (summary.events !== events || found !== 'violated')
    throw new Error(`${summary.events} of ${events} events, xsk.ownership ${found}`);
}
