// The kernel's own text (test/fixtures/traces) is used to the last line, and judged rightly.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { importTrace } from '../../../src/import/import.ts';
import { parseMapping } from '../../../src/import/mapping.ts';
import { checkRecording } from '../../../src/pipeline.ts';
import { LAB_MAPPING } from '../../kernel/lab-mapping.ts';

const traces = join(import.meta.dirname, '../../fixtures/traces');
const invariants = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function imported(name: string) {
  const path = join(folder, 'out.parquet');
  const result = await importTrace(join(traces, `${name}.txt`), path, {
    mapping: parseMapping(LAB_MAPPING, 'lab'),
  });
  const { summary, verdicts } = await checkRecording(path, { invariants });
  const { comparison } = await checkRecording(path);
  expect(comparison).toMatchObject({ reproduced: summary.violations.length, missing: [], added: [] });
  const ownership = verdicts.find(({ invariant }) => invariant === 'xsk.ownership')?.verdict;
  return { result, sentences: summary.violations.map(({ sentence }) => sentence), ownership };
}

test.each([
  ['healthy.trace', 252, 0],
  ['healthy.bare', 246, 0],
  ['lost.trace', 556, 0],
  ['lost.trace_pipe', 544, 554],
])('%s is healthy', async (name, lines, lost) => {
  const { result, sentences, ownership } = await imported(name);
  expect(result).toMatchObject({ problems: [], lost, counts: { lines, unused: 0 }, complete: lost === 0 });
  expect(sentences).toEqual([]);
  expect(ownership).toBe('holds');
});

test('double-fill.trace_pipe shows the frame that is there twice', async () => {
  const { result, sentences } = await imported('double-fill.trace_pipe');
  expect(result).toMatchObject({ problems: [], lost: 0, complete: true });
  expect(sentences).toEqual([
    'frame 0x9000 of umem 0 is in the FILL ring of outer q0 (netns 0) and now also in the FILL ring of outer q0 (netns 0)',
    'frame 0x9000 of umem 0 went from FILL to FILL on outer q0 (netns 0): it is there twice',
  ]);
});
