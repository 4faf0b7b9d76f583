// The host's side of the scenarios: runs them by name in booted labs and brings their results and recordings out.

import { basename, join } from 'node:path';
import { LabError } from '../model/errors.ts';
import { SCENARIOS } from '../generated/scenarios.ts';
import { type BootOptions, bootLab } from './boot.ts';
import type { Lab } from './lab.ts';
import { type Scenario, shareRecorders } from './scenario.ts';
import type { ScenarioResult } from './scenario-run.ts';

export interface LabScenarios {
  /** The folder of the package, which the guest sees at the same place. */
  readonly root: string;
  readonly lastEvents?: number;
  /** Instead of each scenario's own number. */
  readonly packets?: number;
  /** A recorder for each scenario, although several could share one. */
  readonly alone?: boolean;
  /** For one scenario. What takes longer hangs: it is killed, and has failed. */
  readonly limitMs?: number;
  readonly onProgress?: (name: string, what: string) => void;
}

/**
 * Events of a recording that are turned into Parquet, at which an emulated machine is slow. A recorder is armed anew for
 * each scenario, of which these are all up to the fault: what was told before a window began would be told again by
 * replaying it.
 */
export const SCENARIO_EVENTS = 12_000;

export type ScenarioResults = Map<string, ScenarioResult | Error>;

const defaultLimitMs = 300_000;
/** The guest is booted again so often when the guest itself, not what runs in it, stood still. */
const reboots = 4;
const stoodStill = new Set(['LAB_STANDS_STILL', 'LAB_BOOT_TIMEOUT']);

/**
 * Results by name; a scenario that failed is an Error in the place of its result. An emulated machine that stands still
 * is booted again, which is said loudly, and the rest goes on; a scenario in which it stood still twice has failed.
 */
export async function runScenarios(
  boot: BootOptions,
  names: readonly string[],
  options: LabScenarios,
): Promise<ScenarioResults> {
  const results: ScenarioResults = new Map();
  const stillIn: string[] = [];
  const say = options.onProgress ?? (() => {});
  for (;;) {
    const left = names.filter((name) => !results.has(name));
    const [first] = left;
    if (first === undefined) return results;
    let running = first;
    try {
      await using lab = await bootLab({ wires: wiresOf(names), ...boot });
      say(first, `${lab.kernelVersion} is up after ${(lab.bootMs / 1000).toFixed(1)} s`);
      await runInOneLab(lab, left, results, {
        ...options,
        onProgress: (name, what) => {
          running = name;
          say(name, what);
        },
      });
    } catch (error) {
      if (!(error instanceof LabError) || !stoodStill.has(error.code)) throw error;
      const loud = `THE EMULATED MACHINE STOOD STILL in scenario ${running}: ${error.message}`;
      process.stderr.write(`${loud}\n`);
      say(running, loud.split('\n', 1)[0] as string);
      if (stillIn.includes(running)) results.set(running, error);
      stillIn.push(running);
      if (stillIn.length > reboots)
        for (const name of names) if (!results.has(name)) results.set(name, error);
    }
  }
}

/** What one scenario takes in an emulated machine, and what starting and ending a recorder takes, in seconds. */
const cost = { scenario: 5, recorder: 15 };

/** Divides scenarios among labs that run side by side: those that share a recorder stay together. */
export function divide(scenarios: readonly Scenario[], labs: number): Scenario[][] {
  const parts = Array.from({ length: labs }, () => ({ cost: 0, scenarios: [] as Scenario[] }));
  const costOf = (session: readonly Scenario[]) => cost.recorder + cost.scenario * session.length;
  for (const session of shareRecorders(scenarios).sort((left, right) => costOf(right) - costOf(left))) {
    const least = parts.reduce((best, part) => (part.cost < best.cost ? part : best));
    least.cost += costOf(session);
    least.scenarios.push(...session);
  }
  return parts.map((part) => part.scenarios).filter((part) => part.length > 0);
}

/** The network cards that they need. */
function wiresOf(names: readonly string[]): number {
  return Math.max(0, ...SCENARIOS.filter(({ name }) => names.includes(name)).map(({ wires = 0 }) => wires));
}

