// Time on the picture: there and back again, and no event that matters without room.

import { expect, test } from 'vitest';
import { evenScale, roundSteps, storyScale } from '../../../src/page/client/scale.ts';

const TIMES = [0, 10_000, 10_500, 7_000_000, 28_000_000_000];

test('a story gives every event that matters at least a step, and never more than three', () => {
  const scale = storyScale(-1e9, 30e9, TIMES);
  for (const [i, ts] of TIMES.entries()) {
    const step = scale.toU(ts) - scale.toU(TIMES[i - 1] ?? -1e9);
    expect(step).toBeGreaterThanOrEqual(1);
    expect(step).toBeLessThanOrEqual(3);
  }
});

test.each([
  ['story', storyScale(-1e9, 30e9, TIMES)],
  ['time', evenScale(-1e9, 30e9)],
])('%s: what is left of something stays left of it, and places lead back to times', (_name, scale) => {
  let before = Number.NEGATIVE_INFINITY;
  for (let ts = -1e9; ts <= 30e9; ts += 333_333_333) {
    const u = scale.toU(ts);
    expect(u).toBeGreaterThan(before);
    expect(scale.toTs(u)).toBeCloseTo(ts, 1);
    before = u;
  }
});

test('events at the same time, or beyond the recording, bend nothing', () => {
  const scale = storyScale(0, 100, [50, 50, 500, -3]);
  expect(scale.knots).toEqual([0, 50, 100]);
  expect(scale.toU(1e9)).toBe(scale.to);
  expect(storyScale(0, 0, []).toU(0)).toBe(0);
});

test('steps are round', () => {
  expect(roundSteps(-7, 23, 6)).toEqual([-5, 0, 5, 10, 15, 20]);
  expect(roundSteps(0, 0.9, 3).length).toBeLessThan(10);
});
