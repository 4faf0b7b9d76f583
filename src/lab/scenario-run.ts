// Runs scenarios on the kernel it is started on: sets the scene, records, causes the fault, and tells what came of it.
// Scenarios that ask the same of a recorder share one, which is armed anew for each.

import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../model/errors.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { type Exported, record, type Recorder, type RecordSummary } from '../record/record.ts';
import { runsOn, type Scenario, scenarioOn } from './scenario.ts';
import { forward, loadModules, runProgram, waitFor, type WorkloadOptions } from './scenario-workload.ts';

export interface ScenarioResult {
  readonly name: string;
  /** Release of the kernel it ran on. */
  readonly kernel: string;
  readonly attachMs: number;
  readonly recordings: readonly Exported[];
  /** What the recorder counted while the scenario ran; its costs are those of all scenarios so far. */
  readonly summary: RecordSummary;
  /** What the workload said: its fault and its figures. */
  readonly workload: readonly unknown[];
  readonly coverage: readonly ProbeCoverage[];
}

export interface ScenarioOptions extends Omit<WorkloadOptions, 'onProgress'> {
  readonly out: string;
  /** Recordings hold at most the last so many events. */
  readonly lastEvents?: number;
  /** The process ends next, and its probes with it: taking dozens off takes an emulated kernel many seconds. */
  readonly leave?: boolean;
  readonly onProgress?: (name: string, what: string) => void;
}

/** How long an emulated machine may take from the fault to the frozen bank, and on to the Parquet file. */
const FREEZE_MS = 40_000;
const EXPORT_MS = 120_000;

/** Runs one scenario with a recorder of its own. */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<ScenarioResult> {
  const results: (ScenarioResult | Error)[] = [];
  await runTogether([scenario], options, (_, result) => results.push(result));
  const [result = new LabError('SCENE', `scenario ${scenario.name} has no result`)] = results;
  if (result instanceof Error) throw result;
  return result;
}

/**
 * Runs scenarios that share a recorder. One that fails, or that this kernel can't run, has an Error as its result; those
 * after it get a new recorder.
 */
export async function runTogether(
  given: readonly Scenario[],
  options: ScenarioOptions,
  onResult: (name: string, result: ScenarioResult | Error) => void,
): Promise<void> {
  const kernel = release();
  for (const { name, since } of given.filter((scenario) => !runsOn(scenario, kernel)))
    onResult(name, new LabError('SCENE', `the scenario ${name} needs Linux ${since}, and this is ${kernel}`));
  let left = given.filter((scenario) => runsOn(scenario, kernel)).map((one) => scenarioOn(one, kernel));
  while (left.length > 0) {
    const failed = await runSession(left, options, onResult);
    left = failed === undefined ? [] : left.slice(left.indexOf(failed) + 1);
  }
}

/** With one recorder, up to the first that fails, which is returned. */
async function runSession(
  scenarios: readonly Scenario[],
  options: ScenarioOptions,
  onResult: (name: string, result: ScenarioResult | Error) => void,
): Promise<Scenario | undefined> {
  let [running] = scenarios as [Scenario];
  let session: Session | undefined;
  try {
    session = await Session.open(scenarios, options);
    for (const scenario of scenarios) {
      running = scenario;
      await session.run(scenario, onResult);
    }
    await session.results();
    if (options.leave) return undefined;
    options.onProgress?.(running.name, 'ending the recorder');
    await session.end();
    return undefined;
  } catch (error) {
    await session?.results();
    await session?.end().catch(() => {});
    onResult(running.name, error instanceof Error ? error : new Error(String(error)));
    return running;
  }
}

/** A recorder, and what the scenarios that it serves have come to. */
class Session {
  readonly #recorder: Recorder;
  readonly #options: ScenarioOptions;
  readonly #attachMs: number;
  /** By scenario, what its workload said before recording began. */
  readonly #said: ReadonlyMap<string, readonly unknown[]>;
  /** By path, from the freeze on; a sentence for what could not be exported. */
  readonly #exports = new Map<string, Exported | string | undefined>();
  readonly #results: Promise<void>[] = [];

