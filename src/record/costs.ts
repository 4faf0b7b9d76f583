// What recording costs: the programs of each path by the kernel's own figures, and this process.

import { PROBE_PATHS } from '../generated/probes.ts';
import type { PathCost, RecordingCosts } from '../model/recording.ts';
import type { KernelRecorder } from '../source/kernel.ts';
import { programFigures, statsTimes } from '../source/shim.ts';

/** A program's runs, run time in ns and recursion misses. */
const FIGURES = 3;

/**
 * The sums of each path's programs, reckoned up from the time sampled to the whole. `figures`: three for each program.
 * Without any time sampled there is nothing to reckon.
 */
export function costsOfPaths(
  programs: readonly string[],
  figures: ArrayLike<bigint>,
  { wallNs, sampledNs }: { readonly wallNs: number; readonly sampledNs: number },
): PathCost[] {
  if (sampledNs <= 0) return [];
  const scale = Math.max(wallNs / sampledNs, 1);
  const costs: PathCost[] = [];
  for (const { path } of PROBE_PATHS) {
    let [runs, ns] = [0, 0];
    for (const [i, program] of programs.entries()) {
      if (!program.startsWith(`${path}_`)) continue;
      runs += Number(figures[i * FIGURES]);
      ns += Number(figures[i * FIGURES + 1]);
    }
    if (runs > 0) costs.push({ path, runs: Math.round(runs * scale), ns: Math.round(ns * scale) });
  }
  return costs.sort((a, b) => b.ns - a.ns);
}

/** Counts from when it is made, which is when the recorder is armed. */
export class CostMeter {
  readonly #kernel: KernelRecorder;
  readonly #before = process.cpuUsage();

  constructor(kernel: KernelRecorder) {
    this.#kernel = kernel;
  }

  read(): RecordingCosts {
    const { handle, programs } = this.#kernel;
    const { wallNs, sampledNs } = statsTimes(handle);
    const { user, system } = process.cpuUsage(this.#before);
    return {
      wallNs,
      sampledNs,
      paths: costsOfPaths(programs, programFigures(handle, programs.length), { wallNs, sampledNs }),
      processNs: (user + system) * 1000,
    };
  }
}
