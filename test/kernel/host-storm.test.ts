// A million events of one path: the history of the others is still there, and the loss is told of that path alone.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../../src/check/checker.ts';
import { defineInvariant, type Invariant } from '../../src/check/invariant.ts';
import { EventView } from '../../src/decode/event-view.ts';
import { CONTROL, SHARES } from '../../src/generated/layouts.ts';
import { GAP_KIND, HEAD, SLOT_BYTES, SLOT_LANES } from '../../src/model/slot.ts';
import { checkRecording } from '../../src/pipeline.ts';
import type { RecordingCosts } from '../../src/model/recording.ts';
import { openRecording } from '../../src/recording/open.ts';
import { openKernel } from '../../src/source/kernel.ts';
import { BATCH_SLOTS, MEMORY, memoryOf, slotsClaimed, Waiter } from '../../src/source/shim.ts';
import { onAnyKernel } from './any-kernel.ts';
import { folder, ROOT, sh, startRecorder } from './recorder-process.ts';

const NETNS = 'frk-storm';
/** Each message is an event before the change and one after it. */
const MESSAGES = 500_000;
const RENAMES = 150;

function storm(): void {
  sh('ip', 'netns', 'exec', NETNS, join(ROOT, 'build/kernel/neigh-loop'), 'd0', String(MESSAGES));
}

function rename(cpu: number): void {
  sh(join(ROOT, 'build/kernel/rename-loop'), String(cpu), String(RENAMES));
}

/** Counts events, forgets them at a gap: what a module of a user's own may look like. */
const counting = (name: string, kind: string): Invariant =>
  defineInvariant({
    name,
    claim: 'Events are counted.',
    object: '(event)',
    source: 'this test',
    needs: [kind],
    start: () => ({ step: () => {} }),
  });

