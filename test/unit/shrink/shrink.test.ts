// flightring shrink: every invariant's violation, cut down to what it needs and not an event more.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checker } from '../../../src/check/checker.ts';
import { isPositioned } from '../../../src/decode/once.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import type { Batch } from '../../../src/model/slot.ts';
import { FLAG, HEAD, SLOT_LANES } from '../../../src/model/slot.ts';
import type { Violation } from '../../../src/model/violation.ts';
import { checkRecording } from '../../../src/pipeline.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { fixtureText } from '../../../src/shrink/fixture.ts';
import { viewsOf } from '../../../src/shrink/result.ts';
import { isSameViolation } from '../../../src/shrink/same.ts';
import { type Shrunk, shrinkRecording, writeShrunk } from '../../../src/shrink/shrink.ts';
import { OUTER_0, SOCKET_INNER_0 } from '../invariants/setup.ts';
import { META } from '../report/story.ts';
import { healthyTraffic, mixedPaths, publishRace, storyObjects, writeStory, XSK_STORIES } from './stories.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-shrink-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function only(name: string) {
  return INVARIANTS.filter((invariant) => invariant.name === name);
}

/** The batch without one of its records, which leaves no hole in its ring. */
function without(batch: Batch, at: number, slots: number): Batch {
  const lanes = batch.lanes.slice();
  for (const event of viewsOf({ lanes, slots: batch.slots })) {
    if (!isPositioned(event.kindNumber)) continue;
    const flags = event.at + HEAD.kindFlags;
    lanes[flags] = ((lanes[flags] as number) | (FLAG.cut << 16)) >>> 0;
  }
  const end = at + slots * SLOT_LANES;
  const rest = new Uint32Array(lanes.length - (end - at));
  rest.set(lanes.subarray(0, at));
  rest.set(lanes.subarray(end), at);
  return { lanes: rest, slots: rest.length / SLOT_LANES };
}

function checkBatch({ invariant, meta }: Shrunk, { lanes, slots }: Batch): readonly Violation[] {
  const checker = new Checker([invariant], createObjectTable(meta.objects));
  // Checking marks what it has seen.
  checker.check({ lanes: lanes.slice(), slots });
  return checker.violations;
}

/** Shrinks, writes, and reads again: it is the same violation, and takes every one of its events. */
async function expectMinimal(path: string, name: string, violation?: number): Promise<Shrunk> {
  const invariants = only(name);
  const shrunk = await shrinkRecording(path, { invariants, ...(violation ? { violation } : {}) });
  const { original, batch } = shrunk;
  expect(isSameViolation(original, shrunk.violation)).toBe(true);
  const small = join(folder, 'small.parquet');
  writeShrunk(shrunk, small);
  const { summary, comparison, recording } = await checkRecording(small);
  expect(summary.violations.find((found) => isSameViolation(original, found))).toEqual(shrunk.violation);
  expect(comparison).toMatchObject({ missing: [], added: [], changed: [] });
  expect(recording.rows).toBe(shrunk.events);
  let removed = 0;
  for (const event of viewsOf(batch)) {
    removed++;
    const found = checkBatch(shrunk, without(batch, event.at, event.slots));
    expect(found.some((other) => isSameViolation(original, other))).toBe(false);
  }
  expect(removed).toBe(shrunk.events);
  return shrunk;
}

describe('every violation of AF_XDP', () => {
  it.each(Object.keys(XSK_STORIES))('%s', async (name) => {
    const path = join(folder, `${name}.parquet`);
    writeStory(path, XSK_STORIES[name]?.().events ?? []);
    const { events, meta } = await expectMinimal(path, name);
    expect(events).toBeLessThanOrEqual(4);
    expect(meta.shrunk).toMatchObject({ from: `${name}.parquet` });
    expect(meta.objects.length).toBeLessThan(7);
  });

  it.each([
    ['double-fill', 'xsk.ownership'],
    ['double-fill', 'xsk.double-enqueue'],
    ['poison', 'xsk.descriptor-bounds'],
    ['bind-collision', 'xsk.bind-identity'],
  ])('recordings/%s, %s', async (file, name) => {
    expect((await expectMinimal(join('recordings', `${file}.parquet`), name)).events).toBeLessThanOrEqual(2);
  });
});

