// A fault that newer kernels have no more is expected of older ones only; and what older ones can't do is not asked of them.

import { expect, test } from 'vitest';
import { runsOn, type Scenario, scenarioOn } from '../../../src/lab/scenario.ts';

const scenario: Scenario = {
  name: 'skip',
  about: 'skips',
  paths: ['sockiter'],
  workload: 'program',
  words: ['program'],
  expects: ['sockiter.skipped'],
  expectsBelow: '6.16',
};

test.each([
  ['6.1.0-56-amd64', 1],
  ['6.12.96+deb13-amd64', 1],
  ['5.10.0-46-amd64', 1],
  ['6.15', 1],
  ['6.16.1-amd64', 0],
  ['6.18.44', 0],
  ['7.2.13+deb14-amd64', 0],
])('on %s it expects %i', (release, expected) => {
  expect(scenarioOn(scenario, release).expects).toHaveLength(expected);
});

test('without a limit the fault is expected everywhere', () => {
  const { expectsBelow: _, ...always } = scenario;
  expect(scenarioOn(always, '7.2.13')).toBe(always);
});

test.each([
  ['6.1.0-56-amd64', false],
  ['6.12.113+deb13-amd64', false],
  ['6.13.2', true],
  ['7.2.13+deb14-amd64', true],
])('what has been there since 6.13 runs on %s: %s', (release, expected) => {
  expect(runsOn({ ...scenario, since: '6.13' }, release)).toBe(expected);
});

test('what is not said to be new runs everywhere', () => {
  expect(runsOn(scenario, '5.12.0')).toBe(true);
});
