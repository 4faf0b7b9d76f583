// The host's side of the scenarios: runs them by name inside a booted lab and brings their results and recordings out.

import { basename, join } from 'node:path';
import { LabError } from '../model/errors.ts';
import type { Lab } from './lab.ts';
import type { ScenarioResult } from './scenario-run.ts';

export interface LabScenarios {
  /** The folder of the package, which the guest sees at the same place. */
  readonly root: string;
  readonly lastEvents?: number;
  /** Instead of each scenario's own number. */
  readonly packets?: number;
  readonly timeoutMs?: number;
  readonly onProgress?: (name: string, what: string) => void;
}

/** Results by name; a scenario that failed is an Error in the place of its result. */
export async function runScenariosInLab(
  lab: Lab,
  names: readonly string[],
  options: LabScenarios,
): Promise<Map<string, ScenarioResult | Error>> {
  const results = new Map<string, ScenarioResult | Error>();
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const { name, progress, result, error } = JSON.parse(line) as {
        name: string;
        progress?: string;
        result?: ScenarioResult;
        error?: string;
      };
      if (progress !== undefined) options.onProgress?.(name, progress);
      if (result !== undefined) results.set(name, onHost(result, lab));
      if (error !== undefined) results.set(name, new LabError('SCENARIO', `scenario ${name}: ${error}`));
    }
  };
  const main = join(options.root, 'dist/src/lab/scenario-main.js');
  const words = [
    lab.guestShareDir,
    join(options.root, 'build/workloads'),
    join(options.root, 'test/workloads'),
  ];
  const last = options.lastEvents === undefined ? [] : ['--last', String(options.lastEvents)];
  const packets = options.packets === undefined ? [] : ['--packets', String(options.packets)];
  const { code, stderr } = await lab.run(['node', main, ...last, ...packets, ...words, ...names], {
    cwd: options.root,
    timeoutMs: options.timeoutMs ?? 400_000,
    onStdout: take,
  });
  for (const name of names)
    if (!results.has(name))
      results.set(
        name,
        new LabError('SCENARIO', `scenario ${name} was not run: exit status ${code}\n${stderr.slice(-2000)}`),
      );
  return results;
}

/** Recordings lie in the shared folder, which has another name on this side. */
function onHost(result: ScenarioResult, lab: Lab): ScenarioResult {
  const recordings = result.recordings.map((recording) => ({
    ...recording,
    path: join(lab.shareDir, basename(recording.path)),
  }));
  return { ...result, recordings };
}
