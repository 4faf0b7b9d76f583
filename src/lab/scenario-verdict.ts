// Whether what a scenario came to is what it expects; and which scenarios stand for all where time is short.

import { type Scenario, scenarioOn } from './scenario.ts';
import type { ScenarioResult } from './scenario-run.ts';

/** Faulty scenarios of each path that are run on kernels other than the first. */
const faultyPerPath = 2;

/** Per path a healthy scenario and a few faulty ones; not by kprobes, and not the longest. */
export function selection(scenarios: readonly Scenario[]): Scenario[] {
  const taken = new Map<string, number>();
  return scenarios.filter(({ paths, expects, attach, packets = 0 }) => {
    if (attach !== undefined || packets > 2000) return false;
    const key = `${paths[0]} ${expects.length > 0}`;
    const count = taken.get(key) ?? 0;
    taken.set(key, count + 1);
    return count < (expects.length > 0 ? faultyPerPath : 1);
  });
}

/** Sentences; none when all is as it should be. */
export function scenarioFaults(scenario: Scenario, result: ScenarioResult | Error | undefined): string[] {
  if (result === undefined || result instanceof Error) return [result?.message ?? 'it was not run'];
  const { expects, mayExpect = [] } = scenarioOn(scenario, result.kernel);
  const fired = Object.entries(result.summary.counts)
    .filter(([, counts]) => counts.fired > 0)
    .map(([name]) => name);
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
