// Which scenarios share a recorder, and how they are divided among labs.

import { expect, test } from 'vitest';
import { SCENARIOS } from '../../../src/generated/scenarios.ts';
import { divide } from '../../../src/lab/scenarios-in-lab.ts';
import { shareRecorders } from '../../../src/lab/scenario.ts';

test('each scenario is in one session, and alone where it asks for a recorder of its own', () => {
  const sessions = shareRecorders(SCENARIOS);
  expect(
    sessions
      .flat()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(SCENARIOS.map(({ name }) => name).sort());
  for (const session of sessions)
    if (session.some((one) => one.alone ?? one.attach ?? one.snaplen ?? one.lastEvents))
      expect(session.map(({ name }) => name)).toHaveLength(1);
  expect(sessions.length).toBeLessThan(12);
});

test('what was there before recording began comes first', () => {
  for (const session of shareRecorders(SCENARIOS))
    expect(session.findLastIndex(({ before }) => before !== undefined)).toBeLessThanOrEqual(
      session.filter(({ before }) => before !== undefined).length - 1,
    );
});

test('labs get sessions whole', () => {
  const labs = divide(SCENARIOS, 2);
  expect(labs).toHaveLength(2);
  for (const session of shareRecorders(SCENARIOS))
    expect(labs.filter((lab) => session.some((scenario) => lab.includes(scenario)))).toHaveLength(1);
  expect(divide(SCENARIOS.slice(0, 1), 3)).toHaveLength(1);
  expect(divide([], 2)).toEqual([]);
});
