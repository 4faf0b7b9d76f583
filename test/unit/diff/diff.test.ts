// flightring diff: what differs is told by how much it does so for sure, and chance is not told.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDiff } from '../../../src/cli/diff-run.ts';
import { compareProfiles } from '../../../src/diff/compare.ts';
import { diffRecordings } from '../../../src/diff/diff.ts';
import { Histogram } from '../../../src/diff/histogram.ts';
import { diffText } from '../../../src/diff/text.ts';
import type { Profile } from '../../../src/diff/profile.ts';
import type { ProbeCoverage, RecordingMeta } from '../../../src/model/recording.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { writeLargeRecording } from '../../large-recording.ts';
import type { EventSpec } from '../batch.ts';
import { Paper } from '../cli/recordings.ts';
import { OUTER_1, SOCKET_OUTER_1, Story } from '../invariants/setup.ts';
import { storyObjects, writeStory, XSK_STORIES } from '../shrink/stories.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-diff-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, events: readonly EventSpec[], changes: Partial<RecordingMeta> = {}): string {
  const path = join(folder, `${name}.parquet`);
  writeStory(path, events, storyObjects(), changes);
  return path;
}

/** Frames go round; from FILL to RX it takes `ns`, give or take a little. */
function rounds(count: number, ns: number): Story {
  const story = new Story();
  for (let i = 0; i < count; i++) {
    const addr = (i % 100) * 4096;
    story
      .fill(OUTER_1, i, addr)
      .after(ns + (i % 7) * 10)
      .take(OUTER_1, i, addr);
    story.write(SOCKET_OUTER_1, i, addr).publish(SOCKET_OUTER_1, i, addr);
  }
  return story;
}

