// Makes the golden recordings anew in the lab: recordings/NAME.parquet, NAME.expected.ndjson and NAME.md.

import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootLab } from '../src/lab/index.ts';
import type { Scenario } from '../src/lab/scenario.ts';
import type { ScenarioResult } from '../src/lab/scenario-run.ts';
import { SCENARIOS } from '../src/generated/scenarios.ts';
import { runScenariosInLab } from '../src/lab/scenarios-in-lab.ts';
import { checkRecording } from '../src/pipeline.ts';
import { LabError } from '../src/model/errors.ts';

const ROOT = join(import.meta.dirname, '..');
/** One at least of each path. */
const DEFAULT = [
  'double-fill',
  'poison',
  'bind-collision',
  'overlay-conflict',
  'overlay-shared-encryption',
  'sandbox-stale-mac',
  'thread-leak',
  'socket-iterator-skip',
  'vxlan-conflict',
];
const NAMES = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
const LAST_EVENTS = 3000;
const BYTES_MAX = 200_000;

const folder = join(ROOT, 'recordings');
const share = mkdtempSync(join(tmpdir(), 'flightring-goldens-'));
mkdirSync(folder, { recursive: true });
try {
  await using lab = await bootLab({ shareDir: share, onProgress: (what) => console.error(`lab: ${what}`) });
  const results = await runScenariosInLab(lab, NAMES, {
    root: ROOT,
    lastEvents: LAST_EVENTS,
    alone: true,
    onProgress: (name, what) => console.error(`${name}: ${what}`),
  });
  for (const name of NAMES) {
    const result = results.get(name);
    if (result === undefined || result instanceof Error) throw result ?? new Error(name);
    await keep(name, result, lab.kernelVersion);
  }
} finally {
  rmSync(share, { recursive: true, force: true });
}

async function keep(name: string, result: ScenarioResult, kernel: string): Promise<void> {
  const made = result.recordings[0];
  if (made === undefined) throw new LabError('NO_GOLDEN', `scenario ${name} made no recording`);
  const { size } = statSync(made.path);
  if (size > BYTES_MAX)
    throw new LabError(
      'GOLDEN_SIZE',
      `the recording of ${name} has ${size} bytes, at most ${BYTES_MAX} are wanted`,
    );
  const check = await checkRecording(made.path);
  const { missing, added, changed } = check.comparison ?? { missing: [], added: [], changed: [] };
  if (check.summary.violations.length === 0)
    throw new LabError(
      'GOLDEN_EMPTY',
      `the recording of ${name} shows no violation: keep more events than ${LAST_EVENTS}`,
    );
  if (missing.length + added.length + changed.length > 0)
    throw new LabError('GOLDEN_DIFFERS', `the recording of ${name} does not replay to its live verdict`);
  copyFileSync(made.path, join(folder, `${name}.parquet`));
  chmodSync(join(folder, `${name}.parquet`), 0o644);
  const lines = check.summary.violations.map((violation) => `${JSON.stringify(violation)}\n`);
  writeFileSync(join(folder, `${name}.expected.ndjson`), lines.join(''));
  writeFileSync(
    join(folder, `${name}.md`),
    describe(name, result, kernel, made.rows, check.summary.violations[0]?.sentence),
  );
  console.error(`${name}: ${made.rows} events, ${size} bytes, ${lines.length} violations`);
}

function describe(name: string, result: ScenarioResult, kernel: string, rows: number, sentence = ''): string {
  const scenario = SCENARIOS.find((one) => one.name === name) as Scenario;
  const fault = result.workload.find((line) => typeof line === 'object' && line !== null && 'fault' in line);
  return `# ${name}

${whatRan(scenario)}

> ${sentence}

Captured in the lab (Debian's kernel ${kernel}, three emulated CPUs): the last ${rows} events up to the violation, of
${result.summary.events} that were checked live. ${howStarted(scenario)}
and said:

\`\`\`json
${JSON.stringify(fault)}
\`\`\`

Made anew by \`npx tsx scripts/record-goldens.ts ${name}\`.
`;
}

function whatRan({ workload, words, about }: Scenario): string {
  const program = workload === 'forwarder' ? 'The AF_XDP forwarder' : `\`${words[0]}\``;
  return `${program} of test/workloads: ${about}.`;
}

function howStarted({ workload, words, topology }: Scenario): string {
  if (workload === 'program') return `\`${words.join(' ')}\` was run`;
  const between = topology ? ` between devices made with \`veth-topology.sh up ${topology.join(' ')}\`` : '';
  return `The forwarder was started with \`${words.join(' ')}\`${between}`;
}
