// What flightring lab run does, loaded only when it is run: the scenarios of a name in one lab, and what came of each.

import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { SCENARIOS } from '../generated/scenarios.ts';
import type { ScenarioResult } from '../lab/scenario-run.ts';
import { type Scenario, scenarioOn } from '../lab/scenario.ts';
import { runScenarios, SCENARIO_EVENTS } from '../lab/scenarios-in-lab.ts';
import { EXIT, LabError, UsageError } from '../model/errors.ts';
import { packageRoot } from '../model/installation.ts';
import type { Violation } from '../model/violation.ts';
import { checkRecording, type RecordingCheck } from '../pipeline.ts';
import { createPalette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { type Outcome, outcomeJson, outcomeText, scenarioList } from './lab-story-text.ts';
import { nearest } from './nearest.ts';

export interface StoryFlags {
  readonly out: string;
  readonly kernel?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** Returns the command's exit status. */
export async function runStory(name: string | undefined, flags: StoryFlags): Promise<number> {
  const palette = createPalette(wantsColour(process.stdout, flags.color));
  if (name === undefined) {
    const text = flags.json ? SCENARIOS.map(toJson) : scenarioList(SCENARIOS, palette);
    process.stdout.write(`${text.join('\n')}\n`);
    return EXIT.fine;
  }
  const scenarios = scenariosOf(name);
  const root = packageRoot();
  requireWorkloads(root);
  let asExpected = true;
  for (const kernel of kernelsOf(scenarios, flags.kernel)) {
    const wanted = scenarios.filter((scenario) => kernelsOf([scenario], flags.kernel).includes(kernel));
    const outcomes = await runOnKernel(kernel, wanted, root, flags.out);
    for (const outcome of outcomes) {
      asExpected &&= outcome.asExpected;
      const lines = flags.json ? [outcomeJson(outcome)] : ['', ...outcomeText(outcome, palette)];
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  }
  if (!flags.json) process.stdout.write('\n');
  return asExpected ? EXIT.fine : EXIT.violation;
}

/** The kernels asked for, else those of the scenarios, else (undefined) the lab's own one. */
function kernelsOf(scenarios: readonly Scenario[], asked: string | undefined): (string | undefined)[] {
  if (asked !== undefined) return [asked];
  return [
    ...new Set(scenarios.flatMap(({ kernels }): readonly (string | undefined)[] => kernels ?? [undefined])),
  ];
}

async function runOnKernel(
  kernel: string | undefined,
  scenarios: readonly Scenario[],
  root: string,
  out: string,
): Promise<Outcome[]> {
  const share = mkdtempSync(join(realpathSync(tmpdir()), 'flightring-story-'));
  try {
    const results = await runScenarios(
      { shareDir: share, onProgress: tell, ...(kernel === undefined ? {} : { kernel }) },
      scenarios.map(({ name }) => name),
      { root, lastEvents: SCENARIO_EVENTS, onProgress: (name, what) => tell(`${name}: ${what}`) },
    );
    mkdirSync(out, { recursive: true });
    const outcomes: Outcome[] = [];
    for (const scenario of scenarios) outcomes.push(await judge(scenario, results.get(scenario.name), out));
    return outcomes;
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
}

function tell(what: string): void {
  process.stderr.write(`lab: ${what}\n`);
}

function toJson({ name, story, about, paths, expects }: Scenario): string {
  return JSON.stringify({ name, story: story ?? null, about, paths, expects });
}

function scenariosOf(name: string): readonly Scenario[] {
  const found = SCENARIOS.filter((scenario) => scenario.story === name);
  const one = found.length > 0 ? found : SCENARIOS.filter((scenario) => scenario.name === name);
  if (one.length > 0) return one;
  const names = SCENARIOS.flatMap((scenario) => [scenario.name, ...(scenario.story ? [scenario.story] : [])]);
  const best = nearest(name, names);
  throw new UsageError(
    'NO_SCENARIO',
    `There is no story or scenario ${name}; ${best === undefined ? '"flightring lab run" lists them.' : `did you mean ${best}?`}`,
  );
}

function requireWorkloads(root: string): void {
  for (const path of ['dist/src/lab/scenario-main.js', 'build/workloads/xsk-forwarder', 'test/workloads'])
    if (!existsSync(join(root, path)))
      throw new LabError(
        'NOT_BUILT',
        `${join(root, path)} is not there; build it: npm run build && make -C test/workloads`,
      );
}

/** What a result means for its scenario; a recording of it is kept, and checked again on this machine. */
async function judge(
  given: Scenario,
  result: ScenarioResult | Error | undefined,
  out: string,
): Promise<Outcome> {
  if (result === undefined || result instanceof Error)
    return {
      scenario: given,
      asExpected: false,
      error: result?.message.split('\n', 1)[0] ?? 'it was not run',
      fired: [],
    };
  const { summary, recordings, kernel } = result;
  const scenario = scenarioOn(given, kernel);
  const { expects, mayExpect = [] } = scenario;
  const fired = Object.entries(summary.counts)
    .filter(([, counts]) => counts.fired > 0)
    .map(([invariant]) => invariant);
  const isExpected = fired.every((invariant) => [...expects, ...mayExpect].includes(invariant));
  const isTold = expects.length === 0 ? summary.violations === 0 : fired.some((one) => expects.includes(one));
  const outcome = { scenario, kernel, fired, asExpected: isExpected && isTold, events: summary.events };
  const [first] = recordings;
  if (first === undefined) return outcome;
  const file = join(out, `${scenario.name}.parquet`);
  copyFileSync(first.path, file);
  chmodSync(file, 0o600);
  const { recording, comparison } = await checkRecording(file);
  return {
    ...outcome,
    ...tellingViolation(scenario, recording.meta.violations),
    recording: relative(process.cwd(), file),
    ...(comparison ? { reproduced: isSame(comparison) } : {}),
  };
}

function isSame({ missing, added, changed }: NonNullable<RecordingCheck['comparison']>): boolean {
  return missing.length + added.length + changed.length === 0;
}

/** The one the scenario is about, or else whatever was found. */
function tellingViolation(
  { expects }: Scenario,
  violations: readonly Violation[],
): { violation?: Violation } {
  const expected = violations.filter(({ invariant }) => expects.includes(invariant));
  const violation = expected.find(({ severity }) => severity === 'violation') ?? expected[0] ?? violations[0];
  return violation ? { violation } : {};
}
