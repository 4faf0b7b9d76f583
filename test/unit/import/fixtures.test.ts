// The kernel's own text (test/fixtures/traces) is used to the last line, and judged rightly.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { importTrace } from '../../../src/import/import.ts';
import { parseMapping } from '../../../src/import/mapping.ts';
import { SLOT_LANES } from '../../../src/model/slot.ts';
import { checkRecording } from '../../../src/pipeline.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { LAB_MAPPING } from '../../kernel/lab-mapping.ts';

const traces = join(import.meta.dirname, '../../fixtures/traces');
const invariants = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function imported(name: string) {
  const path = join(folder, 'out.parquet');
  const result = await importTrace(join(traces, `${name}.txt`), path, {
    mapping: parseMapping(LAB_MAPPING, 'lab'),
  });
  const { summary, verdicts } = await checkRecording(path, { invariants });
  const { comparison } = await checkRecording(path);
  expect(comparison).toMatchObject({ reproduced: summary.violations.length, missing: [], added: [] });
  const ownership = verdicts.find(({ invariant }) => invariant === 'xsk.ownership')?.verdict;
  return { result, sentences: summary.violations.map(({ sentence }) => sentence), ownership };
}

test.each([
  ['healthy.trace', 252, 0],
  ['healthy.bare', 246, 0],
  ['lost.trace', 556, 0],
  ['lost.trace_pipe', 544, 554],
])('%s is healthy', async (name, lines, lost) => {
  const { result, sentences, ownership } = await imported(name);
  expect(result).toMatchObject({ problems: [], lost, counts: { lines, unused: 0 }, complete: lost === 0 });
  expect(sentences).toEqual([]);
  expect(ownership).toBe('holds');
});

test('double-fill.trace_pipe shows the frame that is there twice', async () => {
  const { result, sentences } = await imported('double-fill.trace_pipe');
  expect(result).toMatchObject({ problems: [], lost: 0, complete: true });
  expect(sentences).toEqual([
    'frame 0x9000 of umem 0 is in the FILL ring of outer q0 (netns 0) and now also in the FILL ring of outer q0 (netns 0)',
    'frame 0x9000 of umem 0 went from FILL to FILL on outer q0 (netns 0): it is there twice',
  ]);
});

/** The mapping of docs/importing.md, for the names of this machine. */
function neighbourMapping() {
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/importing.md'), 'utf8');
  const [, toml = ''] = /```toml\n(description = "neighbour.*?)```/s.exec(docs) ?? [];
  const changed = toml.replace('eth0 = 2', 'd0 = 2').replace('ignore = [', 'ignore = ["neigh_create", ');
  const bpftrace = `
[[event]]
name = "neigh_update"
kind = "neigh_update"
when = { dev = "d0" }
fields = { netns = { value = 1 }, ifindex = { value = 2 }, family = "family", ip = "ip", nud = "nud_state", new_nud = "new_state" }
`;
  return parseMapping(changed + bpftrace, 'docs');
}

test.each([
  ['neigh.perf', 7, 4, 53_032_710_382_107],
  ['neigh.perf-fields', 7, 4, 53_032_710_382_000],
  ['neigh.latency', 23, 3, 53_039_190_334_000],
  ['neigh.bpftrace', 6, 3, 53_036_841_352_107],
])('%s tells of a neighbour from its birth to its end', async (name, lines, updates, first) => {
  const path = join(folder, 'out.parquet');
  const { counts, problems } = await importTrace(join(traces, `${name}.txt`), path, {
    mapping: neighbourMapping(),
  });
  expect(problems.filter(({ reason }) => reason !== 'no rule fits the marker')).toEqual([]);
  expect(counts).toMatchObject({ lines, events: updates });
  const seen: string[] = [];
  const view = new EventView();
  for (const { lanes, slots } of (await openRecording(path)).batches())
    for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
      view.move(lanes, at);
      if (seen.length === 0) expect(view.ts).toBe(first);
      seen.push(`${view.text('ip')} ${view.u32('nud')} ${view.u32('new_nud')}`);
    }
  const ip = seen[0]?.split(' ')[0];
  expect(ip).toMatch(/^10\.9\.0\.[25]$/);
  expect(seen.filter((text) => text.startsWith(`${ip} `))).toEqual([
    `${ip} 0 2`,
    `${ip} 2 128`,
    `${ip} 128 32`,
  ]);
});

test.each(['neigh.trace-cmd', 'neigh.trace-cmd-latency'])(
  '%s: events that the mapping names are taken, the others are counted and shown',
  async (name) => {
    const path = join(folder, 'out.parquet');
    const result = await importTrace(join(traces, `${name}.txt`), path, { mapping: neighbourMapping() });
    expect(result).toMatchObject({
      complete: false,
      counts: { lines: 6, headers: 1, events: 2, ignored: 1, unused: 2 },
      problems: [{ reason: 'no rule names the event neigh_update_done', lines: 2 }],
    });
    const seen: string[] = [];
    const view = new EventView();
    for (const { lanes, slots } of (await openRecording(path)).batches())
      for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
        view.move(lanes, at);
        seen.push(`CPU ${view.cpu} ${view.ts} ${view.text('ip')} ${view.u32('nud')} ${view.u32('new_nud')}`);
      }
    expect(seen).toEqual(['CPU 1 9171749000 10.9.9.2 128 128', 'CPU 2 9327422000 10.9.9.2 128 32']);
  },
);

test('perf script without the CPU says what to print', async () => {
  const refused = importTrace(join(traces, 'neigh.perf-nocpu.txt'), join(folder, 'no.parquet'));
  await expect(refused).rejects.toThrow(/it names no CPU \(perf script -F .*\(7 of 7 lines/);
});
