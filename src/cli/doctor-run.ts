// What flightring doctor prints, loaded only when it is run.

import { EXIT, type ExitCode } from '../model/errors.ts';
import { SIDE_PATHS } from '../model/probe.ts';
import { createPalette, type Palette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { adviceOf } from './doctor-advice.ts';
import { collectFacts, type DoctorFacts, type PathFacts, type ProbeFacts } from './doctor-facts.ts';
import { writeLines } from './output.ts';

export interface DoctorFlags {
  readonly json?: boolean;
  readonly color: boolean;
}

export async function runDoctor(
  { json, color }: DoctorFlags,
  out: NodeJS.WriteStream = process.stdout,
): Promise<ExitCode> {
  const facts = await collectFacts();
  const advice = adviceOf(facts);
  const lines = json
    ? [JSON.stringify({ ...facts, advice }, null, 2)]
    : doctorLines(facts, advice, createPalette(wantsColour(out, color)));
  await writeLines(out, lines);
  return recordable(facts).length > 0 ? EXIT.fine : EXIT.kernelRefused;
}

/** Names of threads and marks alone are nothing to record. */
export function recordable({ paths }: Pick<DoctorFacts, 'paths'>): PathFacts[] {
  return paths.filter(({ path, state }) => !SIDE_PATHS.includes(path) && state !== 'none');
}

export function doctorLines(facts: DoctorFacts, advice: readonly string[], palette: Palette): string[] {
  const notes: string[] = [];
  const tables = facts.paths.flatMap((path) => ['', ...pathTable(path, facts, notes, palette)]);
  return [
    ...machineLines(facts, palette),
    ...tables,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note, i) => palette.dim(`(${i + 1}) ${note}`))]),
    '',
    ...advice.map((sentence, i) => `${i === 0 ? '' : '  '}${i === 0 ? palette.bold(sentence) : sentence}`),
  ];
}

function machineLines(facts: DoctorFacts, palette: Palette): string[] {
  const {
    kernel,
    btf,
    lockdown,
    unprivilegedBpfDisabled: unprivileged,
    kprobes,
    capabilities,
    native,
    node,
  } = facts;
  const yes = (text: string) => `${palette.bold('✓')} ${text}`;
  const no = (text: string) => `${palette.warn('✗')} ${text}`;
  const rows: [string, string][] = [
    ['kernel', `  ${kernel.release} ${kernel.machine}`],
    [
      'BTF',
      btf
        ? yes(`${btf.path}, ${(btf.bytes / 1e6).toFixed(1)} MB`)
        : no('none: programs can not be fitted to this kernel'),
    ],
    ['kprobes', kprobes ? yes('built in') : no('not built in')],
    [
      'lockdown',
      lockdown === null || lockdown === 'none'
        ? yes(lockdown === null ? 'not built in' : 'none')
        : no(lockdown),
    ],
    [
      'BPF',
      unprivileged === null
        ? no('this kernel has no bpf()')
        : yes(unprivileged === 0 ? 'open to everybody' : 'for the privileged only'),
    ],
    ...capabilities.map(({ name, have, purpose, needed }): [string, string] => [
      name,
      (have ? yes : no)(`${purpose}${needed ? '' : ' (not needed otherwise)'}`),
    ]),
    [
      'native part',
      native.error === null
        ? yes(`${native.platform}, ${native.libc}`)
        : no(`${native.error} (${native.platform}, ${native.libc})`),
    ],
    ['node', `  ${node}`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(16)}  ${text}`);
}

function pathTable(
  { path, title, attached, probes: count }: PathFacts,
  facts: DoctorFacts,
  notes: string[],
  palette: Palette,
): string[] {
  const own = facts.probes.filter((probe) => probe.path === path);
  const amount = facts.tried
    ? `${attached} of ${count} probes attach`
    : `${attached} of ${count} probes are likely to attach (not tried)`;
  const heading = `${palette.bold(path)}  ${title}: ${attached === 0 ? palette.bad(amount) : attached < count ? palette.warn(amount) : amount}`;
  const cells = own.map((probe) => [probe.probe, probe.target, stateOf(probe, notes)] as const);
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...cells.map((row) => (row[column] as string).length)),
  );
  return [
    heading,
    ...cells.map(([name, target, state], i) => {
      const { method, purpose } = own[i] as ProbeFacts;
      const painted = state.padEnd(widths[2] as number);
      return `  ${name.padEnd(widths[0] as number)}  ${palette.dim(target.padEnd(widths[1] as number))}  ${
        method === null ? palette.warn(painted) : painted
      }  ${palette.dim(method === null ? `lost: ${purpose}` : purpose)}`;
    }),
  ];
}

/** The method, or what happened instead; reasons are footnotes, for many probes share theirs. */
function stateOf({ method, status, reason }: ProbeFacts, notes: string[]): string {
  const state = method === null ? status : status === 'untried' ? `${method}?` : method;
  if (reason === null) return state;
  let note = notes.indexOf(reason);
  if (note < 0) note = notes.push(reason) - 1;
  return `${state} (${note + 1})`;
}
