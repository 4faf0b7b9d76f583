// What flightring lab run prints of scenarios and of what came of them.

import { expect, test } from 'vitest';
import { outcomeJson, outcomeText, scenarioList } from '../../../src/cli/lab-story-text.ts';
import { SCENARIOS } from '../../../src/generated/scenarios.ts';
import type { Scenario } from '../../../src/lab/scenario.ts';
import { createPalette } from '../../../src/report/palette.ts';

const PLAIN = createPalette(false);
const scenarioOf = (name: string) => SCENARIOS.find((one) => one.name === name) as Scenario;
const FAULTY = scenarioOf('thread-leak');
const HEALTHY = scenarioOf('thread-leak-healthy');
const REF = { cpu: 0, seq: 7, ts: 1_000_000, kind: 'netns_request' };
const VIOLATION = {
  invariant: 'netns.leaked-thread',
  severity: 'violation',
  orderDependent: false,
  object: 'thread 3 of process 1',
  sentence: 'thread 3 asked in the wrong place',
  at: REF,
  evidence: [REF],
} as const;

test('every scenario is listed once with its sentence, stories first', () => {
  const list = scenarioList(SCENARIOS, PLAIN);
  for (const { name, about } of SCENARIOS)
    expect(list.filter((line) => line.includes(`  ${name} `) && line.includes(about))).toHaveLength(1);
  expect(list.indexOf('  thread-leak')).toBeLessThan(list.indexOf('Other scenarios, by path:'));
});

test('a fault that was caught: sentence, recording, and where to look further', () => {
  const text = outcomeText(
    {
      scenario: FAULTY,
      fired: ['netns.leaked-thread'],
      asExpected: true,
      violation: VIOLATION,
      recording: 'flightring-lab/thread-leak.parquet',
      reproduced: true,
    },
    PLAIN,
  ).join('\n');
  expect(text).toContain('✗ netns.leaked-thread is violated');
  expect(text).toContain('thread 3 asked in the wrong place.');
  expect(text).toContain(
    '✓ as expected: netns.leaked-thread; checked again on this machine: the same verdict',
  );
  expect(text).toContain('flightring check flightring-lab/thread-leak.parquet');
});

test('health is silence, and a word in it is not as expected', () => {
  const quiet = { scenario: HEALTHY, fired: [], asExpected: true, events: 130 };
  expect(outcomeText(quiet, PLAIN).at(-1)).toBe('  ✓ healthy: 130 events, and no invariant said a word');
  const loud = { ...quiet, fired: ['netns.leaked-thread'], asExpected: false };
  expect(outcomeText(loud, PLAIN).join('\n')).toContain(
    '✗ not as expected: netns.leaked-thread fired, not silence',
  );
  const silent = { ...quiet, scenario: FAULTY, asExpected: false };
  expect(outcomeText(silent, PLAIN).join('\n')).toContain('nothing fired, not netns.leaked-thread');
});

test('a scenario that did not end says why, and --json says the same', () => {
  const outcome = { scenario: FAULTY, fired: [], asExpected: false, error: 'the lab did not boot' };
  expect(outcomeText(outcome, PLAIN).join('\n')).toContain('✗ not run to its end: the lab did not boot');
  expect(JSON.parse(outcomeJson(outcome))).toMatchObject({
    name: 'thread-leak',
    story: 'thread-leak',
    asExpected: false,
    violation: null,
    error: 'the lab did not boot',
  });
});
