// Figures of programs become costs of paths, reckoned up from what was sampled.

import { expect, test } from 'vitest';
import { costsOfPaths, costsOfProbes } from '../../../src/record/costs.ts';
import { costLines } from '../../../src/report/costs.ts';

const PROGRAMS = [
  'neigh_update__raw_tp',
  'neigh_update_done__raw_tp',
  'task_switch__raw_tp',
  'xsk_bind__fexit',
  'other__x',
];
// Runs, ns, recursion misses.
const FIGURES = [10n, 5000n, 0n, 10n, 3000n, 2n, 400n, 20_000n, 0n, 0n, 0n, 0n, 9n, 9n, 9n];

test('programs are summed by path and scaled, the dearest first; what never ran is left out', () => {
  const probes = costsOfProbes(PROGRAMS, FIGURES, { wallNs: 10e9, sampledNs: 1e9 });
  expect(probes.map(({ probe }) => probe)).toEqual([
    'task_switch',
    'neigh_update',
    'neigh_update_done',
    'other',
  ]);
  expect(probes[0]).toEqual({ probe: 'task_switch', runs: 4000, ns: 200_000 });
  expect(costsOfPaths(probes)).toEqual([
    { path: 'task', runs: 4000, ns: 200_000 },
    { path: 'neigh', runs: 200, ns: 80_000 },
  ]);
});

test('a window that reads a little longer than the whole scales nothing down', () => {
  const probes = costsOfProbes(PROGRAMS, FIGURES, { wallNs: 99, sampledNs: 100 });
  expect(costsOfPaths(probes)).toMatchObject([{ runs: 400 }, { runs: 20 }]);
});

test('nothing sampled, nothing told', () => {
  expect(costsOfProbes(PROGRAMS, FIGURES, { wallNs: 10e9, sampledNs: 0 })).toEqual([]);
});

test('in words, aligned, a line for each path', () => {
  const paths = [
    { path: 'xsk', runs: 12_345_678, ns: 1_234_567_800 },
    { path: 'neigh', runs: 63, ns: 68_040 },
  ];
  expect(costLines({ wallNs: 10e9, sampledNs: 1.02e9, paths, processNs: 2.5e8 })).toEqual([
    'cost in CPU time of one CPU (programs sampled over 1.0 s of 10.0 s):',
    '  xsk          12.3 %  12 345 678 runs  100ns each',
    '  neigh     < 0.001 %          63 runs  1.08µs each',
    '  recorder    2.500 %  its own process',
  ]);
});

test('without the capability only the process is told', () => {
  expect(costLines({ wallNs: 2e9, sampledNs: 0, paths: [], processNs: 1e7 })).toEqual([
    "cost in CPU time of one CPU (2.0 s; the kernel's figures of programs need CAP_SYS_ADMIN):",
    '  recorder  0.500 %  its own process',
  ]);
});
