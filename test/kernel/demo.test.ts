// The demo as a user runs it: one command, a fault found and explained, and commands to go on with that work.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SETUP_MS = 300_000;
/** What a later run may take on a machine that does nothing else. */
const GOAL_S = 60;
let recording = '';

function shell(command: string, env: NodeJS.ProcessEnv = process.env) {
  return spawnSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8', env, timeout: SETUP_MS });
}

afterAll(() => {
  if (recording !== '') rmSync(recording, { force: true });
});

test('one command records a real fault and explains it', () => {
  const started = performance.now();
  const { status, stdout, stderr } = shell('sh scripts/demo.sh --yes');
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`the demo took ${seconds.toFixed(1)} s (goal: ${GOAL_S} s on an idle machine)\n`);
  expect(status, `${stdout}\n${stderr}`).toBe(0);

  expect(stdout).toContain('xsk.double-enqueue is violated');
  expect(stdout).toMatch(
    /frame 0x[0-9a-f]+ of umem \d+ is in the FILL ring of \w+ q\d.* and now also in the FILL ring of \w+ q\d/,
  );
  // A pipe gets neither colours nor a spinner.
  for (const control of ['\x1b', '\r']) expect(stdout).not.toContain(control);
  // The frame's life ends with the offending event.
  expect(stdout).toMatch(/^ +time +after +move +CPU .*thread +where$/m);
  expect(stdout).toMatch(/^ +0 .* FILL .*✗/m);

  recording = /^ +recording +(\S+\.parquet)$/m.exec(stdout)?.[1] ?? '';
  expect(existsSync(recording)).toBe(true);
  expect(statSync(recording).mode & 0o777).toBe(0o600);

  const commands = [...stdout.matchAll(/(npx flightring .*)$/gm)].map(([, command]) => command as string);
  expect(commands.map((command) => command.split(' ')[2])).toEqual(['check', 'show', 'invariants']);
  const [check, show, invariants] = commands.map((command) => shell(command));
  expect({ status: check?.status, says: check?.stdout }).toMatchObject({
    status: 1,
    says: expect.stringContaining('xsk.double-enqueue') as string,
  });
  expect({ status: show?.status, says: show?.stdout }).toMatchObject({
    status: 0,
    says: expect.stringContaining('xsk_fill_submit') as string,
  });
  expect(invariants?.status).toBe(0);
});

test('--print-only prints the commands and changes nothing', () => {
  const home = mkdtempSync(join(tmpdir(), 'flightring-print-'));
  try {
    const env = { ...process.env, FLIGHTRING_CACHE: home };
    const before = [statSync(join(ROOT, 'dist')).mtimeMs, existsSync(join(home, 'lab'))];
    const { status, stdout } = shell('sh scripts/demo.sh --print-only', env);
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('npm run --silent --if-present build');
    expect(lines.at(-1)).toMatch(/demo\.ts$/);
    for (const line of lines) expect(line).toMatch(/^(env|sudo|su|npm|make|node_modules)\b/);
    expect([statSync(join(ROOT, 'dist')).mtimeMs, existsSync(join(home, 'lab'))]).toEqual(before);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('what fails is one sentence and an exit status', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-demo-'));
  try {
    expect(shell('sh scripts/demo.sh --yess')).toMatchObject({
      status: 2,
      stderr: 'setup: unknown option --yess; the options are --yes, --print-only, --quiet and --one-kernel\n',
    });
    // A PATH without QEMU.
    for (const tool of ['sh', 'rm']) symlinkSync(`/bin/${tool}`, join(folder, tool));
    const { status, stderr } = shell(`PATH=${folder} ${process.execPath} --import tsx scripts/demo.ts`);
    expect(stderr).toBe('demo: qemu-system-x86_64 is not installed; run scripts/setup.sh\n');
    expect(status).toBe(3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
