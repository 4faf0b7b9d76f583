// The kernel matrix: what attaches on which kernel, and what the scenarios come to there; writes docs/kernels.md.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DoctorFacts } from '../src/cli/doctor-facts.ts';
import { SCENARIOS } from '../src/generated/scenarios.ts';
import { bootLab, type LabKernel, listKernels, prepareLab } from '../src/lab/index.ts';
import { runsOn } from '../src/lab/scenario.ts';
import { firedBy, probeFaults, scenarioFaults, selection } from '../src/lab/scenario-verdict.ts';
import { runScenarios, SCENARIO_EVENTS } from '../src/lab/scenarios-in-lab.ts';
import { LabError } from '../src/model/errors.ts';
import { type Column, isGood, matrixPage, type Ran } from './matrix-report.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    /** Instead of those that the page is of. */
    kernels: { type: 'string' },
    /** All scenarios, not a selection: a quarter of an hour per kernel. */
    all: { type: 'boolean', default: false },
    /** No scenarios. */
    attach: { type: 'boolean', default: false },
  },
});

/** The releases that people run, and the two newest series that can be had whole. */
async function chooseKernels(): Promise<LabKernel[]> {
  const prepare = (kernel: string) => prepareLab({ kernel, onProgress: say });
  const chosen: LabKernel[] = [];
  if (values.kernels !== undefined) {
    for (const name of values.kernels.split(',')) chosen.push(await prepare(name));
    return chosen;
  }
  const known = ['5.10', '6.1', '6.12'];
  for (const name of known) chosen.push(await prepare(name));
  const listed = await listKernels({ onProgress: say });
  const series = [...new Set(listed.map(({ version }) => /^\d+\.\d+/.exec(version)?.[0] ?? version))];
  const newest: LabKernel[] = [];
  for (const name of series.filter((one) => !known.includes(one))) {
    if (newest.length === 2) break;
    try {
      newest.unshift(await prepare(name));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      say(`${name} is left out: ${error.message}`);
    }
  }
  return [...chosen, ...newest];
}

function say(what: string): void {
  process.stderr.write(`matrix: ${what}\n`);
}

async function measure(kernel: LabKernel): Promise<Column> {
  const began = performance.now();
  const { facts, refusal } = await examine(kernel);
  const refused = refusal === undefined ? probeFaults(facts.probes.map(asCoverage)) : [];
  for (const fault of refused) say(`${kernel.version}: ${fault}`);
  const ran = refusal === undefined && !values.attach ? await runAll(kernel) : [];
  say(`${kernel.version}: took ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return { kernel: kernel.version, facts, refusal, refused, ran };
}

/** Where probes were tried, none is left untried. */
function asCoverage({ status, ...probe }: DoctorFacts['probes'][number]) {
  return { ...probe, status: status === 'untried' ? ('missing' as const) : status };
}

async function runAll(kernel: LabKernel): Promise<Ran[]> {
  const scenarios = (values.all ? SCENARIOS : selection(SCENARIOS)).filter((scenario) =>
    runsOn(scenario, kernel.version),
  );
  const share = mkdtempSync(join(tmpdir(), 'flightring-matrix-'));
  try {
    const results = await runScenarios(
      { kernel, shareDir: share },
      scenarios.map(({ name }) => name),
      {
        root,
        lastEvents: SCENARIO_EVENTS,
        onProgress: (name, what) => say(`${kernel.version}: ${name}: ${what}`),
      },
    );
    return scenarios.map((scenario) => {
      const result = results.get(scenario.name);
      const faults = scenarioFaults(scenario, result);
      for (const fault of faults) say(`${kernel.version}: ${scenario.name} FAILED: ${fault}`);
      const fired = result === undefined || result instanceof Error ? [] : firedBy(result);
      return { name: scenario.name, about: scenario.about, fired, faults };
    });
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

/** With every module loaded that a probe may be in, if the kernel has it. */
async function examine(kernel: LabKernel): Promise<Pick<Column, 'facts' | 'refusal'>> {
  const modules = [...new Set(['veth', ...SCENARIOS.flatMap((scenario) => scenario.modules ?? [])])];
  await using lab = await bootLab({ kernel, onProgress: say });
  const main = join(root, 'dist/src/cli/main.js');
  await lab.run(['sh', '-c', 'for m; do modprobe -q $m; done', 'sh', ...modules], { timeoutMs: 120_000 });
  const doctor = await lab.run(['node', main, 'doctor', '--json'], { cwd: root, timeoutMs: 300_000 });
  const facts = JSON.parse(doctor.stdout) as DoctorFacts;
  if (doctor.code === 0) return { facts, refusal: undefined };
  const record = await lab.run(['node', main, 'record', '--paths', 'xsk'], { cwd: root, timeoutMs: 120_000 });
  if (doctor.code !== 3 || record.code !== 3)
    throw new Error(
      `${kernel.version}: doctor ended with ${doctor.code}, record with ${record.code}, not with 3`,
    );
  return { facts, refusal: record.stderr.trim() };
}

const columns: Column[] = [];
for (const kernel of await chooseKernels()) columns.push(await measure(kernel));
const page = matrixPage(columns);
process.stdout.write(page);
// A part of it is no page.
if (values.kernels === undefined && !values.attach) writeFileSync(join(root, 'docs/kernels.md'), page);
process.exitCode = columns.every(isGood) ? 0 : 1;
