// Delta debugging: whatever the test, the result passes it, is 1-minimal, and keeps the order.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minimise } from '../../src/shrink/minimise.ts';

type Test = (part: readonly number[]) => boolean;

const lists = fc.uniqueArray(fc.nat(1000), { maxLength: 60 });

/** A part passes whenever it has one of several sets of items: what is added never makes it fail. */
function monotone(sets: readonly (readonly number[])[], items: readonly number[]): Test {
  const wanted = sets.map((set) => new Set(set.map((at) => items[at % Math.max(items.length, 1)])));
  return (part) => wanted.some((set) => [...set].every((item) => item === undefined || part.includes(item)));
}

/** Any function of the items and their order, which is no reason for one that adds or leaves out an item. */
function arbitrary(seed: number): Test {
  return (part) => {
    let hash = seed >>> 0;
    for (const item of part) hash = (Math.imul(hash ^ item, 0x9e37_79b1) + 0x7f4a_7c15) >>> 0;
    return (hash >>> 7) % 3 === 0;
  };
}

function expectMinimal(items: readonly number[], passes: Test): void {
  const least = minimise(items, passes);
  expect(passes(least)).toBe(true);
  expect(items.filter((item) => least.includes(item))).toEqual(least);
  for (const left of least.keys()) expect(passes(least.toSpliced(left, 1))).toBe(false);
}

test('of any monotone test', () => {
  fc.assert(
    fc.property(
      lists,
      fc.array(fc.array(fc.nat(100), { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
      (items, sets) => expectMinimal(items, monotone(sets, items)),
    ),
    { numRuns: 500 },
  );
});

test('of any other test', () => {
  fc.assert(
    fc.property(lists, fc.nat(), (items, seed) => {
      const passes = arbitrary(seed);
      // What is to be shrunk passes to begin with.
      expectMinimal(items, (part) => part.length === items.length || passes(part));
    }),
    { numRuns: 1000 },
  );
});

test('a monotone test with one set of wanted items is answered with that set, in few trials', () => {
  const items = Array.from({ length: 100_000 }, (_, item) => item);
  const wanted = [5, 6, 31_000, 77_777, 99_999];
  let trials = 0;
  const least = minimise(items, (part) => {
    trials++;
    const set = new Set(part);
    return wanted.every((item) => set.has(item));
  });
  expect(least).toEqual(wanted);
  expect(trials).toBeLessThan(400);
});
