// A long healthy run in the lab: millions of events under all invariants, of which none may say a word.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootLab } from '../src/lab/index.ts';
import { runScenariosInLab } from '../src/lab/scenarios-in-lab.ts';
import { SCENARIOS } from '../src/generated/scenarios.ts';

/** Events that one forwarded packet makes, at least. */
const EVENTS_PER_PACKET = 13;

const { values } = parseArgs({ options: { events: { type: 'string', default: '5000000' } } });
const wanted = Number(values.events);
if (!Number.isSafeInteger(wanted) || wanted < 1) {
  console.error(`--events takes a whole number from 1 on, not "${values.events}".`);
  process.exit(2);
}
const packets = Math.ceil(wanted / EVENTS_PER_PACKET);
const rate = SCENARIOS.find(({ name }) => name === 'healthy')?.rate ?? 1000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

console.log(
  `soak: ${packets} packets at ${rate}/s, about ${Math.ceil(packets / rate / 60)} minutes of traffic`,
);
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
const beat = setInterval(() => console.log(`soak: … ${seconds()} s`), 30_000);
await using lab = await bootLab({ onProgress: (what) => console.log(`soak: ${what}`) });
const results = await runScenariosInLab(lab, ['healthy'], {
  root,
  packets,
  limitMs: (packets / rate) * 2000 + 300_000,
  onProgress: (_, what) => console.log(`soak: ${what}`),
});
clearInterval(beat);
const result = results.get('healthy');
if (!result || result instanceof Error) {
  console.error(`soak: ${result instanceof Error ? result.message : 'no result'}`);
  process.exitCode = 3;
} else {
  const { events, lost, unseen, recursionMisses, violations, warnings } = result.summary;
  console.log(
    `soak: ${events} events in ${seconds()} s: ${violations} violations, ${warnings} warnings, ${lost} lost, ${unseen} ring entries unseen, ${recursionMisses} recursion misses`,
  );
  for (const [name, { fired }] of Object.entries(result.summary.counts))
    if (fired > 0) console.error(`soak: ${name} spoke ${fired} times`);
  if (events < wanted) console.error(`soak: ${events} events are fewer than the ${wanted} asked for`);
  const quiet = violations === 0 && warnings === 0;
  process.exitCode = quiet && lost === 0 && events >= wanted ? 0 : 1;
}