describe('diff', () => {
  it('finds no difference between a recording and itself, nor between windows of different length', async () => {
    const short = write('short', rounds(500, 5000).events);
    const long = write('long', rounds(5000, 5000).events);
    expect(await diffRecordings(short, short)).toMatchObject({ differ: false, differences: [], minor: [] });
    expect(await diffRecordings(short, long)).toMatchObject({ differ: false, differences: [] });
  });

  it('tells latencies and rates, most different first', async () => {
    const fast = write('fast', rounds(2000, 5000).events);
    const slow = write('slow', rounds(2000, 80_000).events);
    const { differences, differ } = await diffRecordings(fast, slow);
    expect(differ).toBe(true);
    expect(differences[0]).toMatchObject({
      measure: 'p50',
      subject: 'xsk_fill_submit → xsk_fill_take',
      counts: [2000, 2000],
    });
    expect((differences[0]?.b ?? 0) / (differences[0]?.a ?? 1)).toBeGreaterThan(14);
    expect(differences.map(({ atLeast }) => atLeast)).toEqual(
      differences.map(({ atLeast }) => atLeast).toSorted((a, b) => b - a),
    );
    expect(differences.some(({ measure, subject }) => measure === 'rate' && subject === 'xsk_rx_write')).toBe(
      true,
    );
  });

  it('tells moves that have changed', async () => {
    const before = write('before', rounds(400, 5000).events);
    const story = rounds(400, 5000);
    const changed = write(
      'changed',
      story.events.filter(({ kind }, i) => kind !== 'xsk_rx_write' || i % 8 === 0),
    );
    const { differences } = await diffRecordings(before, changed);
    const shares = differences
      .filter(({ measure }) => measure === 'share')
      .map(({ subject, a, b }) => [subject, a, b]);
    expect(shares).toContainEqual(['xsk_fill_take → xsk_rx_publish', 0, expect.closeTo(1, 1)]);
  });

  it('does not tell of what a few events may show by chance', async () => {
    const healthy = rounds(500, 5000);
    const a = write('few-a', healthy.events);
    const b = write('few-b', [...healthy.events, ...rounds(500, 5000).drop(OUTER_1, 1).events.slice(-1)]);
    const { differences, minor } = await diffRecordings(a, b);
    expect(differences).toEqual([]);
    expect(minor.find(({ subject }) => subject === 'xsk_drop')).toMatchObject({
      a: 0,
      counts: [0, 1],
      atLeast: 1,
    });
  });

  it('takes the rate of a path over the time in which its events are all there', async () => {
    const story = rounds(1000, 5000).events;
    const half = (story.length / 2) | 0;
    const lost = story.slice(0, half);
    const until = (story.at(-1) as EventSpec).ts;
    // The second half is missing, and the gap says so; one event of another path shows how long it took.
    const gap = {
      kind: 'gap',
      ts: (lost.at(-1) as EventSpec).ts + 1,
      lost: half,
      reason: 1,
      until,
      share: 'xsk',
    };
    const mark = { kind: 'mark_set', ts: until, value: 1, text: 'end' };
    const { differences, b } = await diffRecordings(
      write('whole', story),
      write('half', [...lost, gap, mark]),
    );
    expect(differences.filter(({ measure }) => measure === 'rate')).toEqual([]);
    expect(b.lost).toBe(half);
  });

  it('compares no figures where one holds no event, and says that they differ', async () => {
    const full = write('full', rounds(500, 5000).events);
    const empty = write('empty', []);
    const diff = await diffRecordings(empty, full);
    expect(diff).toMatchObject({ differ: true, differences: [], minor: [] });
    expect(await diffRecordings(empty, empty)).toMatchObject({ differ: false });
    const text = diffText(diff, { palette: createPalette(false), limit: 30, all: true });
    expect(text.at(-1)).toBe('A holds no event, the other one 2000: no figure can be compared.');
  });

  it('takes no rate from a moment without length', async () => {
    const [first] = rounds(1, 5000).events;
    const once = write('once', [first as EventSpec]);
    const often = write('often', rounds(500, 5000).events);
    const { differences, minor } = await diffRecordings(once, often);
    expect([...differences, ...minor].filter(({ measure }) => measure === 'rate')).toEqual([]);
  });

  it('leaves out the figures of a path that only one was recorded with', async () => {
    const attached = (path: string): ProbeCoverage => ({
      probe: `${path}_probe`,
      path,
      target: 'function',
      method: 'fentry',
      status: 'attached',
      reason: null,
    });
    const marks = Array.from({ length: 400 }, (_, i) => ({
      kind: 'mark_set',
      ts: 1_000_000_000_000 + i * 1000,
      value: i,
      text: 'x',
    }));
    const events = rounds(100, 5000).events;
    const a = write('one-path', events, { coverage: [attached('xsk')] });
    const both = [...events, ...marks].sort((x, y) => x.ts - y.ts);
    const b = write('two-paths', both, { coverage: [attached('xsk'), attached('mark')] });
    const diff = await diffRecordings(a, b);
    expect(diff.paths).toEqual([{ path: 'mark', recordedIn: 'b' }]);
    expect([...diff.differences, ...diff.minor].filter(({ path }) => path === 'mark')).toEqual([]);
    expect(diff.differ).toBe(true);
    const text = diffText(diff, { palette: createPalette(false), limit: 30, all: false }).join('\n');
    expect(text).toContain('\npaths\n  mark: recorded in B, not in A; its figures are left out\n');
    expect(text).not.toContain('mark_probe');
  });

  it('tells of verdicts and probes', async () => {
    const probe: ProbeCoverage = {
      probe: 'xsk_drop',
      path: 'xsk',
      target: 'xsk_rcv',
      method: 'fentry',
      status: 'attached',
      reason: null,
    };
    const missing: ProbeCoverage = { ...probe, method: null, status: 'missing', reason: 'no such function' };
    const story = XSK_STORIES['xsk.ownership']?.().events ?? [];
    const a = write('healthy', story.slice(0, -2), { coverage: [probe] });
    const b = write('broken', story, { coverage: [missing] });
    const { verdicts, coverage, differ } = await diffRecordings(a, b);
    expect(verdicts.find(({ invariant }) => invariant === 'xsk.ownership')).toMatchObject({
      a: { verdict: 'holds', fired: 0 },
      b: { verdict: 'violated', fired: 1 },
    });
    expect(coverage).toEqual([
      { probe: 'xsk_drop', path: 'xsk', a: 'attached', b: 'missing: no such function' },
    ]);
    expect(differ).toBe(true);
  });
});

