// The data of a page: what is embedded of a recording, where its objects were, and what is said of what is missing.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Checker } from '../../../src/check/checker.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { buildPage } from '../../../src/page/build.ts';
import { type PageLife, ROW } from '../../../src/page/model.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { writeLargeRecording } from '../../large-recording.ts';
import { buildBatch } from '../batch.ts';
import { labViolations } from '../shrink/stories.ts';
import { META, T0, VIOLATION } from '../report/story.ts';
import { HOSTILE, pageFolder, pageOf } from './pages.ts';

function stationsOf(life: PageLife | undefined): (string | undefined)[] {
  return (life?.points ?? []).map(([, station]) => life?.stations[station]);
}

test('a short recording is embedded whole, with all fields in words', async () => {
  using folder = pageFolder();
  const page = await pageOf(folder.story());
  expect(page.embedded).toMatchObject({ events: 10, of: 10, leftOut: [] });
  const row = page.rows[3] ?? [];
  const kind = page.kinds[row[ROW.kind] ?? -1];
  expect(kind).toMatchObject({ name: 'xsk_rx_write', path: 'xsk' });
  const fields = (kind?.fields ?? []).map((name, i) => `${name}=${page.strings[row[ROW.fields + i] ?? -1]}`);
  expect(fields).toEqual([
    'object=socket:2 (outer q1 netns 8193)',
    'position=40',
    'addr=0x16ce100',
    'len=60',
  ]);
  expect(page.base + (row[ROW.ts] ?? 0)).toBe(T0 + 21_500);
});

test("a frame's life goes through its rings, and the violation and its evidence are rows", async () => {
  using folder = pageFolder();
  const page = await pageOf(folder.story());
  const [violation] = page.violations;
  expect(stationsOf(page.lives[violation?.lives[0] ?? -1])).toEqual([
    'FILL ring',
    'kernel, receiving',
    'RX ring',
    undefined,
    'TX ring',
    'kernel, sending',
    'RX ring',
  ]);
  expect(violation?.evidence.map(({ row }) => page.rows[row]?.[ROW.ts])).toEqual([-1_780_000, 0]);
  expect(violation?.diagram?.illegal).toEqual({ from: 3, to: 2, label: 'xsk_rx_write', late: false });
});

test('the application takes a frame from RX when it releases the entry', async () => {
  using folder = pageFolder();
  const frame = 0x16ce000;
  const file = folder.write(
    'consumed',
    { violations: [{ ...VIOLATION, evidence: [], at: { cpu: 0, seq: 4, ts: 40, kind: 'xsk_tx_submit' } }] },
    [
      { kind: 'xsk_rx_write', ts: 10, object: 2, position: 7, addr: frame },
      { kind: 'xsk_rx_consume', ts: 20, object: 2, position: 7, count: 3 },
      { kind: 'xsk_rx_consume', ts: 30, object: 2, position: 8, count: 1 },
      { kind: 'xsk_tx_submit', ts: 40, object: 4, position: 1, addr: frame },
    ],
  );
  const { lives } = await pageOf(file);
  expect(stationsOf(lives[0])).toEqual(['RX ring', 'application', 'TX ring']);
  expect(lives[0]?.points.map(([row]) => row)).toEqual([0, 2, 3]);
});

test('evidence that speaks of another object is told, and moves this one nowhere', async () => {
  using folder = pageFolder();
  const at = { cpu: 0, seq: 5, ts: 50, kind: 'sockiter_end' };
  const file = folder.write(
    'iterator',
    {
      violations: [
        {
          ...VIOLATION,
          invariant: 'sockiter.skipped',
          object: 'UDP iterator 6 (netns 1), UDP socket of port 4791 (cookie 13, netns 1)',
          at,
          evidence: [{ cpu: 0, seq: 4, ts: 30, kind: 'sockiter_unhash' }, at],
        },
      ],
    },
    [
      { kind: 'sockiter_hash', ts: 10, cookie: 13 },
      { kind: 'sockiter_start', ts: 20, iterator: 6 },
      { kind: 'sockiter_unhash', ts: 30, cookie: 14 },
      { kind: 'sockiter_end', ts: 50, iterator: 6 },
    ],
  );
  const { lives, violations } = await pageOf(file);
  expect(stationsOf(lives[0])).toEqual(['present', 'owed', undefined, undefined]);
  const { states, illegal } = violations[0]?.diagram ?? {};
  expect(illegal?.label).toBe('sockiter_end');
  expect(states?.[illegal?.from ?? -1]).toBe('owed');
});

test('gaps are embedded with their words, not as events', async () => {
  using folder = pageFolder();
  const { gaps, base } = await pageOf(folder.story());
  expect(gaps).toEqual([
    {
      cpu: 1,
      from: T0 + 300_000 - base,
      to: T0 + 300_000 - base,
      text: expect.stringContaining('1234 events lost'),
    },
  ]);
});

test('of a large recording what matters is embedded, and the counts of the rest add up', {
  timeout: 120_000,
}, async () => {
  using folder = pageFolder();
  const file = `${folder.path}/large.parquet`;
  writeLargeRecording(file, 60_000);
  const told: number[] = [];
  const page = buildPage(await openRecording(file), (done, total) => told.push(done / total));
  const { events, of, kinds, rules } = page.embedded;
  expect(of).toBe(60_000);
  expect(events).toBeGreaterThan(800);
  expect(events).toBeLessThan(5000);
  expect(kinds.reduce((sum, { here }) => sum + here, 0)).toBe(events);
  expect(kinds.reduce((sum, { total }) => sum + total, 0)).toBe(of);
  expect(rules).toContain('every event behind a violation');
  for (const { evidence } of page.violations)
    for (const { row } of evidence) expect(row).toBeGreaterThanOrEqual(0);
  const counted = Object.values(page.density.cpus)
    .flat()
    .reduce((sum, count) => sum + count, 0);
  expect(counted).toBe(of);
  expect(told.every((share) => share >= 0 && share <= 1)).toBe(true);
});

