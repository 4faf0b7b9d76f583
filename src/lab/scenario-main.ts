// Runs scenarios by name, one after the other, and prints each result as a JSON line; meant for inside the lab.

import { parseArgs } from 'node:util';
import { UsageError } from '../model/errors.ts';
import { runScenario } from './scenario-run.ts';
import { SCENARIOS } from '../generated/scenarios.ts';

const { values, positionals } = parseArgs({
  options: { last: { type: 'string' }, packets: { type: 'string' } },
  allowPositionals: true,
});
const [out, built, workloads, ...names] = positionals;
if (!out || !built || !workloads)
  throw new UsageError('USAGE', 'usage: scenario-main [--last N] [--packets N] OUT BUILT WORKLOADS NAME…');

const say = (line: object) =>
  process.stdout.write(
    `${JSON.stringify(line, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v))}\n`,
  );
for (const name of names) {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (!scenario) throw new UsageError('NO_SCENARIO', `there is no scenario ${name}`);
  say({ name, progress: 'starting' });
  try {
    const packets = values.packets === undefined ? {} : { packets: Number(values.packets) };
    const result = await runScenario(
      { ...scenario, ...packets },
      {
        out,
        built,
        workloads,
        ...(values.last === undefined ? {} : { lastEvents: Number(values.last) }),
        onProgress: (progress) => say({ name, progress }),
      },
    );
    say({ name, result });
  } catch (error) {
    say({ name, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
  }
}
// Detaching dozens of probes takes seconds in an emulated kernel, which is about to be switched off anyway.
process.exit(0);
