// The kernel matrix as a page of Markdown: probes by kernels, and what fires where.

import type { DoctorFacts, ProbeFacts } from '../src/cli/doctor-facts.ts';
import { PROBE_PATHS } from '../src/generated/probes.ts';

/** What one kernel came to. */
export interface Column {
  readonly kernel: string;
  readonly facts: DoctorFacts;
  /** What `record` says where nothing can be recorded. */
  readonly refusal: string | undefined;
  /** Sentences about probes that are neither attached nor plainly absent. */
  readonly refused: readonly string[];
  readonly ran: readonly Ran[];
}

export interface Ran {
  readonly name: string;
  readonly about: string;
  readonly fired: readonly string[];
  /** Sentences: why it is not as it should be. */
  readonly faults: readonly string[];
}

/** A probe and those that take its place on other kernels: one row. */
interface Row {
  readonly path: string;
  readonly names: readonly string[];
  readonly target: string;
}

export function isGood({ ran, refused }: Column): boolean {
  return refused.length === 0 && ran.every(({ faults }) => faults.length === 0);
}

export function matrixPage(columns: readonly Column[]): string {
  const kernels = columns.map(({ kernel }) => kernel.replace(/-amd64$/, ''));
  const notes: string[] = [];
  const probes = rowsOf(columns).map((row) => [
    `\`${row.path}\``,
    `\`${row.names[0]}\``,
    `\`${row.target}\``,
    ...columns.map((column) => probeCell(column, row, notes)),
  ]);
  const scenarios = [...new Set(columns.flatMap(({ ran }) => ran.map(({ name }) => name)))].map((name) => {
    const about = columns.flatMap(({ ran }) => ran.filter((one) => one.name === name))[0]?.about ?? '';
    return [
      `\`${name}\``,
      about.split(';', 1)[0] ?? '',
      ...columns.map((column) => scenarioCell(column, name)),
    ];
  });
  return `<!-- Written by npm run test:matrix. -->

# Kernels

What attaches on which of Debian's kernels in the lab, with every module loaded, and what the scenarios that stand for all
of them come to there.

${columns.map(summary).join('\n')}

## Probes

By which method a probe is attached; where a kernel has another function for it, of which. Not needed: another probe tells as
much there. A dash: nothing can be recorded on that kernel.

${table(['path', 'probe', 'function or tracepoint', ...kernels], probes)}
${notes.map((note, i) => `\n${i + 1}. ${note}`).join('')}
${scenarios.length === 0 ? '' : `\n## Scenarios\n\nThe invariants that fired. A dash: not run there.\n\n${table(['scenario', 'what happens', ...kernels], scenarios)}\n`}`;
}

function summary({ kernel, facts, refusal, refused, ran }: Column): string {
  if (refusal !== undefined) return `- **${kernel}**: ${refusal}`;
  const attached = facts.probes.filter(({ status }) => status === 'attached').length;
  const held = ran.filter(({ faults }) => faults.length === 0).length;
  const faults = [
    ...refused,
    ...ran.flatMap(({ name, faults: all }) => all.map((text) => `${name}: ${text}`)),
  ];
  const scenarios =
    ran.length === 0
      ? 'the scenarios were not run'
      : `${held} of ${ran.length} scenarios went as they should`;
  return `- **${kernel}**: ${attached} of ${facts.probes.length} probes are attached; ${scenarios}.${faults.map((text) => `\n  - ${firstLine(text)}`).join('')}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function rowsOf(columns: readonly Column[]): Row[] {
  const seen = new Set(columns.flatMap(({ facts }) => facts.probes.map(({ probe }) => probe)));
  return PROBE_PATHS.flatMap(({ path, probes }) => {
    const seconds = new Set(probes.map(({ orElse }) => orElse));
    return probes
      .filter(({ name }) => name !== '' && !seconds.has(name))
      .map((first): Row => {
        const names = [first.name];
        for (
          let next = first.orElse;
          next !== undefined;
          next = probes.find(({ name }) => name === next)?.orElse
        )
          names.push(next);
        return { path, names, target: first.target };
      })
      .filter(({ names }) => names.some((name) => seen.has(name)));
  });
}

function probeCell({ facts, refusal }: Column, { names, target, path }: Row, notes: string[]): string {
  const own = facts.probes.find((probe) => probe.path === path && names.includes(probe.probe));
  if (refusal !== undefined) return '–';
  if (own === undefined) return 'not needed';
  const what = `${own.method ?? own.status}${own.method !== null && own.target !== target ? ` of \`${own.target}\`` : ''}`;
  const note = noteOf(own);
  if (note === null) return what;
  if (!notes.includes(note)) notes.push(note);
  return `${what} (${notes.indexOf(note) + 1})`;
}

/** Why it is not attached, or only by a method that costs more. */
function noteOf({ method, reason, status }: ProbeFacts): string | null {
  if (method !== null && !/kprobe|kretprobe/.test(method)) return null;
  return (reason ?? (method === null ? status : null))?.replaceAll('|', '\\|') ?? null;
}

function scenarioCell({ ran }: Column, name: string): string {
  const own = ran.find((one) => one.name === name);
  if (own === undefined) return '–';
  const fired =
    own.fired.length === 0 ? 'silent' : own.fired.map((invariant) => `\`${invariant}\``).join(', ');
  return own.faults.length === 0
    ? fired
    : `FAILED: ${own.faults.map(firstLine).join('; ').replaceAll('|', '\\|')}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
