// A recording of more than a gigabyte is checked and shown in bounded memory.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, bundleCommandLine } from '../bundle.ts';
import { writeRepeatedRecording } from '../repeated-recording.ts';

const BYTES = 1.1e9;
/** Node itself takes 60 MB, its heap 48 more at most; the rest is one row group and its slots. */
const HEAP_MB = 48;
const MOST_MB = 220;

let folder: string;
let bundle: Bundle;
let events: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-large-'));
  events = writeRepeatedRecording(join(folder, 'large.parquet'), BYTES);
  bundle = await bundleCommandLine();
  writeFileSync(
    join(folder, 'rss.cjs'),
    `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(join(folder, 'rss'))}, String(process.resourceUsage().maxRSS)));`,
  );
}, 240_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  bundle.remove();
});

async function run(...words: string[]): Promise<{ out: string; rssMb: number }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, '--require', join(folder, 'rss.cjs'), bundle.main, ...words],
    { maxBuffer: 1 << 24 },
  ).catch((error: { stdout: string; code: number; stderr: string }) => {
    // Noise breaks the invariant: that is status 1.
    if (error.code !== 1) throw new Error(error.stderr);
    return error;
  });
  return { out: stdout, rssMb: Number(readFileSync(join(folder, 'rss'), 'utf8')) / 1024 };
}

test('check and show of more than a gigabyte, with a heap of 48 MB', { timeout: 240_000 }, async () => {
  const file = join(folder, 'large.parquet');
  expect(statSync(file).size).toBeGreaterThan(2 ** 30);
  const checked = await run('check', file, '--json', '--invariants', 'xsk.ownership');
  expect(JSON.parse(checked.out)).toMatchObject({ events, damage: null });
  expect(checked.rssMb).toBeLessThan(MOST_MB);
  const shown = await run('show', file, '--limit', '3');
  expect(shown.out).toContain('stopped after 3 events');
  expect(shown.rssMb).toBeLessThan(MOST_MB);
});
