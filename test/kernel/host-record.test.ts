// The recorder as a process, live on neighbours: what it catches, how it freezes and ends, and what its windows hold.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { checkRecording } from '../../src/pipeline.ts';
import { EventView } from '../../src/decode/event-view.ts';
import { HEAD, SLOT_LANES, SNAPSHOT_CPU } from '../../src/model/slot.ts';
import { openRecording } from '../../src/recording/open.ts';
import { CAPABILITY } from '../../src/source/capabilities.ts';
import { onAnyKernel } from './any-kernel.ts';
import { churn, flightring, folder, ROOT, RecorderProcess, sh, startRecorder } from './recorder-process.ts';

const NEIGH = ['--paths', 'neigh'];

/** Programs and links in the kernel that a recorder has made. */
function kernelObjects(): string[] {
  const programs = JSON.parse(sh('bpftool', '-j', 'prog', 'list')) as { id: number; name?: string }[];
  return programs
    .filter(({ name }) => /^(neigh|task|xsk)_/.test(name ?? ''))
    .map(({ id, name }) => `${id} ${name}`);
}

/** Those that were not there before; the kernel frees programs a grace period after their last user has gone. */
async function leftBehind(before: readonly string[]): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const left = kernelObjects().filter((one) => !before.includes(one));
    if (left.length === 0 || tries === 50) return left;
    await sleep(100);
  }
}

