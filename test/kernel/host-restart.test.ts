// A program that starts and stops recorders over and over is left as it was.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onAnyKernel } from './any-kernel.ts';
import { folder, ROOT } from './recorder-process.ts';

const ROUNDS = 10;

/** Run by a Node of its own: a crash when a thread ends would take the test with it. */
const PROGRAM = `
import { readdirSync, readlinkSync } from 'node:fs';
const { record } = await import(process.argv[2]);
for (let round = 0; round < ${ROUNDS}; round++) {
  const recorder = await record({ paths: ['neigh'], out: process.argv[3], exportOnStop: round % 2 === 1 });
  const { recordings } = await recorder.stop();
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; }
  });
  console.log(JSON.stringify({ fds: links.length, bpf: links.filter((link) => /bpf/.test(link)).length, recordings: recordings.length }));
}
`;

onAnyKernel(import.meta.filename, () => {
  test(`${ROUNDS} recorders in one process: no crash, no link and no descriptor left`, () => {
    using out = folder();
    const program = join(out.path, 'program.mjs');
    writeFileSync(program, PROGRAM);
    const words = [program, join(ROOT, 'dist/src/index.js'), out.path];
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    const rounds = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { fds: number; bpf: number; recordings: number });
    expect(rounds).toHaveLength(ROUNDS);
    expect(rounds.map(({ bpf }) => bpf)).toEqual(rounds.map(() => 0));
    expect(rounds.map(({ recordings }) => recordings)).toEqual(rounds.map((_, round) => round % 2));
    expect(rounds.at(-1)?.fds).toBeLessThanOrEqual((rounds[1]?.fds ?? 0) + 1);
  });
});
