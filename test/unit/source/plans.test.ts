// Probes that have nothing to tell beside another are attached only where that one can't be.

import { expect, test } from 'vitest';
import { neededPlans, type Plan, wantedPlans } from '../../../src/source/plans.ts';

const PROGRAMS = new Set(
  ['xsk_rcv_begin', 'xsk_copy_begin', 'xsk_zc_rcv_begin'].flatMap((name) => [
    `${name}__fentry`,
    `${name}__kprobe`,
  ]),
);

/** Those that would be attached, of the receive's. */
function namesOf(plans: readonly Plan[]): string[] {
  return neededPlans(plans)
    .filter(({ choices }) => choices.length > 0)
    .map(({ probe }) => probe.name);
}

test('a receive is told of by __xsk_rcv_zc alone where that is there', () => {
  expect(namesOf(wantedPlans(['xsk'], PROGRAMS, undefined))).toEqual(['xsk_rcv_begin']);
});

test("where it can't be probed, another tells of a receive without a copy", () => {
  const plans = wantedPlans(['xsk'], PROGRAMS, undefined);
  const [receive] = plans.filter(({ probe }) => probe.name === 'xsk_rcv_begin');
  if (receive !== undefined) receive.choices = [];
  expect(namesOf(plans)).toEqual(['xsk_zc_rcv_begin']);
});
