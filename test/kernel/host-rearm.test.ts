// A recorder that is armed by hand freezes once for each order, and forgets what it held before.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRecording } from '../../src/recording/open.ts';
import { HEAD, SLOT_LANES, SNAPSHOT_CPU, timeAt } from '../../src/model/slot.ts';
import { onAnyKernel } from './any-kernel.ts';
import { folder, ROOT } from './recorder-process.ts';

/** Run by a Node of its own, as a user of the library would. */
const PROGRAM = `
import { execFileSync } from 'node:child_process';
const [, , library, out, workload] = process.argv;
const { record } = await import(library);
const conflict = () => execFileSync('sh', [workload, 'conflict']);
const recorder = await record({ paths: ['neigh'], out, rearm: 'by-hand' });
const exported = [];
recorder.on('exported', ({ path }) => exported.push(path));
const tell = (what, { violations, windowless }) =>
  console.log(JSON.stringify({ what, violations, windowless, at: process.hrtime.bigint().toString() }));
tell('begun', await recorder.rearm());
conflict();
conflict();
tell('twice', await recorder.rearm({ freezeOn: 'none' }));
conflict();
tell('never', await recorder.rearm({ freezeOn: 'violation' }));
conflict();
tell('again', await recorder.rearm());
tell('ended', await recorder.stop());
console.log(JSON.stringify({ what: 'exported', exported }));
`;

/** What a line of the program may say. */
interface Line {
  readonly what: string;
  readonly violations?: number;
  readonly windowless?: number;
  readonly at?: string;
  readonly exported?: readonly string[];
}

async function firstTime(path: string): Promise<number> {
  for (const { lanes, slots } of (await openRecording(path)).batches())
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES)
      // What exists at the beginning is no event of a CPU, and a long record's further slots have no time.
      if ((lanes[at + HEAD.seqHigh] as number) >>> 31 === 0 && lanes[at + HEAD.cpu] !== SNAPSHOT_CPU)
        return timeAt(lanes, at);
  return 0;
}

onAnyKernel(import.meta.filename, () => {
  test('one recording for each order to arm, whatever fires beside it, and nothing of before', async () => {
    using out = folder();
    const program = join(out.path, 'program.mjs');
    writeFileSync(program, PROGRAM);
    const words = [program, join(ROOT, 'dist/src/index.js'), out.path];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...words, join(ROOT, 'test/workloads/neigh-churn.sh')],
      { encoding: 'utf8', timeout: 120_000 },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const found = (what: string) => lines.find((line) => line.what === what);
    expect(found('begun')?.violations).toBe(0);
    const [twice, never, again] = ['twice', 'never', 'again'].map((what) => found(what)?.violations ?? 0);
    expect(twice).toBeGreaterThan(1);
    expect(never).toBeGreaterThan(twice as number);
    expect(again).toBeGreaterThan(never as number);
    expect(found('ended')?.windowless).toBe(0);
    const exported = found('exported')?.exported ?? [];
    expect(exported).toHaveLength(2);
    expect(await firstTime(exported[1] as string)).toBeGreaterThan(Number(found('never')?.at));
  });
});
