// Tests that need tracepoints only: they run on this machine's own kernel, or, where that refuses, in the lab.

import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { bootLab } from '../../src/lab/index.ts';
import { flightring, folder, ROOT } from './recorder-process.ts';

/** The reason why this machine's kernel can't record neighbours; null if it can. */
function whyHostCannotRecord(): string | null {
  using out = folder();
  const { code, stderr } = flightring(['record', '--paths', 'neigh', '--for', '10ms', '--out', out.path]);
  return code === 0 || code === 4 ? null : stderr.trim();
}

/** Defines the tests of `file` here, or one test that runs them all inside the lab. */
export function onAnyKernel(file: string, define: () => void): void {
  const why = whyHostCannotRecord();
  if (why === null) return define();
  if (process.env['FLIGHTRING_LAB'] !== undefined)
    throw new Error(`not even the lab's kernel can record: ${why}`);
  process.stderr.write(
    `\n${basename(file)}: this kernel can't record, so these tests run in the lab: ${why}\n`,
  );
  test(`in the lab, since this kernel can't record: ${why}`, async () => {
    await using lab = await bootLab({ modules: ['veth'] });
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { code, stdout, stderr } = await lab.run(['node', vitest, 'run', '--project', 'kernel', file], {
      cwd: ROOT,
      timeoutMs: 580_000,
    });
    expect(code, `${stdout}\n${stderr}`).toBe(0);
  });
}
