// A long trace is imported in the memory that a short one takes: with a heap smaller than its text.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const here = (file: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href);

/** 600 000 lines, of which every other can't be used. */
const PROGRAM = `
const { importTrace } = await import(${here('../../../src/import/import.ts')});
const { traceLines } = await import(${here('./trace-text.ts')});
async function* bytes() {
  let text = '';
  for (const line of traceLines({ packets: 50_000 })) {
    text += line + '\\nnoise ' + line.length * text.length + '\\n';
    if (text.length > 65_536) { yield Buffer.from(text); text = ''; }
  }
  yield Buffer.from(text);
}
const { counts } = await importTrace(bytes(), process.argv[1], { runSlots: 16_384 });
console.log(counts.lines, counts.unused);
`;

test('600 000 lines in 32 MB of heap', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--max-old-space-size=32',
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        PROGRAM,
        join(folder, 'out.parquet'),
      ],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe('600064 300032\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
