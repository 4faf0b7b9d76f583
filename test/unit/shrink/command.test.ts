// The commands shrink and explain: what they print, write and refuse, and that they need little memory.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ExplainFlags, runExplain } from '../../../src/cli/explain-run.ts';
import { runShrink, type ShrinkFlags } from '../../../src/cli/shrink-run.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { writeLargeRecording } from '../../large-recording.ts';
import { Paper } from '../cli/recordings.ts';
import { healthyTraffic, writeStory } from './stories.ts';

const DOUBLE_FILL = 'recordings/double-fill.parquet';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-commands-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function shrink(file: string, flags: Partial<ShrinkFlags> = {}): Promise<string> {
  const [out, err] = [new Paper(), new Paper()] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
  await runShrink(file, { color: true, out: join(folder, 'out.parquet'), ...flags }, out, err);
  return (out as unknown as Paper).text;
}

async function explain(file: string, flags: Partial<ExplainFlags> = {}): Promise<string> {
  const out = new Paper();
  await runExplain(file, { color: true, ...flags }, out as unknown as NodeJS.WriteStream);
  return out.text;
}

it('shrink says what it left, and writes both files', async () => {
  const fixture = join(folder, 'pasted.test.ts');
  const out = await shrink(DOUBLE_FILL, { fixture });
  expect(out).toMatch(/^✗ xsk\.double-enqueue\n {2}frame 0xba000 of umem 1 is in the FILL ring/);
  expect(out).toMatch(/^events {4}3000 records → 2$/m);
  expect(out).toMatch(/^objects {3}9 → 2$/m);
  expect(out).not.toContain('\x1b');
  expect((await openRecording(join(folder, 'out.parquet'))).rows).toBe(2);
  const small = join(folder, 'unwanted.parquet');
  await expect(shrink(DOUBLE_FILL, { fixture, out: small })).rejects.toMatchObject({
    code: 'UNWRITABLE',
    message: expect.stringContaining('is there already'),
  });
  expect(existsSync(small)).toBe(false);
  expect(readFileSync(fixture, 'utf8')).toContain(
    "import invariant from '../../../src/invariants/xsk/double-enqueue.ts';",
  );
});

it('shrink gives a program the same, and names its file after the recording', async () => {
  const copy = join(folder, 'copy.parquet');
  writeFileSync(copy, readFileSync(DOUBLE_FILL));
  const [out, err] = [new Paper(), new Paper()] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
  await runShrink(copy, { color: true, json: true, violation: '2' }, out, err);
  expect(JSON.parse((out as unknown as Paper).text)).toMatchObject({
    path: join(folder, 'copy.shrunk.parquet'),
    events: 2,
    eventsRemoved: 2998,
    objectsRemoved: 7,
    violation: { invariant: 'xsk.ownership' },
  });
  expect(existsSync(join(folder, 'copy.shrunk.parquet'))).toBe(true);
});

it('neither works on what has no violation, and the recording itself is never overwritten', async () => {
  const healthy = join(folder, 'healthy.parquet');
  writeStory(healthy, healthyTraffic(3).events);
  await expect(shrink(healthy)).rejects.toMatchObject({ code: 'NO_VIOLATION', exitCode: 2 });
  await expect(explain(healthy)).rejects.toMatchObject({ code: 'NO_VIOLATION', exitCode: 2 });
  await expect(shrink(healthy, { out: healthy })).rejects.toMatchObject({ code: 'SAME_FILE' });
  for (const [out, words] of [
    [folder, `${folder} is no file`],
    [join(folder, 'nowhere', 'x.parquet'), `There is no folder ${join(folder, 'nowhere')};`],
  ] as const)
    await expect(shrink(DOUBLE_FILL, { out })).rejects.toMatchObject({
      code: 'UNWRITABLE',
      exitCode: 2,
      message: expect.stringContaining(words),
    });
  await expect(shrink(DOUBLE_FILL, { violation: '0' })).rejects.toMatchObject({ code: 'BAD_NUMBER' });
  const empty = join(folder, 'empty.parquet');
  writeStory(empty, []);
  await expect(shrink(empty)).rejects.toMatchObject({ code: 'NO_VIOLATION' });
});

it('works with an invariant of the user, from a module', async () => {
  const module = 'docs/examples/short-packets.ts';
  const file = join(folder, 'short.parquet');
  writeStory(file, healthyTraffic(5).write(6, 900, 0xf0000, 42).events);
  expect(await shrink(file, { invariants: module })).toMatch(/^events {4}\d+ records → 1$/m);
  const text = await explain(file, { invariants: module });
  expect(text).toContain('xsk_rx_write');
  expect(text).toContain('What was expected instead');
});

it('both say that there are more violations than the one', async () => {
  const told = /^One of 2 violations and warnings .* lists; --violation NUMBER takes another\.$/m;
  expect(await shrink(DOUBLE_FILL)).toMatch(told);
  expect((await explain(DOUBLE_FILL)).replaceAll('\n', ' ')).toMatch(/One of 2 violations and warnings/);
  expect(await explain(DOUBLE_FILL, { violation: '2' })).toMatch(/^✗ xsk\.ownership$/m);
  expect(await explain('recordings/poison.parquet')).not.toContain('One of');
});

it('explain prints JSON for programs', async () => {
  const json = JSON.parse(await explain('recordings/bind-collision.parquet', { json: true })) as object;
  expect(json).toMatchObject({
    violation: { invariant: 'xsk.bind-identity' },
    events: [{ role: 'evidence' }, { role: 'offending', offsetNs: 0 }],
    expected: { states: ['bound'], moves: [{ event: 'xsk_release', to: 'unbound' }] },
  });
});

it('shrinks half a million events with 64 MB of heap', async () => {
  const large = join(folder, 'large.parquet');
  writeLargeRecording(large, 500_000);
  const small = join(folder, 'small.parquet');
  const words = [
    '--max-old-space-size=64',
    '--import',
    'tsx',
    'src/cli/main.ts',
    'shrink',
    large,
    '-o',
    small,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout).toMatch(/^events {4}500 000 records → 2$/m);
});
