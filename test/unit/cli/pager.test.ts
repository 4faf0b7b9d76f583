// Long output goes through the pager, short output doesn't, and a pager that is left early is no error.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withPager } from '../../../src/cli/pager.ts';
import { Paper } from './recordings.ts';

async function* lines(count: number): AsyncGenerator<string[]> {
  for (let i = 0; i < count; i += 100)
    yield Array.from({ length: Math.min(100, count - i) }, (_, j) => `line ${i + j}`);
}

function terminal(): NodeJS.WriteStream & Paper {
  return Object.assign(new Paper(), { isTTY: true, rows: 24 }) as unknown as NodeJS.WriteStream & Paper;
}

test('what fits the screen is written to it', async () => {
  const screen = terminal();
  await withPager(screen, lines(20), 'false');
  expect(screen.text.split('\n')).toHaveLength(21);
});

test('what is longer goes through the pager, all of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-pager-'));
  try {
    const screen = terminal();
    await withPager(screen, lines(100_000), `cat > ${folder}/paged`);
    expect(screen.text).toBe('');
    expect(readFileSync(join(folder, 'paged'), 'utf8').trimEnd().split('\n')).toHaveLength(100_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a pager that is left early ends the output without an error', async () => {
  await withPager(terminal(), lines(1_000_000), 'head -n 1 > /dev/null');
});

test('no pager, no paging', async () => {
  const screen = terminal();
  await withPager(screen, lines(200), '');
  expect(screen.text.split('\n')).toHaveLength(201);
});
