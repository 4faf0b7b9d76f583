// Runs one scenario on the kernel it is started on: sets the scene, records, causes the fault, and tells what came of it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../model/errors.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { type Exported, record, type RecordSummary } from '../record/record.ts';
import { runsOn, type Scenario, scenarioOn } from './scenario.ts';

export interface ScenarioResult {
  readonly name: string;
  /** Release of the kernel it ran on. */
  readonly kernel: string;
  readonly attachMs: number;
  readonly recordings: readonly Exported[];
  readonly summary: RecordSummary;
  /** What the workload said: its fault and its figures. */
  readonly workload: readonly unknown[];
  readonly coverage: readonly ProbeCoverage[];
}

export interface ScenarioOptions {
  /** The folder of the workloads' sources and of what was built from them. */
  readonly workloads: string;
  readonly built: string;
  readonly out: string;
  /** Recordings hold at most the last so many events. */
  readonly lastEvents?: number;
  readonly onProgress?: (what: string) => void;
}

/** How long an emulated machine may take from the fault to the Parquet file. */
const RECORDING_MS = 40_000;

function sh(command: string, words: readonly string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0)
    throw new LabError(
      'SCENE',
      `${command} ${words.join(' ')} failed: ${stderr.trim() || `status ${status}`}`,
    );
}

/**
 * A kernel may have done away with a module, or have moved what it held: what a scenario then misses, its workload and
 * the recorder's coverage say in words of their own.
 */
function loadModules(modules: readonly string[], { onProgress = () => {} }: ScenarioOptions): void {
  const { status, stderr } = spawnSync('modprobe', ['-a', ...modules], { encoding: 'utf8' });
  if (status === 0) return;
  const complaints = stderr.trim().split('\n');
  const unknown = complaints.map((line) => / Module (\S+) not found in directory /.exec(line)?.[1]);
  if (unknown.includes(undefined))
    throw new LabError('SCENE', `modprobe -a ${modules.join(' ')} failed: ${stderr.trim()}`);
  onProgress(`this kernel has no module ${unknown.join(' and no module ')}`);
}

/** A program in a namespace, with the JSON lines it prints. */
function start(
  netns: string | null,
  words: readonly string[],
  lines: unknown[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; ended: Promise<number> } {
  const all = netns === null ? words : ['ip', 'netns', 'exec', netns, ...words];
  const child = spawn(all[0] as string, all.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      try {
        lines.push(JSON.parse(part));
      } catch {
        lines.push(part);
      }
    }
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { child, ended };
}

/** How a program or script of test/workloads is started. */
function commandOf([program = '', ...words]: readonly string[], options: ScenarioOptions): string[] {
  return program.endsWith('.sh')
    ? ['sh', join(options.workloads, program), ...words]
    : [join(options.built, program), ...words];
}

/** By which scripts find each other. */
function places({ built, workloads }: ScenarioOptions): Readonly<Record<string, string>> {
  return { FLIGHTRING_BUILT: built, FLIGHTRING_WORKLOADS: workloads };
}

async function waitFor(what: string, condition: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new LabError('SCENE_TIMEOUT', `${what} took longer than ${ms / 1000} s`);
    await sleep(50);
  }
}

/** Waits for a recording; that there is none is for the caller to judge. */
async function recorded(enough: () => boolean): Promise<void> {
  const end = Date.now() + RECORDING_MS;
  while (!enough() && Date.now() < end) await sleep(50);
}