/** The network namespaces that a recording's neighbour events name. */
async function namespacesIn(path: string): Promise<Set<string>> {
  const recording = await openRecording(path);
  const found = new Set<string>();
  const view = new EventView();
  for (const { lanes, slots } of recording.batches())
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
      if ((lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
      const event = view.move(lanes, at);
      if (event.kind.startsWith('neigh_') && event.cpu !== SNAPSHOT_CPU)
        found.add(String(event.u64('netns')));
    }
  return found;
}

/** The recording that a recorder makes next. */
async function recordedBy(recorder: RecorderProcess) {
  const recording = await openRecording((await recorder.event('recording'))['path'] as string);
  return { meta: recording.meta, batches: [...recording.batches()] };
}

onAnyKernel(import.meta.filename, () => {
  describe('live', () => {
    test('a neighbour given another MAC is caught, recorded, and found again by check', async () => {
      using out = folder();
      await using recorder = await startRecorder(...NEIGH, '--once', '--after', '50ms', '--out', out.path);
      churn('conflict', '--rounds', '1');
      expect(await recorder.ended).toBe(1);
      const violation = await recorder.event('violation');
      expect(violation['invariant']).toBe('neigh.conflict');
      for (const word of ['10.78.0.50', '02:f1:00:00:01:01', '02:f1:00:00:01:02'])
        expect(violation['sentence']).toContain(word);
      const path = (await recorder.event('recording'))['path'] as string;
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const check = await checkRecording(path);
      expect(check.summary.violations).toEqual(check.recording.meta.violations);
      expect(check.summary.violations).toHaveLength(1);
      const { code, stdout } = flightring(['check', '--json', path]);
      expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
      expect(readdirSync(out.path)).toHaveLength(1);
    });

    test('healthy neighbours raise nothing, and SIGTERM leaves nothing behind', async () => {
      using out = folder();
      const before = kernelObjects();
      await using recorder = await startRecorder(...NEIGH, '--out', out.path);
      churn('healthy', '--rounds', '3');
      expect(await recorder.stop()).toBe(0);
      expect(await recorder.event('end')).toMatchObject({ violations: 0, warnings: 0, lost: 0 });
      expect(readdirSync(out.path)).toEqual([]);
      expect(await leftBehind(before)).toEqual([]);
    });

    test('two recorders at once both catch it', async () => {
      using one = folder();
      using other = folder();
      await using first = await startRecorder(...NEIGH, '--once', '--out', one.path);
      await using second = await startRecorder(...NEIGH, '--once', '--out', other.path);
      churn('conflict', '--rounds', '1');
      expect(await Promise.all([first.ended, second.ended])).toEqual([1, 1]);
    });
  });

  describe('what existed before', () => {
    const before = (word: string) => sh('sh', join(ROOT, 'test/workloads/neigh-before.sh'), word);

    test('a neighbour from before recording is named, is in the recording, and check agrees', async () => {
      using out = folder();
      before('up');
      try {
        await using recorder = await startRecorder(...NEIGH, '--once', '--out', out.path);
        expect(await recorder.event('snapshot')).toMatchObject({ notes: [] });
        before('overwrite');
        expect(await recorder.ended).toBe(1);
        const violation = await recorder.event('violation');
        for (const word of [
          '10.78.1.50',
          'it has 02:f1:00:00:02:01 from before recording',
          '02:f1:00:00:02:02',
        ])
          expect(violation['sentence']).toContain(word);
        const path = (await recorder.event('recording'))['path'] as string;
        const { recording, comparison, summary } = await checkRecording(path);
        expect(comparison).toMatchObject({ live: 1, reproduced: 1, missing: [], added: [], changed: [] });
        expect(summary.violations).toEqual(recording.meta.violations);
        const [found] = recording.meta.violations[0]?.evidence ?? [];
        expect(found).toMatchObject({ cpu: SNAPSHOT_CPU, kind: 'neigh_exists' });
        expect(recording.meta.snapshot?.records).toBeGreaterThan(0);
        const { stdout } = flightring(['show', '--json', path]);
        const told = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(told.filter(({ kind }) => kind === 'neigh_exists')).toHaveLength(
          recording.meta.snapshot?.records as number,
        );
        expect(told.find(({ seq, cpu }) => seq === found?.seq && cpu === found?.cpu)).toMatchObject({
          ts: found?.ts,
          ip: '10.78.1.50',
          mac: '02:f1:00:00:02:01',
          flags: ['snapshot'],
        });
        const life = flightring(['show', path, '--object', 'neighbour:10.78.1.50']).stdout;
        expect(life.split('\n').find((line) => line !== '' && !line.startsWith('#'))).toContain(
          'neigh_exists',
        );
      } finally {
        before('down');
      }
    });

    test('a later window begins with what exists then', async () => {
      using out = folder();
      before('up');
      try {
        await using recorder = await startRecorder(
          ...NEIGH,
          '--out',
          out.path,
          '--before',
          '100ms',
          '--freeze-on',
          'none',
        );
        await recorder.event('snapshot');
        before('overwrite');
        await sleep(400);
        recorder.child.kill('SIGUSR1');
        const { meta, batches } = await recordedBy(recorder);
        const view = new EventView();
        const known: [string, number][] = [];
        for (const { lanes, slots } of batches)
          for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
            const event = view.move(lanes, at);
            if ((lanes[at + HEAD.seqHigh] as number) >>> 31 || event.cpu !== SNAPSHOT_CPU) continue;
            if (event.text('ip') === '10.78.1.50') known.push([event.text('mac'), event.ts]);
          }
        expect(known.map(([mac]) => mac)).toEqual(['02:f1:00:00:02:02']);
        for (const { firstTs } of meta.freeze?.window ?? [])
          if (firstTs !== null) expect(firstTs).toBeGreaterThan(known[0]?.[1] as number);
      } finally {
        before('down');
      }
    });

    test('when the tools can not be run that is said, and recording goes on', async () => {
      using out = folder();
      const hide = 'mount --bind /dev/null "$(command -v nsenter)" && exec "$@"';
      await using recorder = new RecorderProcess(
        [...NEIGH, '--out', out.path],
        ['unshare', '-m', 'sh', '-c', hide, 'sh'],
      );
      const { records, notes } = await recorder.event('snapshot');
      expect(records).toBe(0);
      expect((notes as string[]).join()).toMatch(/^[0-9]+ of [0-9]+ namespaces: spawn nsenter EACCES$/);
      churn('conflict', '--rounds', '1');
      const { meta } = await recordedBy(recorder);
      expect(meta.notes).toEqual((notes as string[]).map((note) => `snapshot: ${note}`));
    });
  });

  describe('freezing and ending', () => {
    test('SIGUSR1 freezes by hand, and recording goes on', async () => {
      using out = folder();
      await using recorder = await startRecorder(...NEIGH, '--out', out.path);
      churn('healthy', '--rounds', '1');
      recorder.child.kill('SIGUSR1');
      expect(await recorder.event('recording')).toMatchObject({ cause: 'signal', violations: 0 });
      expect(recorder.child.exitCode).toBeNull();
      expect(await recorder.stop()).toBe(0);
    });

    test('--on-exit export keeps what is held when SIGINT ends it', async () => {
      using out = folder();
      const ready = join(out.path, 'ready');
      await using recorder = await startRecorder(
        ...NEIGH,
        '--on-exit',
        'export',
        '--out',
        out.path,
        '--ready-file',
        ready,
      );
      while (!readdirSync(out.path).includes('ready')) await sleep(10);
      expect(readFileSync(ready, 'utf8')).toBe(`${recorder.child.pid}\n`);
      churn('healthy', '--rounds', '1');
      expect(await recorder.stop('SIGINT')).toBe(0);
      const { path, cause } = await recorder.event('recording');
      expect(cause).toBe('exit');
      expect((await openRecording(path as string)).rows).toBeGreaterThan(10);
      expect(readdirSync(out.path)).not.toContain('ready');
    });

    test('with options for V8 it records and exports, too', async () => {
      using out = folder();
      const limited = ['sh', '-c', 'node=$1; shift; exec "$node" --max-old-space-size=256 "$@"', 'sh'];
      await using recorder = new RecorderProcess(
        [...NEIGH, '--on-exit', 'export', '--out', out.path],
        limited,
      );
      await recorder.event('armed');
      churn('healthy', '--rounds', '1');
      expect(await recorder.stop('SIGINT')).toBe(0);
      expect((await recorder.event('recording')).cause).toBe('exit');
    });

    test('SIGKILL leaves no program in the kernel, no process and no file that looks whole', async () => {
      using out = folder();
      const before = kernelObjects();
      await using recorder = await startRecorder(...NEIGH, '--out', out.path);
      expect(kernelObjects().length).toBeGreaterThan(before.length + 4);
      const pid = recorder.child.pid as number;
      const [sampler] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number);
      // One that has ended and that nobody has waited for is a name only (proc(5): state Z).
      const samples = () => {
        try {
          return /\(fr-stats\) [^Z]/.test(readFileSync(`/proc/${sampler}/stat`, 'utf8'));
        } catch {
          return false;
        }
      };
      expect(samples()).toBe(true);
      recorder.child.kill('SIGUSR1');
      await recorder.event('frozen');
      await recorder.stop('SIGKILL');
      for (let tries = 0; samples() && tries < 50; tries++) await sleep(20);
      expect(samples()).toBe(false);
      expect(await leftBehind(before)).toEqual([]);
      for (const name of readdirSync(out.path)) {
        const opened = await openRecording(join(out.path, name)).catch((error: Error) => error);
        if (!(opened instanceof Error)) expect(opened.damage).toBeNull();
      }
    });
  });

  describe('windows', () => {
    test('--last is honoured, path by path, and stated', async () => {
      using out = folder();
      await using recorder = await startRecorder(...NEIGH, '--once', '--last', '25', '--out', out.path);
      churn('conflict');
      expect(await recorder.ended).toBe(1);
      const { meta, rows } = await openRecording((await recorder.event('recording'))['path'] as string);
      const window = meta.freeze?.window ?? [];
      for (const wanted of ['neigh', 'task'])
        expect(
          window.reduce((sum, { path, events }) => sum + (path === wanted ? events : 0), 0),
        ).toBeLessThanOrEqual(25);
      expect(meta.freeze?.requested.lastEvents).toBe(25);
      expect(meta.violations.map(({ invariant }) => invariant)).toEqual(['neigh.conflict']);
      // One path begins later than the other: a gap says so.
      // What existed before is told in front of them.
      const gaps = rows - (meta.snapshot?.records ?? 0) - window.reduce((sum, { events }) => sum + events, 0);
      expect(gaps).toBeGreaterThanOrEqual(0);
      expect(gaps).toBeLessThanOrEqual(1);
    });

    test('--before and --after are honoured and stated', async () => {
      using out = folder();
      await using recorder = await startRecorder(
        ...NEIGH,
        '--once',
        '--before',
        '400ms',
        '--after',
        '300ms',
        '--out',
        out.path,
      );
      churn('healthy', '--rounds', '1');
      await sleep(500);
      churn('conflict', '--rounds', '1');
      expect(await recorder.ended).toBe(1);
      const { freeze } = (await openRecording((await recorder.event('recording'))['path'] as string)).meta;
      const offending = freeze?.offendingTs as number;
      expect(freeze?.requested).toEqual({ lastEvents: null, beforeNs: 400_000_000, afterNs: 300_000_000 });
      expect((freeze?.flippedTs as number) - offending).toBeGreaterThanOrEqual(300_000_000);
      for (const { firstTs } of freeze?.window ?? [])
        if (firstTs !== null) expect(firstTs).toBeGreaterThanOrEqual(offending - 400_000_000);
    });
  });

  describe('filters in the kernel', () => {
    test('--netns and --ifname keep everything else out', async () => {
      using out = folder();
      const spaces = ['frk-a', 'frk-b'];
      const touch = (netns: string, device: string) => {
        sh(
          'ip',
          '-n',
          netns,
          'neighbour',
          'replace',
          '10.79.0.9',
          'lladdr',
          '02:f1:00:00:09:01',
          'dev',
          device,
        );
        sh('ip', '-n', netns, 'neighbour', 'delete', '10.79.0.9', 'dev', device);
      };
      try {
        for (const netns of spaces) {
          sh('ip', 'netns', 'add', netns);
          sh('ip', '-n', netns, 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
          for (const device of ['d0', 'd1']) {
            sh('ip', '-n', netns, 'link', 'set', device, 'up');
          }
        }
        const paths: string[] = [];
        for (const words of [[], ['--netns', 'frk-a'], ['--netns', 'frk-b', '--ifname', 'd1']]) {
          await using recorder = await startRecorder(
            ...NEIGH,
            ...words,
            '--on-exit',
            'export',
            '--out',
            out.path,
          );
          touch('frk-a', 'd0');
          touch('frk-b', 'd0');
          if (words.length !== 4) touch('frk-b', 'd1');
          expect(await recorder.stop()).toBe(0);
          paths.push((await recorder.event('recording'))['path'] as string);
        }
        const [all, one, none] = await Promise.all(paths.map(namespacesIn));
        expect(all?.size).toBeGreaterThan(1);
        expect(one?.size).toBe(1);
        // Only d0 was touched while d1 was watched.
        expect(none?.size).toBe(0);
      } finally {
        for (const netns of spaces) sh('ip', 'netns', 'delete', netns);
      }
    });
  });

  test('capabilities that a running recorder needs no more are given up', async () => {
    using out = folder();
    await using recorder = await startRecorder(...NEIGH, '--out', out.path);
    const kept = (1n << BigInt(CAPABILITY.BPF)) | (1n << BigInt(CAPABILITY.PERFMON));
    const tasks = `/proc/${recorder.child.pid}/task`;
    const heldBy = (tid: string | number | undefined) => {
      const status = readFileSync(`${tasks}/${tid}/status`, 'utf8');
      return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1]}`);
    };
    expect(heldBy(recorder.child.pid) & ~kept).toBe(0n);
    // The checker is started once events are recorded.
    const limited = () => readdirSync(tasks).filter((tid) => (heldBy(tid) & ~kept) === 0n).length;
    for (let tries = 0; tries < 50 && limited() < 2; tries++) await sleep(50);
    expect(limited()).toBeGreaterThanOrEqual(2);
  });

  test('a recorder that is stopped for a while says how much it lost, and ends with status 4', async () => {
    using out = folder();
    await using recorder: RecorderProcess = await startRecorder(...NEIGH, '--out', out.path);
    recorder.child.kill('SIGSTOP');
    sh(join(import.meta.dirname, '../../build/kernel/rename-loop'), '0', '200000');
    recorder.child.kill('SIGCONT');
    await sleep(300);
    expect(await recorder.stop()).toBe(4);
    const end = await recorder.event('end');
    expect(end['lost']).toBeGreaterThan(100_000);
    expect((end['events'] as number) + (end['lost'] as number)).toBeGreaterThan(200_000);
    expect(end['violations']).toBe(0);
  });
});
