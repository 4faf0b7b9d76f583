// What a scenario does: its modules, its programs, and the traffic through the forwarder.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../model/errors.ts';
import type { Scenario } from './scenario.ts';

export interface WorkloadOptions {
  /** The folder of the workloads' sources and of what was built from them. */
  readonly workloads: string;
  readonly built: string;
  readonly onProgress?: (what: string) => void;
}

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
export function loadModules(modules: readonly string[], { onProgress = () => {} }: WorkloadOptions): void {
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
function commandOf([program = '', ...words]: readonly string[], options: WorkloadOptions): string[] {
  return program.endsWith('.sh')
    ? ['sh', join(options.workloads, program), ...words]
    : [join(options.built, program), ...words];
}

/** By which scripts find each other. */
function places({ built, workloads }: WorkloadOptions): Readonly<Record<string, string>> {
  return { FLIGHTRING_BUILT: built, FLIGHTRING_WORKLOADS: workloads };
}

export async function waitFor(what: string, condition: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new LabError('SCENE_TIMEOUT', `${what} took longer than ${ms / 1000} s`);
    await sleep(50);
  }
}

/** Lets the forwarder carry the scenario's packets. */
export async function forward(
  scenario: Scenario,
  options: WorkloadOptions,
  lines: unknown[],
  recorded: () => Promise<void>,
): Promise<void> {
  const progress = options.onProgress ?? (() => {});
  const [script, pairs] = scenario.wires
    ? ['wire-topology.sh', 'pairs of network cards']
    : ['veth-topology.sh', 'veth pairs'];
  const topology = join(options.workloads, script);
  progress(`building four namespaces and two ${pairs}`);
  sh('sh', [topology, 'up', ...(scenario.topology ?? [])]);
  const ready = `/tmp/flightring-ready-${process.pid}`;
  rmSync(ready, { force: true });
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
    if (scenario.expects.length > 0) await recorded();
  } finally {
    beside?.child.kill('SIGTERM');
    await beside?.ended;
    forwarder.child.kill('SIGTERM');
    await forwarder.ended;
    sh('sh', [topology, 'down']);
  }
}

/** A program or script of test/workloads, to its end. */
export async function runProgram(
  all: readonly string[],
  options: WorkloadOptions,
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
