// flightring report on files: where it writes, with which rights, and what it refuses.

import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { bundlePage } from '../../../scripts/bundle.ts';
import { runReport } from '../../../src/cli/report-run.ts';
import { FlightringError } from '../../../src/model/errors.ts';
import { writeReport } from '../../../src/page/write-report.ts';
import { Paper } from '../cli/recordings.ts';
import { pageFolder } from './pages.ts';

beforeAll(() => bundlePage());

async function run(
  file: string,
  output?: string,
): Promise<{ out: string; error: FlightringError | undefined }> {
  const paper = new Paper();
  try {
    await runReport(
      file,
      output === undefined ? {} : { output },
      paper as unknown as NodeJS.WriteStream,
      new Paper() as unknown as NodeJS.WriteStream,
    );
    return { out: paper.text, error: undefined };
  } catch (error) {
    if (!(error instanceof FlightringError)) throw error;
    return { out: paper.text, error };
  }
}

test('the report stands beside the recording, for its owner only', async () => {
  using folder = pageFolder();
  const file = folder.story();
  const { out } = await run(file);
  const target = join(folder.path, 'story.html');
  expect(out).toContain(target);
  expect(out).toContain('all 10 events');
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readFileSync(target, 'utf8')).toMatch(/^<!doctype html>/);
});

test('an older report is replaced, even one that others may read', async () => {
  using folder = pageFolder();
  const target = join(folder.path, 'old.html');
  writeFileSync(target, 'old');
  chmodSync(target, 0o644);
  await writeReport(folder.story(), target);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readFileSync(target, 'utf8')).not.toBe('old');
});

test('- is standard output', async () => {
  using folder = pageFolder();
  const { out } = await run(folder.story(), '-');
  expect(out).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
  expect(existsSync(join(folder.path, '-'))).toBe(false);
});

test('the recording is never overwritten, by whichever name', async () => {
  using folder = pageFolder();
  const file = folder.story();
  const before = readFileSync(file);
  symlinkSync(file, join(folder.path, 'soft.html'));
  linkSync(file, join(folder.path, 'hard.html'));
  for (const target of [
    file,
    join(folder.path, '.', 'story.parquet'),
    join(folder.path, 'soft.html'),
    join(folder.path, 'hard.html'),
  ])
    expect((await run(file, target)).error).toMatchObject({ code: 'OVERWRITES_RECORDING', exitCode: 2 });
  expect(readFileSync(file)).toEqual(before);
});

test.each([
  ['no-such-folder/a.html', 'there is no such folder'],
  ['folder', 'is a folder'],
  ['story.parquet/a.html', 'a part of its path is no folder'],
])('%s is refused in one sentence', async (target, words) => {
  using folder = pageFolder();
  mkdirSync(join(folder.path, 'folder'));
  const { error } = await run(folder.story(), join(folder.path, target));
  expect(error).toMatchObject({ code: 'UNWRITABLE', exitCode: 2 });
  expect(error?.message).toContain(words);
  expect(error?.message).not.toContain('\n');
});

test('a file that is no recording leaves no report', async () => {
  using folder = pageFolder();
  const file = join(folder.path, 'text.parquet');
  writeFileSync(file, 'not a recording');
  expect((await run(file)).error).toMatchObject({ code: 'NOT_A_RECORDING', exitCode: 2 });
  expect(existsSync(join(folder.path, 'text.html'))).toBe(false);
});
