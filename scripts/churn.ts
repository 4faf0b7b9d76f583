// A healthy day in miniature in the lab, on all paths, as long as is asked for: no violation, and no warning but those explained.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SCENARIOS } from '../src/generated/scenarios.ts';
import { runScenarios } from '../src/lab/scenarios-in-lab.ts';

/** Events that one neighbour makes, at least: made, confirmed and deleted, by a request each. */
const EVENTS_PER_NEIGHBOUR = 30;
const LIMIT_MS = 900_000;

const { values } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, kernel: { type: 'string' } },
});
const wanted = Number(values.events);
if (!Number.isSafeInteger(wanted) || wanted < 1) {
  console.error(`--events takes a whole number from 1 on, not "${values.events}".`);
  process.exit(2);
}
const scenario = SCENARIOS.find(({ name }) => name === 'churn');
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(0);

const results = await runScenarios(
  {
    onProgress: (what) => console.log(`churn: ${what}`),
    ...(values.kernel === undefined ? {} : { kernel: values.kernel }),
  },
  ['churn'],
  {
    root,
    packets: Math.ceil(wanted / EVENTS_PER_NEIGHBOUR),
    limitMs: LIMIT_MS,
    onProgress: (_, what) => console.log(`churn: ${seconds()} s: ${what}`),
  },
);
const result = results.get('churn');
if (!result || result instanceof Error) {
  console.error(`churn: ${result instanceof Error ? result.message : 'no result'}`);
  process.exitCode = 3;
} else {
  const { events, lost, unseen, recursionMisses, violations, warnings, counts } = result.summary;
  console.log(
    `churn: ${events} events in ${seconds()} s: ${violations} violations, ${warnings} warnings, ${lost} lost, ${unseen} ring entries unseen, ${recursionMisses} recursion misses`,
  );
  let unexplained = 0;
  for (const [name, { fired }] of Object.entries(counts)) {
    if (fired === 0) continue;
    const isExplained = scenario?.mayExpect?.includes(name) ?? false;
    if (!isExplained) unexplained++;
    console.log(`churn: ${name} spoke ${fired} times${isExplained ? ', as its scenario explains' : ''}`);
  }
  for (const { path } of result.recordings) console.log(`churn: recording ${path}`);
  if (events < wanted) console.error(`churn: ${events} events are fewer than the ${wanted} asked for`);
  const isQuiet = violations === 0 && unexplained === 0;
  process.exitCode = isQuiet && lost === 0 && events >= wanted ? 0 : 1;
}