describe('the command', () => {
  async function run(a: string, b: string, flags = {}) {
    const [out, err] = [new Paper(), new Paper()];
    const streams = [out, err] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
    const code = await runDiff(a, b, { threshold: '1.5', limit: '30', color: true, ...flags }, ...streams);
    return { code, out: out.text };
  }

  it('prints both sides and the figures, and exits like diff', async () => {
    const fast = write('a', rounds(2000, 5000).events);
    const slow = write('b', rounds(2000, 80_000).events);
    const { code, out } = await run(fast, slow);
    expect(code).toBe(1);
    expect(out).toMatch(/^A {2}.*a\.parquet {2}8000 events {2}in .*nothing lost\nB {2}/);
    expect(out).toMatch(
      /^ +×1[0-9]\.\d {2}p50 +4\.98µs +79\.6µs +1\d\.\d × A {2}xsk_fill_submit → xsk_fill_take$/m,
    );
    expect(out).not.toContain('\x1b');
    expect(await run(fast, fast)).toMatchObject({
      code: 0,
      out: expect.stringContaining('No difference: every figure and every verdict is the same.'),
    });
    expect((await run(fast, slow, { limit: '1' })).out).toMatch(/… and \d+ more \(--limit\)/);
    expect(JSON.parse((await run(fast, slow, { json: true })).out)).toMatchObject({
      differ: true,
      verdicts: [],
    });
  });

  it('takes no more memory for more events', async () => {
    const [a, b] = [join(folder, 'large-a.parquet'), join(folder, 'large-b.parquet')];
    writeLargeRecording(a, 500_000);
    writeLargeRecording(b, 500_000, { faultAt: null });
    const words = ['--max-old-space-size=48', '--import', 'tsx', 'src/cli/main.ts', 'diff', a, b];
    const failed = promisify(execFile)(process.execPath, words);
    await expect(failed).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('xsk.ownership') });
  });

  it('keeps to the point where one was checked for more, and where a name has no end', async () => {
    const events = rounds(500, 5000).events;
    const invariants = [{ name: 'xsk.ownership', version: 1 }];
    const kernel = { release: 'x'.repeat(10_000), machine: 'x86_64', cpus: 2 };
    const a = write('checked-for-one', events, { invariants, kernel });
    const b = write('checked-for-all', events);
    const { code, out } = await run(a, b);
    expect(code).toBe(0);
    expect(out).not.toContain('not checked');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(300);
  });

  it('refuses a threshold that is none', async () => {
    const path = write('c', rounds(5, 5000).events);
    await expect(run(path, path, { threshold: '0.5' })).rejects.toMatchObject({ code: 'BAD_THRESHOLD' });
    await expect(run(path, path, { limit: '-1' })).rejects.toMatchObject({ code: 'BAD_NUMBER' });
  });
});

describe('bounds', () => {
  function profile(count: number, seconds: number): Profile {
    const observedNs = new Map([['xsk', seconds * 1e9]]);
    return {
      events: count,
      spanNs: seconds * 1e9,
      kinds: new Map([['xsk_drop', count]]),
      observedNs,
      moves: new Map(),
      lost: 0,
      forgotten: 0,
    };
  }

  it.each([
    [10, 0, 1, 1],
    [0, 100, 8, 8.5],
    [100, 120, 1, 1],
    [10_000, 20_000, 1.85, 2],
  ])('of %i and %i events in a second differ at least %d times', (a, b, least, most) => {
    const [difference] = compareProfiles(profile(a, 1), profile(b, 1));
    expect(difference?.atLeast).toBeGreaterThanOrEqual(least);
    expect(difference?.atLeast).toBeLessThanOrEqual(most);
  });

  it('of quantiles: within a class of the true value, and unknown where values are few', () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.add(i);
    const { value, lower, upper } = histogram.quantile(0.5);
    expect(value / 5000).toBeCloseTo(1, 1);
    expect(lower).toBeLessThanOrEqual(value);
    expect(upper).toBeGreaterThanOrEqual(value);
    expect(histogram.quantile(0.99).upper).not.toBeNull();
    const few = new Histogram();
    for (let i = 1; i <= 50; i++) few.add(i);
    expect(few.quantile(0.99).upper).toBeNull();
    expect(new Histogram().quantile(0.5).value).toBe(0);
  });
});
