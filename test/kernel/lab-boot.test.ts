// The lab boots a stock kernel and carries output, exit statuses and time limits out of it.

import { afterAll, beforeAll, expect, test } from 'vitest';

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bootLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { runScenarios } from '../../src/lab/scenarios-in-lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await bootLab({ modules: ['veth'] });
}, 600_000);

afterAll(async () => {
  await lab?.shutdown();
}, 30_000);

test("the guest runs the kernel that was asked for, not the host's", async () => {
  const { code, stdout } = await lab.run(['uname', '-r']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${lab.kernelVersion}\n` });
});

test('a failing command keeps its exit status and both of its streams', async () => {
  const result = await lab.run(['sh', '-c', 'echo "it\'s"; echo\n echo oops >/dev/stderr; exit 7']);
  expect(result).toEqual({ code: 7, stdout: "it's\n\n", stderr: 'oops\n' });
});

test('commands run side by side, and more of them than there are slots', async () => {
  const numbers = Array.from({ length: 6 }, (_, number) => String(number));
  const results = await Promise.all(
    numbers.map((number) => lab.run(['sh', '-c', `sleep 0.2; echo ${number}`])),
  );
  expect(results.map(({ stdout }) => stdout)).toEqual(numbers.map((number) => `${number}\n`));
});

test('a command past its time limit is killed, its output is in the error, and the lab lives on', async () => {
  const late = lab.run(['sh', '-c', 'echo begun; sleep 600'], { timeoutMs: 2_000 });
  await expect(late).rejects.toMatchObject({
    code: 'LAB_RUN_TIMEOUT',
    message: expect.stringContaining('begun'),
  });
  expect(await lab.run(['true'])).toMatchObject({ code: 0 });
});

test('files written on one side of the shared folder are read on the other, modules are there, and lo is up', async () => {
  writeFileSync(join(lab.shareDir, 'note'), 'from the host\n');
  const script =
    'cat "$1/note"; grep -c ^veth /proc/modules; cat /sys/class/net/lo/operstate; ls /sys/kernel/tracing/README';
  const { stdout } = await lab.run(['sh', '-c', script, 'sh', lab.guestShareDir]);
  expect(stdout).toBe('from the host\n1\nunknown\n/sys/kernel/tracing/README\n');
});

/** QEMU's process: a child of the supervisor, which is a child of this process. */
function emulatorsOf(parent: number): number[] {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8');
      } catch {
        return '';
      }
    });
  const childrenOf = (pid: number) => stats.filter((stat) => new RegExp(`\\) \\S ${pid} `).test(stat));
  return childrenOf(parent)
    .flatMap((stat) => childrenOf(Number.parseInt(stat, 10)))
    .filter((stat) => stat.includes('(qemu-system'))
    .map((stat) => Number.parseInt(stat, 10));
}

test('a machine that stands still fails what runs in it at once, and says what is known of it', async () => {
  const before = new Set(emulatorsOf(process.pid));
  await using still = await bootLab({ silenceMs: 6_000 });
  const run = still.run(['sleep', '600'], { timeoutMs: 600_000 });
  const [emulator] = emulatorsOf(process.pid).filter((pid) => !before.has(pid));
  expect(emulator).toBeDefined();
  process.kill(emulator as number, 'SIGSTOP');
  await expect(run).rejects.toMatchObject({
    code: 'LAB_STANDS_STILL',
    message: expect.stringMatching(
      /last sign of life was 6 s ago[^]*monitor does not answer[^]*CPU 0\/TCG: state T/,
    ),
  });
}, 60_000);

test('a program that hangs in a living machine has failed, with where it waits, and the rest goes on', async () => {
  const results = await runScenarios({}, ['healthy', 'healthy-kprobe'], {
    root: join(import.meta.dirname, '../..'),
    limitMs: 4_000,
  });
  expect([...results.keys()]).toEqual(['healthy', 'healthy-kprobe']);
  for (const result of results.values())
    expect(result).toMatchObject({
      code: 'SCENARIO_HUNG',
      message: expect.stringContaining('scenario-main.js'),
    });
}, 120_000);