onAnyKernel(import.meta.filename, () => {
  beforeAll(() => {
    sh('ip', 'netns', 'add', NETNS);
    sh('ip', '-n', NETNS, 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
    sh('ip', '-n', NETNS, 'link', 'set', 'd0', 'up');
  });
  afterAll(() => {
    sh('ip', 'netns', 'delete', NETNS);
  });

  describe('a storm of neighbour events', () => {
    test('in the rings: written = read + overwritten, all of it of its own path', () => {
      const kernel = openKernel({ paths: ['neigh'], slots: 16_384 });
      try {
        const waiter = new Waiter(kernel.handle);
        const memory = memoryOf(kernel.handle, MEMORY.batch, BATCH_SLOTS * SLOT_BYTES);
        const lanes = new Uint32Array(memory.buffer, memory.byteOffset, BATCH_SLOTS * SLOT_LANES);
        const figures = memoryOf(kernel.handle, MEMORY.figures, 64);
        const checker = new Checker(
          [counting('neigh.count', 'neigh_update'), counting('task.count', 'task_comm')],
          { length: 0, get: () => undefined },
        );
        const view = new EventView();
        kernel.arm();
        rename(0);
        rename(1);
        storm();
        rename(0);
        kernel.control.setUint32(CONTROL.bank, 2, true);
        const names = new Map<string, number>();
        const paths = new Set<string>();
        for (let slots = waiter.wait(0); slots > 0; slots = waiter.wait(0)) {
          for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
            if ((lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
            const event = view.move(lanes, at);
            if (event.kindNumber === GAP_KIND) paths.add(event.text('share'));
            if (event.kind !== 'task_comm' || !event.text('comm').startsWith('flood')) continue;
            names.set(event.text('comm'), (names.get(event.text('comm')) ?? 0) + 1);
          }
          checker.check({ lanes, slots });
        }
        const claimed = (share: string) => {
          let sum = 0;
          for (let cpu = 0; cpu < kernel.cpus; cpu++)
            sum += slotsClaimed(kernel.handle, 0, cpu, SHARES.indexOf(share));
          return sum;
        };
        const [lost, read] = [Number(figures.readBigUInt64LE(0)), Number(figures.readBigUInt64LE(8))];
        expect(claimed('neigh')).toBeGreaterThan(4 * MESSAGES);
        expect(claimed('neigh') + claimed('task')).toBe(read + lost);
        expect([...checker.lostOf]).toEqual([['neigh', lost]]);
        expect([...paths]).toEqual(['neigh']);
        expect(names.size).toBe(RENAMES);
        expect([...names.values()].every((times) => times === 3)).toBe(true);
        const counts = checker.counts();
        expect(counts['task.count']).toMatchObject({ unknown: 0 });
        expect(counts['task.count']?.checked).toBeGreaterThanOrEqual(3 * RENAMES);
        expect(counts['neigh.count']?.checked).toBeGreaterThan(0);
      } finally {
        kernel.close();
      }
    });

    test('in a recording: the names are all there, and only the claims about neighbours are in doubt', async () => {
      using out = folder();
      const module = join(out.path, 'names.mjs');
      writeFileSync(
        module,
        `export default { name: 'mine.names', claim: 'Threads have names.', object: '(thread)', source: 'this test',
          needs: ['task_comm'], start: () => ({ step() {} }) };\n`,
      );
      await using recorder = await startRecorder(
        '--paths',
        'neigh',
        '--invariants',
        `neigh,${module}`,
        '--last',
        '60000',
        '--out',
        out.path,
      );
      await sleep(300);
      rename(0);
      await sleep(100);
      // Once with a reader that comes by, once with one that is held up for the whole of it.
      storm();
      recorder.child.kill('SIGSTOP');
      storm();
      recorder.child.kill('SIGCONT');
      recorder.child.kill('SIGUSR1');
      const path = (await recorder.event('recording'))['path'] as string;
      expect(await recorder.stop()).toBe(4);
      const end = await recorder.event('end');
      expect(end['lostOf']).toEqual({ neigh: end['lost'] });
      expect(end['violations']).toBe(0);
      // Sampled is one second in ten, from the first on; both storms last longer than one.
      for (const { wallNs, sampledNs, paths, processNs } of [
        end['costs'] as RecordingCosts,
        (await openRecording(path)).meta.costs as RecordingCosts,
      ]) {
        expect(sampledNs).toBeGreaterThan(wallNs / 20);
        expect(sampledNs).toBeLessThan(1.2e9 + wallNs / 8);
        const neigh = paths.find((cost) => cost.path === 'neigh');
        expect(neigh?.ns).toBeGreaterThan(0);
        // Two events a message and two storms; a tenth of the time may catch more or less of them.
        expect(neigh?.runs).toBeGreaterThan(MESSAGES / 4);
        expect(paths.find((cost) => cost.path === 'task')?.ns).toBeGreaterThan(0);
        expect(processNs).toBeGreaterThan(0);
      }

      const recording = await openRecording(path);
      const names = new Set<string>();
      let neighbours = 0;
      const view = new EventView();
      for (const { lanes, slots } of recording.batches())
        for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
          view.move(lanes, at);
          if (view.kind === 'task_comm') names.add(view.text('comm'));
          if (view.kind.startsWith('neigh_')) neighbours++;
        }
      for (let i = 0; i < RENAMES; i++) expect(names).toContain(`flood${i}`);
      expect(neighbours).toBeGreaterThan(10_000);
      expect(neighbours).toBeLessThanOrEqual(60_000);
      const window = recording.meta.freeze?.window ?? [];
      expect(window.filter(({ overwritten }) => overwritten > 0).map((one) => one.path)).toContain('neigh');
      expect(window.filter((one) => one.path === 'task').every((one) => one.overwritten === 0)).toBe(true);
      const { loadInvariants } = await import('../../src/check/load-invariants.ts');
      const { verdicts } = await checkRecording(path, { invariants: await loadInvariants(module) });
      expect(verdicts).toMatchObject([{ verdict: 'holds', counts: { unknown: 0 } }]);
    });
  });
});
