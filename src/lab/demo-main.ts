// Runs one scenario with little traffic and a fault that comes soon, for a person who waits; inside the lab only.

import { UsageError } from '../model/errors.ts';
import { runScenario } from './scenario-run.ts';
import { SCENARIOS } from '../generated/scenarios.ts';

const PACKETS = 300;
const FAULT_AFTER = '120';

const [out, built, workloads, name] = process.argv.slice(2);
const scenario = SCENARIOS.find((candidate) => candidate.name === name);
if (!out || !built || !workloads || !scenario)
  throw new UsageError('USAGE', 'usage: demo-main OUT BUILT WORKLOADS SCENARIO');

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const words = scenario.words.map((word, i) =>
  scenario.words[i - 1] === '--fault-after' ? FAULT_AFTER : word,
);
try {
  await runScenario(
    { ...scenario, words, packets: PACKETS, rate: PACKETS },
    { out, built, workloads, leave: true, onProgress: (_, progress) => say({ progress }) },
  );
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}
process.exit(0);