/** Lets the forwarder carry the scenario's packets. */
async function forward(
  scenario: Scenario,
  options: ScenarioOptions,
  lines: unknown[],
  enough: () => boolean,
): Promise<void> {
  const progress = options.onProgress ?? (() => {});
  const [script, pairs] = scenario.wires
    ? ['wire-topology.sh', 'pairs of network cards']
    : ['veth-topology.sh', 'veth pairs'];
  const topology = join(options.workloads, script);
  progress(`building four namespaces and two ${pairs}`);
  sh('sh', [topology, 'up', ...(scenario.topology ?? [])]);
  const ready = `/tmp/flightring-ready-${process.pid}`;
  const forwarder = start(
    'fr-outer',
    [join(options.built, 'xsk-forwarder'), '--ready-file', ready, '--stats', ...scenario.words],
    lines,
  );
  let beside: ReturnType<typeof start> | undefined;
  try {
    await waitFor(
      'starting the forwarder',
      () => existsSync(ready) || forwarder.child.exitCode !== null,
      30_000,
    );
    if (scenario.beside) beside = start(null, commandOf(scenario.beside, options), lines, places(options));
    if (scenario.packets) {
      const { packets, rate } = { packets: scenario.packets, rate: scenario.rate ?? 1000 };
      progress(`sending ${packets} packets through it`);
      const traffic = join(options.built, 'udp-traffic');
      const tally = `/tmp/flightring-tally-${process.pid}`;
      rmSync(tally, { force: true });
      const receiver = start('fr-right', [traffic, 'recv', '--tally-file', tally], lines);
      const pace = ['--count', String(packets), '--rate', String(rate)];
      const closed = scenario.window ? ['--tally-file', tally, '--window', String(scenario.window)] : [];
      const sender = start('fr-left', [traffic, 'send', '--to', '10.77.0.2', ...pace, ...closed], lines);
      await sender.ended;
      await sleep(500);
      receiver.child.kill('SIGTERM');
      await receiver.ended;
    }
    if (scenario.expects.length > 0) await recorded(enough);
  } finally {
    beside?.child.kill('SIGTERM');
    await beside?.ended;
    forwarder.child.kill('SIGTERM');
    await forwarder.ended;
    sh('sh', [topology, 'down']);
  }
}

/** A program or script of test/workloads, to its end. */
async function runProgram(
  all: readonly string[],
  options: ScenarioOptions,
  lines: unknown[],
  packets?: number,
): Promise<void> {
  options.onProgress?.(`running ${all.join(' ')}`);
  const volume = packets === undefined ? {} : { FLIGHTRING_PACKETS: String(packets) };
  const env = { ...places(options), ...volume };
  const status = await start(null, commandOf(all, options), lines, env).ended;
  if (status !== 0)
    throw new LabError('SCENE', `${all.join(' ')} ended with status ${status}: ${lines.join('; ')}`);
}

/** Runs the scenario once; the recorder ends with it. */
export async function runScenario(given: Scenario, options: ScenarioOptions): Promise<ScenarioResult> {
  const kernel = release();
  if (!runsOn(given, kernel))
    throw new LabError(
      'SCENE',
      `the scenario ${given.name} needs Linux ${given.since}, and this is ${kernel}`,
    );
  const scenario = scenarioOn(given, kernel);
  if (scenario.modules) loadModules(scenario.modules, options);
  const workload: unknown[] = [];
  if (scenario.before) await runProgram(scenario.before, options, workload);
  const lastEvents = scenario.lastEvents ?? options.lastEvents;
  const started = performance.now();
  const recorder = await record({
    paths: scenario.paths,
    out: options.out,
    afterNs: scenario.tripwire ? 0 : (scenario.afterMs ?? 2) * 1e6,
    once: scenario.expects.length > 0,
    ...(lastEvents === undefined ? {} : { lastEvents }),
    ...(scenario.freezeOn ? { freezeOn: scenario.freezeOn } : {}),
    ...(scenario.keep ? { exportOnStop: true } : {}),
    ...(scenario.attach ? { attach: scenario.attach } : {}),
    ...(scenario.snaplen ? { snaplen: scenario.snaplen } : {}),
  });
  const attachMs = performance.now() - started;
  options.onProgress?.(
    `recording: ${recorder.coverage.filter(({ status }) => status === 'attached').length} probes attached`,
  );
  const recordings: Exported[] = [];
  let failed = false;
  recorder.on('exported', (exported) => recordings.push(exported));
  recorder.on('failed', () => {
    failed = true;
  });
  let known = false;
  recorder.on('snapshot', () => {
    known = true;
  });
  const enough = () => recordings.length > 0 || failed;
  try {
    if (scenario.workload === 'forwarder') await forward(scenario, options, workload, enough);
    else {
      if (scenario.before) await waitFor('taking the snapshot', () => known, 30_000);
      await runProgram(scenario.words, options, workload, scenario.packets);
      if (scenario.expects.length > 0) {
        options.onProgress?.('waiting for the recording');
        await recorded(enough);
      } else await sleep(scenario.settleMs ?? 300);
    }
  } catch (error) {
    await recorder.stop();
    throw error;
  }
  options.onProgress?.('ending the recorder');
  const summary = await recorder.stop();
  return {
    name: scenario.name,
    kernel,
    attachMs,
    recordings,
    summary,
    workload,
    coverage: recorder.coverage,
  };
}
