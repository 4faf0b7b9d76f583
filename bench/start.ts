// How long a command takes to begin: help, the reading commands, and a recorder until it is armed.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { bundle } from '../scripts/bundle.ts';
import { BUILD } from './driver.ts';
import { type Benchmark, difference, median, type Options, paired, type Row, spread } from './table.ts';

const ROOT = join(import.meta.dirname, '..');
const MAIN = join(ROOT, 'dist/src/cli/main.js');

/** Milliseconds from spawning node to its end, or to a line that begins with `until`. */
async function time(args: readonly string[], until?: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: BUILD,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let at = Number.NaN;
  let said = '';
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString();
  });
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (until !== undefined && Number.isNaN(at) && said.includes(until)) {
      at = performance.now() - start;
      child.kill('SIGINT');
    }
  });
  await new Promise((resolve) => child.once('exit', resolve));
  if (until === undefined) return performance.now() - start;
  if (Number.isNaN(at)) throw new Error(`${args.join(' ')} never said ${until}: ${complaint.slice(0, 1000)}`);
  return at;
}

export async function start({ quick }: Options): Promise<Benchmark> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: npm run build`);
  await bundle(['bench/arm'], join(ROOT, 'build'));
  const commands: readonly { name: string; args: readonly string[]; until?: string; limit?: number }[] = [
    { name: 'node by itself', args: ['-e', '0'] },
    { name: 'flightring --help', args: [MAIN, '--help'], limit: 100 },
    { name: 'flightring invariants', args: [MAIN, 'invariants'], limit: 150 },
    {
      name: 'flightring record --paths neigh, armed',
      args: [MAIN, 'record', '--paths', 'neigh'],
      until: 'armed',
      limit: 150,
    },
    {
      name: 'a recorder of 30 programs, armed',
      args: [join(BUILD, 'arm.js'), join(BUILD, 'thirty.bpf.o')],
      until: 'armed 30',
      limit: 150,
    },
  ];
  const times = commands.map((): number[] => []);
  for (let round = 0; round <= (quick ? 5 : 15); round++)
    for (const [i, { args, until }] of commands.entries()) {
      const ms = await time(args, until);
      // The first round reads everything from disk.
      if (round > 0) times[i]?.push(ms);
    }
  const rows = commands.map(({ name, limit }, i): Row => {
    const values = times[i] ?? [];
    const base = { variant: name, unit: 'ms', ...spread(values) };
    if (limit === undefined) return base;
    return {
      ...base,
      compared: { to: 'node', value: paired(values, times[0] ?? [], difference), unit: 'ms over' },
      target: { kind: 'at most', limit, value: median(values) },
    };
  });
  return { name: 'start', title: 'from spawning the process', rows, notes: [] };
}
