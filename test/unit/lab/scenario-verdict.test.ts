// Which scenarios stand for all on a kernel, and what is wrong with the probes there.

import { expect, test } from 'vitest';
import { SCENARIOS } from '../../../src/generated/scenarios.ts';
import { probeFaults, selection } from '../../../src/lab/scenario-verdict.ts';

test('a selection has all paths at once in health, and a fault of each kind of invariants', () => {
  const chosen = selection(SCENARIOS);
  const paths = new Set(SCENARIOS.flatMap((scenario) => scenario.paths));
  const kindsOf = (scenarios: typeof SCENARIOS) =>
    new Set(scenarios.flatMap(({ expects }) => expects.slice(0, 1)).map((name) => name.split('.')[0]));
  const healthy = chosen.filter(({ expects, since }) => expects.length === 0 && since === undefined);
  expect(healthy).toHaveLength(1);
  expect(new Set(healthy[0]?.paths)).toEqual(paths);
  expect(kindsOf(chosen)).toEqual(kindsOf(SCENARIOS));
  expect(chosen.filter(({ expectsBelow }) => expectsBelow)).toHaveLength(
    SCENARIOS.filter(({ expectsBelow }) => expectsBelow).length,
  );
  expect(chosen.filter(({ since }) => since).map(({ expects }) => expects.length > 0)).toEqual([false, true]);
  expect(chosen.length).toBeLessThan(14);
});

test('a probe may be absent with a reason', () => {
  const probe = 'link_rename';
  const why = "fentry: the function is not in this kernel's BTF (inlined or renamed)";
  expect(
    probeFaults([
      { probe, status: 'attached', reason: null },
      { probe, status: 'attached', reason: why },
      { probe, status: 'missing', reason: why },
      { probe, status: 'missing', reason: 'raw_tp: ENOENT (2): no such function, tracepoint or file' },
    ]),
  ).toEqual([]);
});

test("a verifier's refusal is a fault, though another program took its place; so is silence", () => {
  const probe = 'link_rename';
  const reason = 'fentry: EACCES (13): access denied, or the verifier refused the program — R1 is a scalar';
  expect(
    probeFaults([
      { probe, status: 'attached', reason },
      { probe, status: 'refused', reason: null },
      { probe, status: 'inlined', reason: null },
    ]),
  ).toEqual([
    `link_rename was refused: ${reason}`,
    'link_rename was refused: no reason given',
    'link_rename is inlined, and nothing says why',
  ]);
});
