// However writers and drains interleave: one order of events, and every slot read or counted as lost.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SHARE_BASE } from '../../src/model/slot.ts';
import { type Delivered, Rings, type Step } from './rings.ts';

const CPUS = 3;
const cpu = fc.nat({ max: CPUS - 1 });
/** Nobody writes to the second one: its path isn't recorded. */
const share = fc.constantFrom(0, 2, 3);
const sharesOf = (slots: number) => [slots, 0, slots / 2, slots];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      cpu,
      share,
      slots: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('advance' as const), cpu, ticks: fc.nat({ max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'flip' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'drain' as const }) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 200, size: 'max' });
const burst: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('burst' as const),
  cpu,
  share,
  slots: fc.integer({ min: 1, max: 4 }),
  records: fc.integer({ min: 1, max: 50 }),
});
const floods = fc.array(fc.oneof({ weight: 9, arbitrary: step }, { weight: 2, arbitrary: burst }), {
  minLength: 1,
  maxLength: 150,
  size: 'max',
});

/** Runs a schedule, lets every writer end, and drains what is left. */
function play(slots: number, schedule: readonly Step[]) {
  const rings = new Rings(CPUS, sharesOf(slots));
  try {
    for (const one of schedule) rings.run(one);
    rings.finish();
    rings.drain();
    return { delivered: rings.delivered, written: rings.written, read: rings.read, lost: rings.lost };
  } finally {
    rings.close();
  }
}

/** Per share of a ring: what comes next follows what came before, or a gap says how much is missing. Returns the sum of the gaps. */
function checkContinuity(delivered: readonly Delivered[]): number {
  const ends = new Map<string, number>();
  let missing = 0;
  for (const [i, one] of delivered.entries()) {
    const ring = `${one.bank}:${one.share}:${one.cpu}`;
    const end = ends.get(ring) ?? 0;
    if (one.id === null) {
      expect(one.seq).toBe(end + one.lost);
      // It stands in front of whatever came after the loss: nothing delivered before it is younger.
      expect(delivered[i + 1]?.ts).toBeGreaterThanOrEqual(one.ts);
      expect(delivered.slice(0, i).every(({ ts }) => ts <= one.ts)).toBe(true);
      missing += one.lost;
      ends.set(ring, one.seq);
    } else {
      expect(one.seq).toBe(end + 1);
      ends.set(ring, end + one.slots);
    }
  }
  return missing;
}

test('any order of drains gives the sequence of one drain at the end', () => {
  fc.assert(
    fc.property(steps, (schedule) => {
      // A drain moves the clock, so both runs have the same times: the one drains where the other does not.
      const eager = play(1024, schedule);
      const late = play(
        1024,
        schedule.map((one) => (one.do === 'drain' ? ({ do: 'tick' } as const) : one)),
      );
      expect(eager.lost).toBe(0);
      expect(eager.read).toBe(eager.written);
      expect(late.delivered).toEqual(eager.delivered);
    }),
    { numRuns: 1000 },
  );
});

test('the sequence is ordered by time, then CPU, then share, and holds every record once', () => {
  fc.assert(
    fc.property(steps, (schedule) => {
      const { delivered } = play(1024, schedule);
      for (const [i, one] of delivered.entries()) {
        const before = delivered[i - 1];
        if (!before) continue;
        expect(before.ts < one.ts || (before.ts === one.ts && before.cpu <= one.cpu)).toBe(true);
        if (before.ts === one.ts && before.cpu === one.cpu && before.bank === one.bank)
          expect(before.share * SHARE_BASE + before.seq).toBeLessThan(one.share * SHARE_BASE + one.seq);
      }
      const begun = schedule.filter(({ do: what }) => what === 'begin').length;
      const ids = delivered.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBeLessThanOrEqual(begun);
      checkContinuity(delivered);
    }),
    { numRuns: 300 },
  );
});

test('overwritten or not: written = read + lost, and each gap stands in its place', () => {
  let overwritten = 0;
  fc.assert(
    fc.property(floods, fc.constantFrom(64, 128), (schedule, slots) => {
      const { delivered, written, read, lost } = play(slots, schedule);
      expect(read + lost).toBe(written);
      expect(delivered.reduce((sum, one) => sum + one.slots, 0)).toBe(read);
      const missing = checkContinuity(delivered);
      // What is lost at a ring's very end has no record behind it to stand in front of.
      expect(missing).toBeLessThanOrEqual(lost);
      if (missing > 0) overwritten++;
    }),
    { numRuns: 1000 },
  );
  expect(overwritten).toBeGreaterThan(100);
});
