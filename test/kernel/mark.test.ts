// Marks of applications in a recording: FLIGHTRING_MARK compiled into a program, and `flightring mark` of a script.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventView } from '../../src/decode/event-view.ts';
import { HEAD, SLOT_LANES } from '../../src/model/slot.ts';
import { openRecording } from '../../src/recording/open.ts';
import { onAnyKernel } from './any-kernel.ts';
import { flightring, folder, ROOT, startRecorder } from './recorder-process.ts';

const DEMO = join(ROOT, 'build/workloads/mark-demo');
const MARKS = ['--paths', 'mark', '--mark', DEMO, '--on-exit', 'export'];

interface Mark {
  readonly tid: number;
  readonly text: string;
  readonly value: bigint;
}

async function marksIn(path: string): Promise<Mark[]> {
  const marks: Mark[] = [];
  const view = new EventView();
  for (const { lanes, slots } of (await openRecording(path)).batches())
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
      if ((lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
      const event = view.move(lanes, at);
      if (event.kind === 'mark_set')
        marks.push({ tid: event.tid, text: event.text('text'), value: event.u64('value') });
    }
  return marks;
}

/** Runs the program that sets marks; returns its thread's id. */
function runDemo(): number {
  const { status, stdout } = spawnSync(DEMO, { encoding: 'utf8' });
  expect(status).toBe(0);
  return Number(stdout);
}

onAnyKernel(import.meta.filename, () => {
  describe('marks', () => {
    test('of a program and of the command line lie in one timeline, in order', async () => {
      using out = folder();
      await using recorder = await startRecorder(...MARKS, '--out', out.path);
      const tid = runDemo();
      expect(flightring(['mark', 'from a script', '--value', '7'])).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
      expect(await recorder.stop()).toBe(0);
      const path = (await recorder.event('recording'))['path'] as string;
      const marks = await marksIn(path);
      expect(marks.slice(0, 3)).toEqual([
        { tid, text: 'demo begins', value: 1n },
        { tid, text: 'step 2', value: 2n ** 64n - 1n },
        { tid, text: 'a text that is longer than the thirty-n', value: 2n ** 64n - 1n },
      ]);
      expect(marks.slice(3)).toMatchObject([{ text: 'from a script', value: 7n }]);
      const { coverage } = (await openRecording(path)).meta;
      expect(coverage.find(({ path: of }) => of === 'mark')).toMatchObject({
        probe: 'mark_user',
        method: 'uprobe',
        status: 'attached',
      });
    });

    test('of other programs than those of --comm are left out', async () => {
      using out = folder();
      await using recorder = await startRecorder(...MARKS, '--comm', 'mark-demo', '--out', out.path);
      runDemo();
      flightring(['mark', 'from a script']);
      expect(await recorder.stop()).toBe(0);
      const marks = await marksIn((await recorder.event('recording'))['path'] as string);
      expect(marks.map(({ text }) => text.slice(0, 6))).toEqual(['demo b', 'step 2', 'a text']);
    });

    test('a file without marks is refused before anything is recorded', () => {
      const { code, stderr } = flightring([
        'record',
        '--paths',
        'mark',
        '--mark',
        '/bin/true',
        '--for',
        '1s',
      ]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: 'flightring: /bin/true sets no marks: FLIGHTRING_MARK is not used in it.\n',
      });
    });
  });
});
