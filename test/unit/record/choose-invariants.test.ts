// Which invariants run for which paths: those that get all the events they need, and the others are named.

import { expect, test } from 'vitest';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { PROBE_PATHS } from '../../../src/generated/probes.ts';
import { invariantsLeftOut, invariantsOfPaths } from '../../../src/record/choose-invariants.ts';

test('all paths take every invariant, and none leaves one out', () => {
  const all = PROBE_PATHS.map(({ path }) => path);
  expect(invariantsOfPaths(all)).toEqual(INVARIANTS.map(({ name }) => name));
  expect(invariantsLeftOut(all)).toEqual([]);
  expect(invariantsOfPaths([])).toEqual([]);
});

test('a path takes the invariants that need no other', () => {
  const names = invariantsOfPaths(['neigh']);
  expect(names).toEqual(expect.arrayContaining(['neigh.conflict', 'neigh.not-reprogrammed']));
  expect(names.filter((name) => !name.startsWith('neigh.'))).toEqual([]);
});

test('an invariant of two paths is taken with both, and missed with one', () => {
  expect(invariantsOfPaths(['vxlan'])).not.toContain('fdb.orphaned-neighbour');
  expect(invariantsLeftOut(['vxlan'])).toContainEqual({ name: 'fdb.orphaned-neighbour', missing: ['neigh'] });
  expect(invariantsOfPaths(['neigh', 'vxlan'])).toContain('fdb.orphaned-neighbour');
});
