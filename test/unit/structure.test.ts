// The arrow rule holds over every module, and a planted breach of each kind is found.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { expect, test } from 'vitest';

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: NonNullable<NonNullable<ICruiseOptions['ruleSet']>['forbidden']>;
  options: ICruiseOptions;
};

async function cruiseFolder(baseDir: string): Promise<ICruiseResult> {
  const { tsConfig: _, ...rest } = options;
  const { output } = await cruise(['src'], { ...rest, baseDir, validate: true, ruleSet: { forbidden } });
  if (typeof output === 'string') throw new Error(output);
  return output;
}

/** Rules broken by a tree of these files. */
async function brokenBy(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-structure-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { summary } = await cruiseFolder(folder);
    return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('imports point left to right only', async () => {
  const { summary } = await cruiseFolder(process.cwd());
  expect(summary.totalCruised).toBeGreaterThan(100);
  expect(summary.totalDependenciesCruised ?? 0).toBeGreaterThan(300);
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
});

test.each([
  ['left-of-model', 'src/model/a.ts', '../check/b.ts', 'src/check/b.ts'],
  ['left-of-decode', 'src/decode/a.ts', '../source/b.ts', 'src/source/b.ts'],
  ['left-of-check', 'src/check/a.ts', '../recording/b.ts', 'src/recording/b.ts'],
  ['left-of-recording', 'src/recording/a.ts', '../report/b.ts', 'src/report/b.ts'],
  ['left-of-report', 'src/report/a.ts', '../pipeline.ts', 'src/pipeline.ts'],
  ['record-below-cli', 'src/record/a.ts', '../cli/b.ts', 'src/cli/b.ts'],
])('%s is found when broken', async (rule, from, specifier, to) => {
  expect(await brokenBy({ [from]: `import '${specifier}';\n`, [to]: 'export {};\n' })).toEqual([rule]);
});

test('so are cycles', async () => {
  expect(
    await brokenBy({ 'src/model/a.ts': `import './b.ts';\n`, 'src/model/b.ts': `import './a.ts';\n` }),
  ).toEqual(['no-cycles']);
});