test('without a violation the last events are embedded', async () => {
  using folder = pageFolder();
  const page = await pageOf(folder.write('quiet', { violations: [] }));
  expect(page.violations).toEqual([]);
  expect(page.embedded.events).toBe(10);
  expect(page.base).toBe(T0);
});

test.each([
  ['no event', [], 'The recording holds no event at all.'],
  [
    'only a gap',
    [{ kind: 'gap', ts: T0, cpu: 1, lost: 9, reason: 1 }],
    'The recording holds no event at all, only gaps: everything in its window was lost.',
  ],
])('a recording of %s says so', async (name, events, sentence) => {
  using folder = pageFolder();
  const page = await pageOf(folder.write(name.replaceAll(' ', '-'), { violations: [] }, events));
  expect(page.range).toBeNull();
  expect(page.facts.troubles).toEqual([sentence]);
});

test('a violation whose events are not in the recording is told all the same', async () => {
  using folder = pageFolder();
  const page = await pageOf(
    folder.write('elsewhere', {
      violations: [{ ...VIOLATION, at: { ...VIOLATION.at, seq: 99 } }],
      outOfWindow: [{ ...VIOLATION, at: { ...VIOLATION.at, seq: 99 } }],
    }),
  );
  expect(page.violations[0]).toMatchObject({ outOfWindow: true, at: { row: -1 } });
});

test('kinds that this version does not know are counted', async () => {
  using folder = pageFolder();
  const layouts = META.layouts.map((layout) =>
    layout.kind === 'xsk_wakeup' ? { ...layout, kind: 'xsk_future' } : layout,
  );
  const page = await pageOf(folder.write('newer', { layouts }));
  expect(page.facts.troubles.join()).toContain('kind xsk_future');
});

test('a damaged recording is shown up to the damage', { timeout: 60_000 }, async () => {
  using folder = pageFolder();
  const file = `${folder.path}/damaged.parquet`;
  writeLargeRecording(file, 300_000);
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes.fill(0xff, middle, middle + 64);
  writeFileSync(file, bytes);
  const page = await pageOf(file);
  expect(page.facts.troubles.join()).toContain('The recording is damaged');
  expect(page.embedded.of).toBeGreaterThan(0);
  expect(page.embedded.of).toBeLessThan(300_000);
});

test('control characters and marks that turn text around are made visible', async () => {
  using folder = pageFolder();
  const page = await pageOf(folder.hostile());
  const text = JSON.stringify(page);
  expect(text).not.toMatch(/\\u001b|[\u202e\u2028]/);
  expect(page.threads.map(({ comm }) => comm)).toContain('\u241b[31mred\u240a');
  expect(page.violations[0]?.sentence).toBe(
    HOSTILE.replace('\u2028', '\\u2028').replace('\u202e', '\\u202e'),
  );
});

test('what only shows that time ran out is not called the illegal move, and has no state to go to', async () => {
  using folder = pageFolder();
  for (const [name, late, state] of [
    ['vxlan.vni-leak', true, 'in a sandbox'],
    ['vxlan.create-delete-race', false, 'gone'],
    ['xfrm.self', false, 'local'],
  ] as const) {
    const events = labViolations().find(({ invariant }) => invariant === name)?.events ?? [];
    const checker = new Checker(INVARIANTS, createObjectTable([]));
    checker.check(buildBatch(events));
    const violations = checker.violations.filter(({ invariant }) => invariant === name);
    const page = await pageOf(folder.write(name, { violations, objects: [] }, events));
    const { states, illegal } = page.violations[0]?.diagram ?? {};
    expect(illegal).toMatchObject({ late });
    expect(states?.[illegal?.from ?? -1]).toBe(state);
    if (late) expect(illegal?.to).toBeNull();
  }
});

test('a gap is where it was, though there is no event', async () => {
  using folder = pageFolder();
  const gap = { kind: 'gap', ts: T0 - 5e9, cpu: 1, lost: 99, reason: 1, until: T0 - 4e9 };
  const { gaps, range } = await pageOf(folder.write('gap', { violations: [] }, [gap]));
  expect(range).toBeNull();
  expect(gaps).toMatchObject([{ cpu: 1, from: 0, to: 1e9 }]);
});

test('a neighbour is in the state, and has the MAC, that an update finds', async () => {
  using folder = pageFolder();
  const events = labViolations().find(({ invariant }) => invariant === 'neigh.conflict')?.events ?? [];
  const checker = new Checker(INVARIANTS, createObjectTable([]));
  checker.check(buildBatch(events));
  const page = await pageOf(
    folder.write('neighbour', { violations: checker.violations, objects: [] }, events),
  );
  const [life] = page.lives;
  expect(stationsOf(life)).toEqual([undefined, 'PERMANENT', 'PERMANENT']);
  expect(life?.points.map(([, , detail]) => page.strings[detail])).toEqual([
    undefined,
    '02:f1:00:00:01:01',
    '02:f1:00:00:01:02',
  ]);
});
