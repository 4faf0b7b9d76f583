// Runs scenarios by name, those that share a recorder together, and prints each result as a JSON line; meant for inside the lab.

import { parseArgs } from 'node:util';
import { UsageError } from '../model/errors.ts';
import { shareRecorders } from './scenario.ts';
import { runTogether } from './scenario-run.ts';
import { SCENARIOS } from '../generated/scenarios.ts';

const { values, positionals } = parseArgs({
  options: { last: { type: 'string' }, packets: { type: 'string' }, alone: { type: 'boolean' } },
  allowPositionals: true,
});
const [out, built, workloads, ...names] = positionals;
if (!out || !built || !workloads)
  throw new UsageError(
    'USAGE',
    'usage: scenario-main [--last N] [--packets N] [--alone] OUT BUILT WORKLOADS NAME…',
  );

const say = (line: object) =>
  process.stdout.write(
    `${JSON.stringify(line, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v))}\n`,
  );
const packets = values.packets === undefined ? {} : { packets: Number(values.packets) };
const scenarios = names.map((name) => {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (!scenario) throw new UsageError('NO_SCENARIO', `there is no scenario ${name}`);
  return { ...scenario, ...packets };
});
const onProgress = (name: string, progress: string) => say({ name, progress });
const options = {
  out,
  built,
  workloads,
  onProgress,
  ...(values.last === undefined ? {} : { lastEvents: Number(values.last) }),
};
const sessions = values.alone ? scenarios.map((scenario) => [scenario]) : shareRecorders(scenarios);
for (const together of sessions) {
  onProgress(together[0]?.name ?? '', 'starting');
  const leave = together === sessions.at(-1);
  await runTogether(together, { ...options, leave }, (name, result) =>
    say(result instanceof Error ? { name, error: `${result.message}\n${result.stack}` } : { name, result }),
  );
}
process.exit(0);
