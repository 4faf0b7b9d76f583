// No loss at a steady rate, with producer and recorder on the same two CPUs and every xsk invariant on.

import { setTimeout as sleep } from 'node:timers/promises';
import { Driver, type Job } from './driver.ts';
import { bpftrace, perf } from './peers.ts';
import { Recording } from './recording.ts';
import { type Benchmark, type Options, type Row, spread } from './table.ts';

const mega = (jobs: readonly Job[]): number =>
  jobs.reduce((sum, job) => sum + (job.count / job.elapsedNs) * 1000, 0);

interface Load {
  readonly name: string;
  readonly slots: number;
  readonly cpus: string;
  readonly ratePerCpu: number;
  readonly seconds: number;
  readonly program: 'raw' | 'tc';
  readonly target: boolean;
}

async function sustained(driver: Driver, load: Load): Promise<Row[]> {
  const recording = await Recording.start(driver, load.slots, 'xsk.', false);
  if (load.program === 'raw') await driver.attach('fg_generate_raw', 'sys_enter');
  const program = load.program === 'raw' ? '-' : 'fg_generate_tc';
  // Compiled code first: the first batches of a process are checked slowly.
  await driver.produce(program, load.cpus, load.ratePerCpu / 10, 1);
  const jobs = await driver.produce(program, load.cpus, load.ratePerCpu, load.seconds);
  await driver.detach();
  const books = await recording.stop();
  if (books.violations > 0) throw new Error(`healthy events broke ${recording.firstSentence}`);
  const { lost } = books;
  const error = Math.abs(books.written - books.read - lost);
  const label = `${load.name}, ${load.seconds} s, ${load.slots / 1024} k slots`;
  const one = (variant: string, unit: string, value: number, limit: number | null, note = ''): Row => ({
    variant,
    unit,
    min: value,
    median: value,
    max: value,
    ...(limit === null ? {} : { target: { kind: 'at most', limit, value } }),
    note,
  });
  const wanted = (load.ratePerCpu * load.cpus.split(',').length) / 1e6;
  return [
    one(
      `${label}: lost`,
      'events',
      lost,
      load.target ? 0 : null,
      `${books.written} events, longest turn ${(books.longestNs / 1e6).toFixed(1)} ms`,
    ),
    {
      variant: `${label}: produced`,
      unit: 'M/s',
      ...spread([mega(jobs)]),
      ...(load.target ? { target: { kind: 'at least', limit: wanted * 0.98, value: mega(jobs) } } : {}),
      note: 'or what was not lost proves nothing',
    },
    one(`${label}: written − read − lost`, 'events', error, 0),
  ];
}

async function peerLoss(driver: Driver, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const peer of [perf(), bpftrace()]) {
    if (!peer.available()) continue;
    await peer.start();
    await sleep(3000);
    const jobs = await driver.produce('-', '0', 2_500_000, seconds);
    const result = await peer.stop();
    const { got, lost } = result ?? { got: 0, lost: 0 };
    const share = (lost / (got + lost)) * 100;
    rows.push({
      variant: `${peer.name}, system calls as fast as it lets them, ${seconds} s: lost`,
      unit: '%',
      min: share,
      median: share,
      max: share,
      note: `${mega(jobs).toFixed(2)} of 2.5 M/s produced; ${got} events came out, ${lost} told as lost`,
    });
  }
  return rows;
}

export async function sustain({ quick }: Options): Promise<Benchmark> {
  const driver = new Driver();
  const loads: readonly Load[] = [
    {
      name: 'system calls 2.5 M/s, one CPU',
      slots: 65536,
      cpus: '0',
      ratePerCpu: 2_500_000,
      seconds: quick ? 5 : 60,
      program: 'raw',
      target: true,
    },
    {
      name: 'system calls 2 × 1.25 M/s',
      slots: 65536,
      cpus: '0,1',
      ratePerCpu: 1_250_000,
      seconds: quick ? 5 : 20,
      program: 'raw',
      target: false,
    },
    {
      name: 'generator 8 M/s, one CPU',
      slots: 1 << 20,
      cpus: '0',
      ratePerCpu: 8_000_000,
      seconds: quick ? 5 : 10,
      program: 'tc',
      target: true,
    },
  ];
  const rows: Row[] = [];
  for (const load of loads) rows.push(...(await sustained(driver, load)));
  rows.push(...(await peerLoss(driver, quick ? 2 : 5)));
  driver.close();
  return { name: 'sustain', title: 'a steady rate without loss, all xsk invariants on', rows, notes: [] };
}
