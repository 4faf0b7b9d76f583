// The built recorder as a process of its own, as people and scripts run it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const CLI = join(ROOT, 'dist/src/cli/main.js');

/** A line that `record --json` prints. */
export interface Told {
  readonly event: string;
  readonly [fact: string]: unknown;
}

export class RecorderProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly told: Told[] = [];
  readonly ended: Promise<number | null>;
  stderr = '';
  #changed: () => void = () => {};

  constructor(words: readonly string[], wrapper: readonly string[] = []) {
    const all = [...wrapper, process.execPath, CLI, 'record', '--json', ...words];
    this.child = spawn(all[0] as string, all.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    this.child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      this.told.push(...lines.map((line) => JSON.parse(line) as Told));
      this.#changed();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve(code);
        this.#changed();
      });
    });
  }

  /** The first event of this name, now or soon. */
  async event(name: string, timeoutMs = 20_000): Promise<Told> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const found = this.told.find(({ event }) => event === name);
      if (found) return found;
      const left = end - Date.now();
      if (left <= 0 || this.child.exitCode !== null)
        throw new Error(`record told no "${name}": ${JSON.stringify(this.told)}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) await this.stop('SIGKILL');
  }
}

/** Starts a recorder and waits until it is armed. */
export async function startRecorder(...words: string[]): Promise<RecorderProcess> {
  const recorder = new RecorderProcess(words);
  await recorder.event('armed');
  return recorder;
}

/** Runs flightring to its end. */
export function flightring(words: readonly string[], wrapper: readonly string[] = []) {
  const all = [...wrapper, process.execPath, CLI, ...words];
  const { status, stdout, stderr } = spawnSync(all[0] as string, all.slice(1), {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

/** Runs a command that must succeed. */
export function sh(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: status ${status}: ${stderr}`);
  return stdout;
}

/** Neighbour activity in two namespaces of its own (test/workloads/neigh-churn.sh). */
export function churn(...words: string[]): void {
  sh('sh', join(ROOT, 'test/workloads/neigh-churn.sh'), ...words);
}

/** A folder that `using` removes. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), 'flightring-kernel-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A file system in memory that `using` unmounts. */
export function smallDisk(options: string) {
  const path = mkdtempSync(join(tmpdir(), 'flightring-disk-'));
  sh('mount', '-t', 'tmpfs', '-o', options, 'flightring-test', path);
  return {
    path,
    [Symbol.dispose]: () => {
      sh('umount', path);
      rmSync(path, { recursive: true });
    },
  };
}
