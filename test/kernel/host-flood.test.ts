// Far more events than the rings hold, on every CPU at once: every single one is accounted for.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventView } from '../../src/decode/event-view.ts';
import { CONTROL, SHARES } from '../../src/generated/layouts.ts';
import { GAP_KIND, HEAD, SHARE_BASE, SLOT_BYTES, SLOT_LANES, sequenceAt } from '../../src/model/slot.ts';
import { openKernel } from '../../src/source/kernel.ts';
import { BATCH_SLOTS, MEMORY, memoryOf, slotsClaimed, Waiter } from '../../src/source/shim.ts';
import { onAnyKernel } from './any-kernel.ts';
import { ROOT } from './recorder-process.ts';

const SLOTS = 4096;
const RENAMES = 50_000;

function flood(cpu: number): Promise<number | null> {
  const child = spawn(join(ROOT, 'build/kernel/rename-loop'), [String(cpu), String(RENAMES)], {
    stdio: 'ignore',
  });
  return new Promise((resolve) => child.on('close', resolve));
}

onAnyKernel(import.meta.filename, () => {
  test('written = read + overwritten, with a gap in the place of what is gone', async () => {
    const kernel = openKernel({ paths: ['neigh'], slots: SLOTS });
    try {
      const waiter = new Waiter(kernel.handle);
      const memory = memoryOf(kernel.handle, MEMORY.batch, BATCH_SLOTS * SLOT_BYTES);
      const lanes = new Uint32Array(memory.buffer, memory.byteOffset, BATCH_SLOTS * SLOT_LANES);
      const figures = memoryOf(kernel.handle, MEMORY.figures, 64);
      const view = new EventView();
      const ends = new Map<string, number>();
      const lastNames = new Map<number, number>();
      let [slotsSeen, gaps, gapTotal] = [0, 0, 0];
      const drain = () => {
        for (let slots = waiter.wait(0); slots > 0; slots = waiter.wait(0))
          for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
            if ((lanes[at + HEAD.seqHigh] as number) >>> 31) {
              slotsSeen++;
              continue;
            }
            const event = view.move(lanes, at);
            const cpu = lanes[at + HEAD.cpu] as number;
            const seq = sequenceAt(lanes, at);
            // Only bank 0 is written here.
            const ring = `${cpu} ${Math.floor(seq / SHARE_BASE)}`;
            const end = ends.get(ring) ?? seq - (seq % SHARE_BASE);
            if (event.kindNumber === GAP_KIND) {
              const lost = event.u53('lost');
              expect(seq).toBe(end + lost);
              gaps++;
              gapTotal += lost;
              ends.set(ring, seq);
              continue;
            }
            expect(seq).toBe(end + 1);
            const extra = ((lanes[at + HEAD.kindFlags] as number) >>> 16) & 0xf;
            ends.set(ring, seq + extra);
            slotsSeen++;
            const number =
              event.kind === 'task_comm' ? /^flood(\d+)$/.exec(event.text('comm'))?.[1] : undefined;
            if (number !== undefined) lastNames.set(cpu, Number(number));
          }
      };
      kernel.arm();
      const cpus = Array.from({ length: Math.min(availableParallelism(), 4) }, (_, cpu) => cpu);
      // Once nobody reads at all; once a reader comes by now and then.
      expect(await Promise.all(cpus.map(flood))).toEqual(cpus.map(() => 0));
      drain();
      const floods = Promise.all(cpus.map(flood));
      const timer = setInterval(drain, 20);
      await floods;
      clearInterval(timer);
      kernel.control.setUint32(CONTROL.bank, 2, true);
      drain();
      let written = 0;
      for (let cpu = 0; cpu < kernel.cpus; cpu++)
        for (const share of SHARES.keys()) written += slotsClaimed(kernel.handle, 0, cpu, share);
      const [lost, read] = [Number(figures.readBigUInt64LE(0)), Number(figures.readBigUInt64LE(8))];
      expect(read + lost).toBe(written);
      expect(slotsSeen).toBe(read);
      expect(gapTotal).toBe(lost);
      expect(gaps).toBeGreaterThanOrEqual(cpus.length);
      expect(written).toBeGreaterThan(2 * RENAMES * cpus.length);
      expect(lost).toBeGreaterThan((RENAMES - SLOTS) * cpus.length);
      for (const cpu of cpus)
        expect(lastNames.get(cpu), `the last event on CPU ${cpu} is there`).toBe(RENAMES - 1);
    } finally {
      kernel.close();
    }
  });
});