  private constructor(
    recorder: Recorder,
    options: ScenarioOptions,
    attachMs: number,
    said: ReadonlyMap<string, readonly unknown[]>,
  ) {
    this.#recorder = recorder;
    this.#options = options;
    this.#attachMs = attachMs;
    this.#said = said;
    recorder.on('frozen', ({ path }) => this.#exports.set(path, undefined));
    recorder.on('exported', (exported) => this.#exports.set(exported.path, exported));
    recorder.on('failed', ({ path, message }) => this.#exports.set(path, message));
  }

  static async open(scenarios: readonly Scenario[], options: ScenarioOptions): Promise<Session> {
    const [first] = scenarios as [Scenario];
    const progress = (what: string) => options.onProgress?.(first.name, what);
    const modules = [...new Set(scenarios.flatMap((scenario) => scenario.modules ?? []))];
    if (modules.length > 0) loadModules(modules, { ...options, onProgress: progress });
    const said = new Map<string, unknown[]>(scenarios.map(({ name }) => [name, []]));
    for (const { name, before } of scenarios)
      if (before) await runProgram(before, { ...options, onProgress: progress }, said.get(name) ?? []);
    const started = performance.now();
    const lastEvents = first.lastEvents ?? options.lastEvents;
    const recorder = await record({
      paths: [...new Set(scenarios.flatMap(({ paths }) => paths))],
      out: options.out,
      rearm: 'by-hand',
      ...(lastEvents === undefined ? {} : { lastEvents }),
      ...(first.attach ? { attach: first.attach } : {}),
      ...(first.snaplen ? { snaplen: first.snaplen } : {}),
    });
    const attachMs = performance.now() - started;
    let isKnown = false;
    recorder.on('snapshot', () => {
      isKnown = true;
    });
    const attached = recorder.coverage.filter(({ status }) => status === 'attached').length;
    progress(`recording: ${attached} probes attached`);
    const session = new Session(recorder, options, attachMs, said);
    if (first.before) await waitFor('taking the snapshot', () => isKnown, 30_000);
    return session;
  }

  /** The result may come when the next scenario is under way: recordings are exported meanwhile. */
  async run(scenario: Scenario, onResult: (name: string, result: ScenarioResult) => void): Promise<void> {
    const { name, keep, expects } = scenario;
    const onProgress = (what: string) => this.#options.onProgress?.(name, what);
    const options: WorkloadOptions = { ...this.#options, onProgress };
    const plan = { freezeOn: scenario.freezeOn ?? ('violation' as const), afterNs: afterNsOf(scenario) };
    const before = await this.#recorder.rearm(plan);
    const earlier = new Set(this.#exports.keys());
    const own = () => [...this.#exports].filter(([path]) => !earlier.has(path));
    const frozen = async () => {
      onProgress('waiting for the freeze');
      const end = Date.now() + FREEZE_MS;
      while (own().length === 0 && Date.now() < end) await sleep(20);
    };
    const workload = [...(this.#said.get(name) ?? [])];
    if (scenario.workload === 'forwarder') await forward(scenario, options, workload, frozen);
    else {
      await runProgram(scenario.words, options, workload, scenario.packets);
      if (expects.length > 0) await frozen();
      else await sleep(scenario.settleMs ?? 300);
    }
    if (keep) {
      this.#recorder.freeze();
      await frozen();
    }
    onProgress('looking at what was counted');
    const after = await this.#recorder.rearm();
    const paths = own().map(([path]) => path);
    this.#results.push(
      this.#exported(paths).then(({ recordings, failures }) =>
        onResult(name, {
          name,
          kernel: release(),
          attachMs: this.#attachMs,
          recordings,
          summary: { ...since(before, after), recordings, failures },
          workload,
          coverage: this.#recorder.coverage,
        }),
      ),
    );
  }

  /** Resolves when all results are there. */
  async results(): Promise<void> {
    await Promise.all(this.#results);
  }

  async end(): Promise<void> {
    await this.#recorder.stop();
  }

  /** Waits for the recordings, and says which could not be had. */
  async #exported(paths: readonly string[]): Promise<{ recordings: Exported[]; failures: string[] }> {
    const end = Date.now() + EXPORT_MS;
    while (paths.some((path) => this.#exports.get(path) === undefined) && Date.now() < end) await sleep(20);
    const recordings: Exported[] = [];
    const failures: string[] = [];
    for (const path of paths) {
      const exported = this.#exports.get(path) ?? `${path} was not exported within ${EXPORT_MS / 1000} s`;
      if (typeof exported === 'string') failures.push(exported);
      else recordings.push(exported);
    }
    return { recordings, failures };
  }
}

/** 0 where a tripwire in the kernel freezes. */
function afterNsOf({ tripwire, afterMs = 2 }: Scenario): number {
  return tripwire ? 0 : afterMs * 1e6;
}

/** What was counted from one time to another. */
function since(before: RecordSummary, after: RecordSummary): RecordSummary {
  const numbers = <T extends object>(from: T, to: T): T =>
    Object.fromEntries(
      Object.entries(to).map(([name, value]) => {
        const old = (from as Record<string, unknown>)[name];
        return [name, typeof value === 'number' ? value - (typeof old === 'number' ? old : 0) : value];
      }),
    ) as T;
  const none = { checked: 0, fired: 0, unplaced: 0, evicted: 0, unknown: 0 };
  return {
    ...numbers(before, after),
    lostOf: numbers(before.lostOf, after.lostOf),
    counts: Object.fromEntries(
      Object.entries(after.counts).map(([name, to]) => [name, numbers(before.counts[name] ?? none, to)]),
    ),
  };
}