describe('every violation of the other paths, among each other', () => {
  const names = INVARIANTS.map(({ name }) => name).filter((name) => !name.startsWith('xsk.'));
  let path: string;
  beforeAll(() => {
    path = join(folder, 'mixed.parquet');
    writeStory(path, mixedPaths(), []);
  });

  it.each(names)('%s', async (name) => {
    const { summary } = await checkRecording(path, { invariants: only(name) });
    expect(summary.violations.length).toBeGreaterThan(0);
    for (const number of summary.violations.keys()) {
      const { events } = await expectMinimal(path, name, number + 1);
      expect(events).toBeLessThanOrEqual(8);
    }
  });
});

describe('what a shrunk recording keeps', () => {
  it('is no hole where entries of a ring were left out, and one where the probes saw none', async () => {
    const path = join(folder, 'ring.parquet');
    // Between the two entries of the frame lie others that are left out.
    const story = healthyTraffic(3).fill(OUTER_0, 7, 0xf0000);
    for (let i = 8; i < 40; i++) story.fill(OUTER_0, i, i * 4096);
    writeStory(path, story.fill(OUTER_0, 40, 0xf0000).events);
    const { batch } = await expectMinimal(path, 'xsk.double-enqueue');
    const flags = Array.from(viewsOf(batch), (event) => event.flags & FLAG.cut);
    expect(flags).toEqual([0, FLAG.cut]);
  });

  it('has a gap if the violation needs one', async () => {
    const path = join(folder, 'gap.parquet');
    const invariant = {
      name: 'mine.after-a-gap',
      claim: 'nothing is sent after events were lost',
      object: 'socket',
      source: 'a test',
      needs: ['xsk_tx_submit', 'xsk_fill_submit'],
      start: ({ violate }: { violate(finding: object): void }) => {
        let lost = false;
        return {
          step: (event: { kind: string }) => {
            if (lost && event.kind === 'xsk_tx_submit') violate({ object: 'socket 6', sentence: 'it was' });
          },
          gap: () => {
            lost = true;
          },
        };
      },
    };
    writeStory(path, healthyTraffic(4).gap(9).send(SOCKET_INNER_0, 1, 0xf0000).events);
    const shrunk = await shrinkRecording(path, { invariants: [invariant as never] });
    const kinds = Array.from(viewsOf(shrunk.batch), ({ kind }) => kind);
    // Of what nothing is known nothing can be lost: something must have been there.
    expect(kinds).toEqual(['xsk_fill_submit', 'gap', 'xsk_tx_submit']);
    const hole = healthyTraffic(4).send(SOCKET_INNER_0, 1, 0xf0000).send(SOCKET_INNER_0, 5, 0xf1000);
    writeStory(path, hole.events);
    const holed = await shrinkRecording(path, { invariants: [invariant as never] });
    expect(Array.from(viewsOf(holed.batch), ({ kind, flags }) => [kind, flags & FLAG.cut])).toEqual([
      ['xsk_tx_submit', 0],
      ['xsk_tx_submit', 0],
    ]);
  });

  it('tells as check does what only depends on the order of a coarser clock', async () => {
    const path = join(folder, 'coarse.parquet');
    const clocks = { ...META.clocks, errorNs: 10_000 };
    writeStory(path, XSK_STORIES['xsk.napi-overlap']?.().events ?? [], storyObjects(), { clocks });
    const { summary } = await checkRecording(path, { invariants: only('xsk.napi-overlap') });
    expect(summary.violations[0]?.orderDependent).toBe(true);
    const shrunk = await expectMinimal(path, 'xsk.napi-overlap');
    expect(shrunk.original).toEqual(summary.violations[0]);
    expect(fixtureText(shrunk)).toContain('createObjectTable(OBJECTS), 10000)');
  });

  it('says that it is shrunk, and can be shrunk again to itself', async () => {
    const path = join(folder, 'once.parquet');
    const again = join(folder, 'again.parquet');
    writeStory(path, publishRace().events);
    const first = await shrinkRecording(path, { invariants: only('xsk.publish-race') });
    writeShrunk(first, again);
    const { meta } = await openRecording(again);
    expect(meta.shrunk).toEqual(first.meta.shrunk);
    expect(meta.notes.at(-1)).toMatch(
      /^Shrunk from once\.parquet to what xsk\.publish-race needs: \d+ events and 4 objects were left out\.$/,
    );
    const second = await shrinkRecording(again);
    expect(second.batch).toEqual(first.batch);
  });

  it('refuses what is not there', async () => {
    const path = join(folder, 'healthy.parquet');
    writeStory(path, healthyTraffic(4).events);
    await expect(shrinkRecording(path)).rejects.toMatchObject({ code: 'NO_VIOLATION' });
    await expect(shrinkRecording('recordings/poison.parquet', { violation: 99 })).rejects.toMatchObject({
      code: 'NO_SUCH_VIOLATION',
    });
  });
});
