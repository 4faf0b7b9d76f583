// flightring check over many recordings: threads, the order of results, what goes wrong on one of them, and the summary.

import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, bundleCommandLine } from '../../bundle.ts';
import { FAULTY, HEALTHY, LOSSY, recordingFolder } from './recordings.ts';

const CLAIM = `name: 'mine.x', claim: 'c', object: 'o', source: 's'`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleCommandLine();
}, 60_000);
afterAll(() => bundle.remove());

async function check(...words: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [bundle.main, 'check', ...words], {
      maxBuffer: 1 << 26,
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** Twelve recordings: four of each sort, in folders by sort. */
function archive(folder: ReturnType<typeof recordingFolder>): void {
  for (const [sort, events] of Object.entries({ faulty: FAULTY, healthy: HEALTHY, lossy: LOSSY })) {
    mkdirSync(join(folder.path, sort));
    for (let i = 0; i < 4; i++)
      renameSync(folder.parquet(`${i}`, events), join(folder.path, sort, `${i}.parquet`));
  }
}

test('a folder is checked by threads: a line each in order, then how often each invariant held', async () => {
  using folder = recordingFolder();
  archive(folder);
  const alone = await check(folder.path, '--jobs', '1');
  const { code, out, err } = await check(folder.path, '--jobs', '3');
  expect(code).toBe(1);
  expect(err).toBe('');
  const lines = out.split('\n');
  expect(lines.slice(0, 12).map((line) => /(\w+\/\d)\.parquet/.exec(line)?.[1])).toEqual(
    ['faulty', 'healthy', 'lossy'].flatMap((sort) => [0, 1, 2, 3].map((i) => `${sort}/${i}`)),
  );
  expect(lines[0]).toMatch(/^violated .*xsk\.ownership: frame 0x1000 of umem 0 went from FILL to TX/);
  expect(lines[4]).toMatch(/^holds .*5 events/);
  expect(lines[8]).toMatch(/^unknown .*history was missing/);
  expect(out).toMatch(/^12 recordings, 6\d events in /m);
  expect(out).toMatch(/^xsk\.ownership {2}violated in 4, holds in 4, unknown in 4$/m);
  expect(lines.slice(0, 12)).toEqual(alone.out.split('\n').slice(0, 12));
});

test('--json: a line each, then the summary', async () => {
  using folder = recordingFolder();
  archive(folder);
  writeFileSync(join(folder.path, 'z.parquet'), 'PAR1 and no more than that');
  const { code, out } = await check(folder.path, '--jobs', '2', '--json');
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(code).toBe(2);
  expect(lines).toHaveLength(14);
  expect(lines[0]).toMatchObject({ events: 6, violations: [{ invariant: 'xsk.ownership' }] });
  expect(lines[12]).toMatchObject({ error: { code: 'TRUNCATED' } });
  expect(lines[13]).toMatchObject({
    summary: {
      recordings: 13,
      verdicts: { 'xsk.ownership': { violated: 4, holds: 4, unknown: 4 } },
      unreadable: [{ path: join(folder.path, 'z.parquet') }],
    },
  });
});

test("tomorrow's invariant runs in the threads, and its mistakes are told with their line", async () => {
  using folder = recordingFolder();
  archive(folder);
  const module = join(folder.path, 'mine.ts');
  writeFileSync(
    module,
    `const limit: number = 100;
export default { ${CLAIM}, needs: ['xsk_rx_write'], start: ({ violate }) => ({
  step(event) { if (event.u32('len') < limit) violate({ object: 'o', sentence: 'short' }); } }) };\n`,
  );
  const { code, out } = await check(folder.path, '--jobs', '2', '--invariants', module);
  expect(code).toBe(1);
  expect(out).toMatch(/^mine\.x {2}violated in 12$/m);
  writeFileSync(
    module,
    `export default { ${CLAIM}, needs: ['xsk_rx_write'],\n  start: () => ({ step() { throw new Error('oh no'); } }) };\n`,
  );
  const broken = await check(folder.path, '--jobs', '2', '--invariants', module);
  expect(broken.code).toBe(2);
  expect(broken.out).toMatch(/^unreadable: 12$/m);
  expect(broken.err).toMatch(/mine\.ts:2:\d+: oh no/);
});

test('a thread that dies on one recording leaves the others to be checked', async () => {
  using folder = recordingFolder();
  archive(folder);
  const module = join(folder.path, 'mine.ts');
  // The loss is only in the recordings named lossy; process.exit ends a thread, not the process.
  writeFileSync(
    module,
    `export default { ${CLAIM}, needs: ['xsk_rx_write'],\n  start: () => ({ step() {}, gap() { process.exit(3); } }) };\n`,
  );
  const { code, out, err } = await check(folder.path, '--jobs', '2', '--invariants', module);
  expect(code).toBe(2);
  expect(
    err.match(/lossy.\d\.parquet could not be checked: the thread that did came to an end/g),
  ).toHaveLength(4);
  expect(out).toMatch(/^mine\.x {2}holds in 8$/m);
});

test('what vanishes meanwhile, leads in a circle or is no recording is told; all others are checked', async () => {
  using folder = recordingFolder();
  archive(folder);
  const [circle, text] = [join(folder.path, 'circle.parquet'), join(folder.path, 'text.parquet')];
  symlinkSync(circle, circle);
  writeFileSync(text, 'not a recording');
  const module = join(folder.path, 'mine.ts');
  // Removes the next recording while the first is checked.
  writeFileSync(
    module,
    `import { rmSync } from 'node:fs';
export default { ${CLAIM}, needs: ['xsk_rx_write'],
  start: () => { rmSync('${join(folder.path, 'healthy', '3.parquet')}', { force: true }); return { step() {} }; } };\n`,
  );
  for (const jobs of ['1', '2']) {
    renameSync(folder.parquet('3', HEALTHY), join(folder.path, 'healthy', '3.parquet'));
    const { code, out, err } = await check(folder.path, circle, '--jobs', jobs, '--invariants', module);
    expect(code).toBe(2);
    expect(err).toMatch(/There is no recording .*healthy\/3\.parquet\./);
    expect(err).toMatch(/circle\.parquet can't be read: ELOOP/);
    expect(err).toMatch(/text\.parquet is not a recording/);
    expect(err.trimEnd().split('\n')).toHaveLength(3);
    expect(out).toMatch(/^mine\.x {2}holds in 7, unknown in 4$/m);
    expect(out).toMatch(/^unreadable: 3$/m);
  }
});

test.each([
  [['nowhere-*/'], /No recording matches nowhere-\*/],
  [['x', '--jobs', '0'], /--jobs takes a whole number from 1 on/],
])('%j is refused in one sentence', async (words, sentence) => {
  const { code, err } = await check(...words);
  expect(code).toBe(2);
  expect(err).toMatch(sentence);
  expect(err.trimEnd()).not.toContain('\n');
});

test('from source, where no thread can be started, recordings are checked one after the other', async () => {
  using folder = recordingFolder();
  archive(folder);
  const words = ['--import', 'tsx', 'src/cli/main.ts', 'check', folder.path, '--jobs', '2'];
  const failed = promisify(execFile)(process.execPath, words);
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: '',
    stdout: expect.stringMatching(/^xsk\.ownership {2}violated in 4, holds in 4, unknown in 4$/m),
  });
});
