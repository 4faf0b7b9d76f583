// Every recording in recordings/: check finds exactly what is expected, and show shows it. There is no list to edit.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkRecording } from '../../src/pipeline.ts';
import { runCheck } from '../../src/cli/check-run.ts';
import { show } from '../../src/cli/show-run.ts';
import { Paper } from '../unit/cli/recordings.ts';

const FOLDER = join(import.meta.dirname, '../../recordings');
const BYTES_MAX = 200_000;
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.parquet'))
  .map((name) => name.slice(0, -'.parquet'.length));

test('there are golden recordings, and nothing else lies about', () => {
  expect(names.length).toBeGreaterThanOrEqual(3);
  const expected = names.flatMap((name) => [`${name}.expected.ndjson`, `${name}.md`, `${name}.parquet`]);
  expect(readdirSync(FOLDER).sort()).toEqual(expected.sort());
});

describe.each(names)('%s', (name) => {
  const path = join(FOLDER, `${name}.parquet`);

  test('check finds exactly the expected violations, which are those found live', async () => {
    const expected = readFileSync(join(FOLDER, `${name}.expected.ndjson`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const { summary, comparison, recording } = await checkRecording(path);
    expect(expected.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(summary.violations))).toEqual(expected);
    expect(comparison).toMatchObject({ missing: [], added: [], changed: [] });
    expect(recording.damage).toBeNull();
    expect(recording.rows).toBeGreaterThan(100);
    expect(statSync(path).size).toBeLessThanOrEqual(BYTES_MAX);
  });

  test('the commands that a person would type work on it', async () => {
    const paper = new Paper();
    const stream = paper as unknown as NodeJS.WriteStream;
    expect(await runCheck([path], { color: false }, stream, stream)).toBe(1);
    const { recording } = await checkRecording(path);
    const object = recording.meta.violations[0]?.object as string;
    await show(path, { color: false, limit: '50' }, stream);
    await show(path, { color: false, object, timeline: object.startsWith('frame') }, stream);
    expect(paper.text.split('\n').length).toBeGreaterThan(50);
  });
});
