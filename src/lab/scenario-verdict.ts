// Whether what a scenario came to is what it expects; and which scenarios stand for all where time is short.

import type { ProbeCoverage } from '../model/recording.ts';
import { type Scenario, scenarioOn } from './scenario.ts';
import type { ScenarioResult } from './scenario-run.ts';

/**
 * The healthy scenario of the most paths; of each kind of invariants the first faulty one; those whose fault some kernels
 * have no more; and a healthy and a faulty one of what only some kernels can do. Not by kprobes, and not the longest.
 */
export function selection(scenarios: readonly Scenario[]): Scenario[] {
  const short = scenarios.filter(({ attach, packets = 0 }) => attach === undefined && packets <= 2000);
  const [widest] = short
    .filter(({ expects, since }) => expects.length === 0 && since === undefined)
    .sort((left, right) => right.paths.length - left.paths.length);
  const chosen = short.filter(({ expects, since }) => expects.length > 0 || since !== undefined);
  const kindOf = ({ expects: [first = ''], since = '' }: Scenario) => `${since} ${first.split('.', 1)[0]}`;
  const firsts = new Map(chosen.toReversed().map((scenario) => [kindOf(scenario), scenario]));
  return short.filter(
    (scenario) =>
      scenario === widest ||
      (chosen.includes(scenario) &&
        (scenario.expectsBelow !== undefined || firsts.get(kindOf(scenario)) === scenario)),
  );
}

/** Names of invariants. */
export function firedBy({ summary }: ScenarioResult): string[] {
  return Object.entries(summary.counts)
    .filter(([, counts]) => counts.fired > 0)
    .map(([name]) => name);
}

/** Sentences; none when all is as it should be. */
export function scenarioFaults(scenario: Scenario, result: ScenarioResult | Error | undefined): string[] {
  if (result === undefined || result instanceof Error) return [result?.message ?? 'it was not run'];
  const { expects, mayExpect = [] } = scenarioOn(scenario, result.kernel);
  const fired = firedBy(result);
  const strangers = fired.filter((name) => ![...expects, ...mayExpect].includes(name));
  const missing = expects.length > 0 && !fired.some((name) => expects.includes(name));
  const { lost, failures } = result.summary;
  return [
    ...(strangers.length === 0 ? [] : [`${strangers.join(', ')} fired, which should not`]),
    ...(missing ? [`none of ${expects.join(', ')} fired`] : []),
    ...(lost === 0 ? [] : [`${lost} events were lost`]),
    ...failures.map((failure) => String(failure)),
  ];
}

/** An errno of a load or an attachment, other than that there is no such function. */
const refusal = /: (?!ENOENT|ESRCH)E[A-Z]\w+ \(\d+\)/;

/**
 * Sentences about probes that are neither attached nor plainly absent: functions come and go with releases, but a program
 * that a kernel's verifier refuses is a defect, also where another took its place; and so is silence.
 */
export function probeFaults(
  coverage: readonly Pick<ProbeCoverage, 'probe' | 'status' | 'reason'>[],
): string[] {
  return coverage.flatMap(({ probe, status, reason }) => {
    if (status === 'refused' || refusal.test(reason ?? ''))
      return [`${probe} was refused: ${reason ?? 'no reason given'}`];
    return status === 'attached' || reason ? [] : [`${probe} is ${status}, and nothing says why`];
  });
}
