// A million frozen events: how soon they are safe on disk, how fast they become Parquet, and what is lost meanwhile.

import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BUILD, Driver } from './driver.ts';
import { Recording } from './recording.ts';
import { type Benchmark, median, type Options, spread } from './table.ts';

/** Per CPU and bank: two CPUs fill a million and a bit. */
const SLOTS = 1 << 19;

interface Exported {
  readonly plainMs: number;
  readonly rawMs: number;
  readonly parquetMs: number;
  readonly rows: number;
  readonly bytes: number;
}

export async function exportBank({ quick }: Options): Promise<Benchmark> {
  const driver = new Driver();
  const results: Exported[] = [];
  let lost = 0;
  let longestNs = 0;
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    const recording = await Recording.start(driver, SLOTS, 'xsk.ownership', false);
    const { recorder } = recording;
    await driver.start('fg_generate_tc', '0,1', 500_000);
    await sleep(1300);
    recorder.setBank(1);
    // A writer may still hold a slot that it claimed before.
    await sleep(1);
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      workerData: {
        module: new URL('./export-worker.ts', import.meta.url).href,
        handle: recorder.handle,
        bank: 0,
        cpus: recorder.cpus,
        fromNs: 0,
        path: join(BUILD, 'bench-export'),
      },
    });
    const [result] = (await once(worker, 'message')) as [Exported];
    results.push(result);
    await once(worker, 'exit');
    await driver.stop();
    await driver.detach();
    const books = await recording.stop();
    lost += books.lost;
    longestNs = Math.max(longestNs, books.longestNs);
  }
  driver.close();
  const save = results.map(({ plainMs }) => plainMs);
  const rates = results.map(({ rows, parquetMs }) => rows / parquetMs / 1000);
  const last = results.at(-1);
  return {
    name: 'export',
    title: 'a million frozen events exported while recording goes on at 1 M events/s on the same two CPUs',
    rows: [
      {
        variant: 'bank to file, with fsync',
        unit: 'ms',
        ...spread(save),
        target: { kind: 'at most', limit: 100, value: median(save) },
        note: `${last?.rows} events`,
      },
      {
        variant: 'raw recording: checksums, description, rename',
        unit: 'ms',
        ...spread(results.map(({ rawMs }) => rawMs)),
      },
      {
        variant: 'Parquet, one worker',
        unit: 'M rows/s',
        ...spread(rates),
        target: { kind: 'at least', limit: 0.5, value: median(rates) },
        note: last ? `${(last.bytes / last.rows).toFixed(1)} bytes a row` : '',
      },
      {
        variant: 'lost meanwhile',
        unit: 'events',
        min: lost,
        median: lost,
        max: lost,
        target: { kind: 'at most', limit: 0, value: lost },
        note: `longest turn of the reading thread ${(longestNs / 1e6).toFixed(1)} ms`,
      },
    ],
    notes: [],
  };
}