/** The same in a lab that is booted already, which a scenario that hangs leaves unfit for the rest. */
export async function runScenariosInLab(
  lab: Lab,
  names: readonly string[],
  options: LabScenarios,
): Promise<ScenarioResults> {
  const results: ScenarioResults = new Map();
  await runInOneLab(lab, names, results, options);
  for (const name of names)
    if (!results.has(name)) results.set(name, new LabError('SCENARIO', `scenario ${name} was not run`));
  return results;
}

/** Until all have a result, or one hangs, which then has its error as a result. */
async function runInOneLab(
  lab: Lab,
  names: readonly string[],
  results: ScenarioResults,
  options: LabScenarios,
): Promise<void> {
  const hanging = new AbortController();
  const limitMs = options.limitMs ?? defaultLimitMs;
  let [running = ''] = names;
  let doing = 'starting';
  let stacks = '';
  let timer: NodeJS.Timeout | undefined;
  const begin = (name: string): void => {
    [running, doing] = [name, 'starting'];
    clearTimeout(timer);
    timer = setTimeout(() => {
      void whereTasksAre(lab).then((where) => {
        stacks = where;
        if (running !== name) return;
        hanging.abort(new Error(`scenario ${running} did not end within ${limitMs / 1000} s (${doing})`));
      });
    }, limitMs);
  };
  const take = eachLine((line) => {
    const { name, progress, result, error } = JSON.parse(line) as {
      name: string;
      progress?: string;
      result?: ScenarioResult;
      error?: string;
    };
    // A result may come when the next scenario is under way.
    if (progress !== undefined) {
      if (name !== running) begin(name);
      doing = progress;
      options.onProgress?.(name, progress);
    }
    if (result !== undefined) results.set(name, onHost(result, lab));
    if (error !== undefined) results.set(name, new LabError('SCENARIO', `scenario ${name}: ${error}`));
  });
  const main = join(options.root, 'dist/src/lab/scenario-main.js');
  const words = [
    lab.guestShareDir,
    join(options.root, 'build/workloads'),
    join(options.root, 'test/workloads'),
  ];
  const last = options.lastEvents === undefined ? [] : ['--last', String(options.lastEvents)];
  const packets = options.packets === undefined ? [] : ['--packets', String(options.packets)];
  const alone = options.alone ? ['--alone'] : [];
  begin(running);
  try {
    const { code, stderr } = await lab.run(
      ['node', main, ...last, ...packets, ...alone, ...words, ...names],
      {
        cwd: options.root,
        // Only if this watch itself fails.
        timeoutMs: limitMs * (names.length + 1) + 60_000,
        signal: hanging.signal,
        onStdout: take,
      },
    );
    // The one that was running has ended the program, and none can be trusted to come after it.
    if (!results.has(running))
      results.set(
        running,
        new LabError('SCENARIO', `scenario ${running}: exit status ${code}\n${stderr.slice(-2000)}`),
      );
  } catch (error) {
    if (!(error instanceof LabError) || stoodStill.has(error.code)) throw error;
    results.set(
      running,
      hanging.signal.aborted ? new LabError('SCENARIO_HUNG', `${error.message}\n${stacks}`) : error,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Says where each program of a living guest waits in the kernel; one that lives no more says nothing. */
async function whereTasksAre(lab: Lab): Promise<string> {
  // Two programs are started, however many there are to be looked at: each start costs an emulated machine dearly.
  const script =
    'for c in $(grep -ls . /proc/[0-9]*/cmdline); do set -- "$@" $c ${c%cmdline}stack; done; grep -as -m 4 . "$@"';
  try {
    return (await lab.run(['sh', '-c', script], { timeoutMs: 30_000 })).stdout.replaceAll('\0', ' ');
  } catch {
    return 'the guest did not say where its programs wait';
  }
}

function eachLine(take: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) take(line);
  };
}

/** Recordings lie in the shared folder, which has another name on this side. */
function onHost(result: ScenarioResult, lab: Lab): ScenarioResult {
  const recordings = result.recordings.map((recording) => ({
    ...recording,
    path: join(lab.shareDir, basename(recording.path)),
  }));
  return { ...result, recordings };
}
