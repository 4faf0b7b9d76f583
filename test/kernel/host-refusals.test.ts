// What a recorder refuses, and how it says so: flags, folders, disks, privileges, kernels.

import { existsSync, mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRecording } from '../../src/recording/open.ts';
import { onAnyKernel } from './any-kernel.ts';
import { flightring, folder, RecorderProcess, smallDisk } from './recorder-process.ts';

const NEIGH = ['record', '--paths', 'neigh', '--for', '50ms'];

/** Status, and standard error, which must be one line. */
function refusal(words: readonly string[], wrapper: readonly string[] = []) {
  const { code, stderr, stdout } = flightring(words, wrapper);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return { code, stderr };
}

describe('wrong words', () => {
  test.each([
    [['--pathz', 'neigh'], '--paths'],
    [['--paths', 'nigh'], 'neigh'],
    [['--invariants', 'neigh.conflikt'], 'neigh.conflict'],
    [['--last', '0'], '--last'],
    [['--last', 'many'], '--last'],
    [['--before', 'soon'], '--before'],
    [['--freeze-on', 'sunday'], 'violation'],
    [['--last', '10', '--before', '1s'], '--before'],
    [['--netns', 'no-such-namespace'], 'no-such-namespace'],
  ])('%j: one line that names %s, status 2', (words, named) => {
    const { code, stderr } = refusal(['record', ...words]);
    expect(stderr).toContain(named);
    expect(code).toBe(2);
  });
});

describe('output folder, said before anything is recorded', () => {
  test('missing', () => {
    using out = folder();
    const { code, stderr } = refusal([...NEIGH, '--out', join(out.path, 'none')]);
    expect({ code, told: stderr.includes('mkdir -p') }).toEqual({ code: 2, told: true });
  });

  test('no folder', () => {
    using out = folder();
    writeFileSync(join(out.path, 'file'), '');
    expect(refusal([...NEIGH, '--out', join(out.path, 'file')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not a folder'),
    });
  });

  test('unwritable', () => {
    using disk = smallDisk('ro,size=64m');
    expect(refusal([...NEIGH, '--out', disk.path])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("can't be written"),
    });
  });

  test('too small', () => {
    using disk = smallDisk('size=1m');
    expect(refusal([...NEIGH, '--out', disk.path])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/MiB free.*MiB/),
    });
  });
});

describe('privileges', () => {
  test('none: the missing capabilities by name, status 3', () => {
    using out = folder();
    const { code, stderr } = refusal(
      [...NEIGH, '--out', out.path],
      ['setpriv', '--bounding-set=-all', '--inh-caps=-all'],
    );
    expect(code).toBe(3);
    expect(stderr).toContain('CAP_BPF');
    expect(stderr).toContain('CAP_PERFMON');
  });
});

test('a kernel without the probes of a path: status 3, and where to look', () => {
  using out = folder();
  const { stdout } = flightring(['doctor', '--json']);
  const paths = (
    JSON.parse(stdout) as { paths: { path: string; attached?: number; probes?: { status: string }[] }[] }
  ).paths;
  const xsk = paths.find(({ path }) => path === 'xsk');
  const attached = xsk?.attached ?? xsk?.probes?.filter(({ status }) => status === 'attached').length ?? 0;
  const words = ['record', '--paths', 'xsk', '--for', '50ms', '--out', out.path];
  if (attached > 0) {
    expect(flightring(words).code).toBe(0);
    return;
  }
  const { code, stderr } = refusal(words);
  expect(code).toBe(3);
  expect(stderr).toContain('doctor');
  expect(stderr).toContain('lab');
});

onAnyKernel(import.meta.filename, () => {
  test('a disk that fills while a recording is exported: said, and nothing on it looks whole', async () => {
    using disk = smallDisk('size=20m');
    const out = join(disk.path, 'out');
    mkdirSync(out);
    await using recorder = new RecorderProcess(['--paths', 'neigh', '--out', out]);
    await recorder.event('armed');
    const { bavail, bsize } = statfsSync(out);
    writeFileSync(join(disk.path, 'filler'), Buffer.alloc(bavail * bsize - 2 * bsize));
    recorder.child.kill('SIGUSR1');
    const failed = await recorder.event('failed');
    expect(failed['message']).toMatch(/full|space/i);
    const raw = failed['raw'] as string | null;
    if (raw !== null) expect(existsSync(raw)).toBe(true);
    for (const name of readdirSync(out)) {
      const path = join(out, name);
      const opened = await openRecording(path).catch((error: Error) => error);
      if (path !== raw) expect(opened).toBeInstanceOf(Error);
      else expect(opened).not.toBeInstanceOf(Error);
    }
    expect(await recorder.stop()).toBe(2);
  });
});
