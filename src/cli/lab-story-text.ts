// What flightring lab run prints: the list of stories, and what came of each scenario.

import type { Scenario } from '../lab/scenario.ts';
import type { Violation } from '../model/violation.ts';
import type { Palette } from '../report/palette.ts';
import { nextCommands, violationText } from '../report/violation.ts';

export interface Outcome {
  /** As it was run: on a kernel that has its fault no more, a healthy one. */
  readonly scenario: Scenario;
  readonly kernel?: string;
  /** Invariants that fired. */
  readonly fired: readonly string[];
  /** A faulty scenario broke an expected invariant and no other, a healthy one none. */
  readonly asExpected: boolean;
  readonly events?: number;
  readonly violation?: Violation;
  readonly recording?: string;
  /** Checked again on this machine, the recording gave the same verdict. */
  readonly reproduced?: boolean;
  /** Why there is no result. */
  readonly error?: string;
}

/** Stories first, with their scenarios; then the scenarios that belong to none, by path. */
export function scenarioList(scenarios: readonly Scenario[], palette: Palette): string[] {
  const stories = [...new Set(scenarios.flatMap(({ story }) => (story === undefined ? [] : [story])))];
  const others = scenarios.filter(({ story }) => story === undefined);
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const line = ({ name, about, expects }: Scenario) =>
    `    ${name.padEnd(width)}  ${about}  ${palette.dim(expects.length === 0 ? '(nothing is broken)' : `(${expects.join(', ')})`)}`;
  const section = (name: string, members: readonly Scenario[]) => [
    `  ${palette.bold(name)}`,
    ...members.map(line),
    '',
  ];
  const paths = [...new Set(others.map(({ paths: [path = ''] }) => path))];
  return [
    palette.head('Stories, each a fault and the same work done right:'),
    '',
    ...stories.flatMap((story) =>
      section(
        story,
        scenarios.filter((scenario) => scenario.story === story),
      ),
    ),
    palette.head('Other scenarios, by path:'),
    '',
    ...paths.flatMap((path) =>
      section(
        path,
        others.filter(({ paths: [first = ''] }) => first === path),
      ),
    ),
    'flightring lab run NAME runs a story or a scenario.',
  ];
}

export function outcomeText(outcome: Outcome, palette: Palette): string[] {
  const { scenario, fired, violation, recording, error } = outcome;
  const head = `${palette.bold(scenario.name)}  ${scenario.about}${outcome.kernel === undefined ? '' : palette.dim(`  (${outcome.kernel})`)}`;
  if (error !== undefined) return [head, `  ${palette.bad('✗ not run to its end:')} ${error}`];
  const told = violation
    ? violationText(violation, { palette }).map((text) => (text === '' ? '' : `  ${text}`))
    : [];
  return [head, '', ...told, ...(told.length > 0 ? [''] : []), ...verdict(outcome, palette)].concat(
    recording === undefined ? [] : whereToLook(violation, recording, palette),
    fired.length > 0 && violation === undefined ? [`  fired: ${fired.join(', ')}`] : [],
  );
}

function verdict(
  { scenario, fired, asExpected, events = 0, reproduced }: Outcome,
  palette: Palette,
): string[] {
  const { expects } = scenario;
  const again =
    reproduced === undefined
      ? ''
      : `; checked again on this machine: ${reproduced ? 'the same verdict, event for event' : 'another verdict'}`;
  if (!asExpected) {
    const wanted = expects.length === 0 ? 'silence' : expects.join(' or ');
    const got = fired.length === 0 ? 'nothing fired' : `${fired.join(', ')} fired`;
    return [`  ${palette.bad(`✗ not as expected: ${got}, not ${wanted}`)}${again}`];
  }
  if (expects.length === 0) {
    const words =
      fired.length === 0
        ? 'no invariant said a word'
        : `nothing but a warning that it explains, ${fired.join(', ')}`;
    return [`  ✓ healthy: ${events} events, and ${words}`];
  }
  return [`  ✓ as expected: ${fired.join(', ')}${again}`];
}

function whereToLook(violation: Violation | undefined, recording: string, palette: Palette): string[] {
  const commands = violation
    ? nextCommands(violation, recording)
    : [`flightring check ${recording}`, `flightring show ${recording}`];
  return [
    `  ${palette.dim('recording')}  ${recording}`,
    ...commands.map((command, i) => `  ${palette.dim((i === 0 ? 'look at' : '').padEnd(9))}  ${command}`),
  ];
}

export function outcomeJson({ scenario, violation, error, ...rest }: Outcome): string {
  const { name, story, about, expects } = scenario;
  return JSON.stringify({
    name,
    story: story ?? null,
    about,
    expects,
    ...rest,
    violation: violation
      ? { invariant: violation.invariant, severity: violation.severity, sentence: violation.sentence }
      : null,
    error: error ?? null,
  });
}
