// What a recorder costs while nothing happens: its own process and its programs in the kernel.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Benchmark, median, type Options, type Row, spread } from './table.ts';

const MAIN = join(import.meta.dirname, '..', 'dist/src/cli/main.js');
/** What has run in the first seconds is compiled meanwhile. */
const SETTLE_MS = 20_000;
const WINDOW_MS = 10_000;
/** Per cent of one CPU, with all paths. */
const LIMIT = 0.5;

/** CPU time of a process so far, ns: all threads that are there. */
function cpuNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce(
    (sum, tid) => sum + Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

/** Context switches of the whole machine so far: how idle it was. */
function switches(): number {
  return Number(/^ctxt (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
}

interface Idle {
  /** Per cent of one CPU, by window. */
  readonly process: readonly number[];
  /** Per cent of one CPU over the whole run. */
  readonly programs: number;
  readonly events: number;
  readonly switchesPerSecond: number;
}

async function measure(paths: readonly string[], windows: number): Promise<Idle> {
  const out = mkdtempSync(join(tmpdir(), 'flightring-idle-'));
  const words = paths.length > 0 ? ['--paths', paths.join(',')] : [];
  const child = spawn(process.execPath, [MAIN, 'record', '--json', '--out', out, ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const pid = child.pid as number;
    await sleep(SETTLE_MS);
    const process: number[] = [];
    const began = { switches: switches(), at: performance.now() };
    for (let i = 0; i < windows; i++) {
      const before = { ns: cpuNs(pid), at: performance.now() };
      await sleep(WINDOW_MS);
      process.push((cpuNs(pid) - before.ns) / (performance.now() - before.at) / 1e4);
    }
    const switchesPerSecond = ((switches() - began.switches) * 1000) / (performance.now() - began.at);
    child.kill('SIGINT');
    await ended;
    const last = said.trim().split('\n').at(-1) ?? '';
    const { events, costs } = JSON.parse(last) as {
      events: number;
      costs: { wallNs: number; paths: readonly { ns: number }[] };
    };
    const programs = (costs.paths.reduce((sum, { ns }) => sum + ns, 0) / costs.wallNs) * 100;
    return { process, programs, events, switchesPerSecond };
  } finally {
    child.kill('SIGKILL');
    rmSync(out, { recursive: true, force: true });
  }
}

export async function idle({ quick }: Options): Promise<Benchmark> {
  const rows: Row[] = [];
  for (const [name, paths] of [
    ['all paths', []],
    ['--paths neigh', ['neigh']],
  ] as const) {
    const { process, programs, events, switchesPerSecond } = await measure(paths, quick ? 2 : 6);
    const note = `${events} events in all; the machine switched ${Math.round(switchesPerSecond)} times a second`;
    rows.push({
      variant: `${name}: the recorder's process`,
      unit: '% of one CPU',
      ...spread(process),
      compared: { to: 'programs', value: programs, unit: '% besides' },
      target: { kind: 'at most', limit: LIMIT, value: median(process) + programs },
      note,
    });
  }
  return { name: 'idle', title: 'while nothing happens', rows, notes: [] };
}
