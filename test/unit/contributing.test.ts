// CONTRIBUTING.md followed to the letter, in a copy of the tree: what it promises is what happens.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GUIDE = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

/** The numbered steps under a heading. */
function stepsOf(heading: string): string[] {
  const section = GUIDE.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section.split('\n').filter((line) => /^\d+\. /.test(line));
}

describe.each(['Add a probe', 'Add an invariant', 'Add a recording'])('%s', (heading) => {
  test('is at most eight steps and ends with a test', () => {
    const steps = stepsOf(heading);
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.length).toBeLessThanOrEqual(8);
    expect(steps.slice(-2).join(' ')).toMatch(/test/);
  });
});

describe('in a copy of the tree', () => {
  let copy = '';
  const run = (command: string, words: string[]) =>
    execFileSync(command, words, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const text = (file: string) => readFileSync(join(copy, file), 'utf8');

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'flightring-contributing-'));
    for (const part of ['bpf', 'native', 'scripts', 'src', 'Makefile', 'package.json', 'tsconfig.json'])
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test('a new probe file appears in the layouts, the index and the object', { timeout: 120_000 }, () => {
    writeFileSync(
      join(copy, 'bpf/probes/tick.bpf.c'),
      `/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Timers that expire: only a test of the guide. */
#include "recorder.bpf.h"

RECORD(tick_expire)
{
	struct fr_head head;
	fr_u64 when;
	fr_u64 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
};

FR_RAW(tick_expire, hrtimer_expire_entry, void *timer, __u64 *now)
{
	FR_RECORDING;
	struct rec_tick_expire *r = fr_begin(tick_expire, 0);

	if (!r)
		return 0;
	r->when = (__u64)now;
	fr_end(r);
	return 0;
}
`,
    );
    writeFileSync(
      join(copy, 'src/probes/tick.ts'),
      `// What the tick probe means.

import type { ProbePath } from '../model/probe.ts';

const path: ProbePath = {
  path: 'tick',
  title: 'timers',
  probes: [{ name: 'tick_expire', target: 'hrtimer_expire_entry', writes: ['tick_expire'], purpose: 'timers' }],
  kinds: { tick_expire: 'a timer expired' },
  words: {},
  flags: {},
};

export default path;
`,
    );
    run('node_modules/.bin/tsx', ['scripts/generate.ts']);
    expect(text('src/generated/layouts.ts')).toMatch(
      /"kind":"tick_expire".*"name":"when","type":"u64","offset":32/,
    );
    expect(text('src/generated/probes.ts')).toContain("'../probes/tick.ts'");
    expect(text('bpf/kinds.bpf.h')).toContain('FR_KIND_tick_expire');
  });

  test('a hole that the compiler would make is refused', { timeout: 120_000 }, () => {
    const file = join(copy, 'bpf/probes/tick.bpf.c');
    writeFileSync(file, readFileSync(file, 'utf8').replace('fr_u64 pad0;', 'fr_u32 pad0;'));
    expect(() => run('node_modules/.bin/tsx', ['scripts/generate.ts'])).toThrow(/implicit hole of 4 bytes/);
    rmSync(file);
    rmSync(join(copy, 'src/probes/tick.ts'));
  });

  test('a new invariant file is listed and described', { timeout: 120_000 }, () => {
    writeFileSync(
      join(copy, 'src/invariants/neigh/never-failed.ts'),
      `// Only a test of the guide.

import { defineInvariant } from '../../check/invariant.ts';

export default defineInvariant({
  name: 'neigh.never-failed',
  claim: 'no neighbour ever fails',
  object: 'neighbour',
  source: 'the guide',
  needs: ['neigh_timer'],
  start: () => ({ step() {} }),
});
`,
    );
    run('node_modules/.bin/tsx', ['scripts/generate.ts']);
    const page = run('node_modules/.bin/tsx', ['src/cli/main.ts', 'invariants', 'neigh.never-failed']);
    expect(page).toContain('no neighbour ever fails');
  });
});
