// The kernel matrix: what attaches on which kernel and whether the scenarios hold there; writes docs/kernels.md.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DoctorFacts, ProbeFacts } from '../src/cli/doctor-facts.ts';
import { SCENARIOS } from '../src/generated/scenarios.ts';
import { bootLab, type LabKernel, listKernels, prepareLab } from '../src/lab/index.ts';
import { runScenarios } from '../src/lab/scenarios-in-lab.ts';
import { LabError } from '../src/model/errors.ts';
import { scenarioFaults, selection } from '../src/lab/scenario-verdict.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    kernels: { type: 'string' },
    all: { type: 'boolean', default: false },
    attach: { type: 'boolean', default: false },
  },
});

interface Column {
  readonly kernel: string;
  readonly facts: DoctorFacts;
  /** What `record` says where nothing can be recorded. */
  readonly refusal: string | undefined;
  readonly ran: number;
  /** A sentence per scenario that failed. */
  readonly failed: readonly string[];
}

/** The releases that people run, and the two newest series that can be had whole. */
async function chooseKernels(): Promise<LabKernel[]> {
  const prepare = (kernel: string) => prepareLab({ kernel, onProgress: say });
  if (values.kernels !== undefined) return await Promise.all(values.kernels.split(',').map(prepare));
  const known = ['5.10', '6.1', '6.12'];
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
  const older: LabKernel[] = [];
  for (const name of known) older.push(await prepare(name));
  return [...older, ...newest];
}

function say(what: string): void {
  process.stderr.write(`matrix: ${what}\n`);
}

async function measure(kernel: LabKernel): Promise<Column> {
  const { facts, refusal } = await examine(kernel);
  const share = mkdtempSync(join(tmpdir(), 'flightring-matrix-'));
  try {
    const wanted = values.all ? SCENARIOS : selection(SCENARIOS);
    const chosen = refusal === undefined && !values.attach ? wanted : [];
    const results = await runScenarios(
      { kernel, shareDir: share },
      chosen.map(({ name }) => name),
      { root, lastEvents: 4000, onProgress: (name, what) => say(`${kernel.version}: ${name}: ${what}`) },
    );
    const failed = chosen.flatMap((scenario) => {
      const faults = scenarioFaults(scenario, results.get(scenario.name));
      for (const fault of faults) say(`${kernel.version}: ${scenario.name} FAILED: ${fault}`);
      return faults.length === 0 ? [] : [`${scenario.name}: ${faults.map(firstLine).join('; ')}`];
    });
    return { kernel: kernel.version, facts, refusal, ran: chosen.length, failed };
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** With every module loaded that a probe may be in. */
async function examine(kernel: LabKernel): Promise<Pick<Column, 'facts' | 'refusal'>> {
  const modules = [...new Set(['veth', ...SCENARIOS.flatMap((scenario) => scenario.modules ?? [])])];
  await using lab = await bootLab({ kernel, onProgress: say });
  const main = join(root, 'dist/src/cli/main.js');
  await lab.run(['sh', '-c', 'for m; do modprobe $m; done', 'sh', ...modules], { timeoutMs: 120_000 });
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

function report(columns: readonly Column[]): string {
  const probes = new Map<string, ProbeFacts>(
    columns.flatMap(({ facts }) =>
      facts.probes.map((probe): [string, ProbeFacts] => [`${probe.path} ${probe.probe}`, probe]),
    ),
  );
  const notes: string[] = [];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const cell = ({ facts, refusal }: Column, key: string): string => {
    const own = facts.probes.find((probe) => `${probe.path} ${probe.probe}` === key);
    if (own === undefined || refusal !== undefined) return '–';
    if (own.method !== null)
      return own.target === probes.get(key)?.target ? own.method : `${own.method} of \`${own.target}\``;
    const note = (own.reason ?? own.status).replaceAll('|', '\\|').replaceAll(root, '');
    if (!notes.includes(note)) notes.push(note);
    return `${own.status} (${notes.indexOf(note) + 1})`;
  };
  const table = [...probes].map(([key, { target }]) =>
    row([`\`${key}\``, `\`${target}\``, ...columns.map((column) => cell(column, key))]),
  );
  const kernels = columns.map(({ kernel, refusal, ran, failed }) =>
    refusal !== undefined
      ? `- **${kernel}**: ${refusal}`
      : ran === 0
        ? `- **${kernel}**: scenarios were not run (\`--attach\`).`
        : `- **${kernel}**: ${ran - failed.length} of ${ran} scenarios held.${failed.map((text) => `\n  - ${text}`).join('')}`,
  );
  return `<!-- Written by npm run test:matrix. -->

# Kernels

What attaches on which of Debian's kernels in the lab, with every module loaded, and whether the scenarios hold there.

${kernels.join('\n')}

${[row(['probe', 'function or tracepoint', ...columns.map(({ kernel }) => kernel)]), row(['---', '---', ...columns.map(() => '---')]), ...table].join('\n')}
${notes.length === 0 ? '' : `\n${notes.map((note, i) => `${i + 1}. ${note}`).join('\n')}\n`}`;
}

const columns: Column[] = [];
for (const kernel of await chooseKernels()) columns.push(await measure(kernel));
const text = report(columns);
process.stdout.write(text);
if (values.kernels === undefined) writeFileSync(join(root, 'docs/kernels.md'), text);
process.exitCode = columns.some(({ failed }) => failed.length > 0) ? 1 : 0;
