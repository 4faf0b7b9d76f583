// Traces that a kernel made, of probes set through tracefs and of the forwarder's markers, become recordings that check judges.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flightring } from './recorder-process.ts';
import { bootLab } from '../../src/lab/index.ts';
import type { Lab } from '../../src/lab/index.ts';
import { importTrace, type ImportResult } from '../../src/import/import.ts';
import { INVARIANTS } from '../../src/generated/invariants.ts';
import { checkRecording } from '../../src/pipeline.ts';
import { LAB_MAPPING } from './lab-mapping.ts';

let lab: Lab;
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
  writeFileSync(join(folder, 'lab.toml'), LAB_MAPPING);
  lab = await bootLab({ modules: ['veth'], shareDir: folder });
}, 600_000);

afterAll(async () => {
  await lab?.shutdown();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

async function capture(name: string, packets: number, bufferKb: number, ...fault: string[]): Promise<void> {
  const script = join(import.meta.dirname, 'trace-capture.sh');
  const words = [script, lab.guestShareDir, name, String(packets), String(bufferKb), ...fault];
  const { code, stderr } = await lab.run(['sh', ...words], { timeoutMs: 120_000 });
  expect(code, stderr).toBe(0);
}

async function imported(name: string, form: string) {
  const recording = join(folder, `${name}.${form}.parquet`);
  const mapping = join(folder, 'lab.toml');
  const result: ImportResult = await importTrace(join(folder, `${name}.${form}.txt`), recording, { mapping });
  const invariants = INVARIANTS.filter((invariant) => invariant.name.startsWith('xsk.'));
  const { summary, verdicts } = await checkRecording(recording, { invariants });
  const broken = [...new Set(summary.violations.map(({ invariant }) => invariant))].sort();
  return { result, summary, verdicts, broken, recording };
}

describe('ftrace', () => {
  test('of a healthy run breaks nothing, in any form that the kernel prints', async () => {
    await capture('healthy', 60, 4096);
    const kinds: number[] = [];
    for (const form of ['trace', 'bare', 'trace_pipe']) {
      const { result, broken, verdicts } = await imported('healthy', form);
      expect(result, form).toMatchObject({ complete: true, problems: [], lost: 0 });
      expect(broken, form).toEqual([]);
      expect(verdicts.find(({ invariant }) => invariant === 'xsk.ownership')?.verdict).toBe('holds');
      expect(result.counts.markers).toBeGreaterThan(96);
      expect(result.counts.events).toBeGreaterThan(0);
      kinds.push(result.events);
    }
    expect(new Set(kinds).size).toBe(1);
  });

  test('of a frame put into FILL twice shows it, also on the command line', async () => {
    // Of the device's two queues only one is the forwarder's: about half of the packets come by.
    await capture('double-fill', 150, 4096, '--fault', 'double-fill', '--fault-after', '20');
    const { broken, recording } = await imported('double-fill', 'trace');
    expect(broken).toContain('xsk.ownership');
    expect(broken).toContain('xsk.double-enqueue');
    expect(flightring(['check', recording, '--quiet']).code).toBe(1);
    expect(flightring(['show', recording, '--around', '1ms']).code).toBe(0);
  });

  test('of which parts were overwritten breaks nothing, and says what is missing', async () => {
    await capture('lost', 400, 4);
    for (const form of ['trace', 'trace_pipe']) {
      const { result, broken, summary } = await imported('lost', form);
      expect(broken, form).toEqual([]);
      expect(result.problems, form).toEqual([]);
      expect(summary.lost).toBe(result.lost);
    }
    expect((await imported('lost', 'trace')).result.notes.join()).toContain(
      'older events had been overwritten',
    );
  });
});
