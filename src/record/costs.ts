// What recording costs: the programs of each path by the kernel's own figures, and this process.

import { PROBE_PATHS } from '../generated/probes.ts';
import type { PathCost, ProbeCost, RecordingCosts } from '../model/recording.ts';
import type { KernelRecorder } from '../source/kernel.ts';
import { programFigures, statsTimes } from '../source/shim.ts';

/** A program's runs, run time in ns and recursion misses. */
const FIGURES = 3;

/**
 * What each probe's programs ran and took, reckoned up from the time sampled to the whole, those that never ran left
 * out. `figures`: three for each program. Without any time sampled there is nothing to reckon.
 */
export function costsOfProbes(
  programs: readonly string[],
  figures: ArrayLike<bigint>,
  { wallNs, sampledNs }: { readonly wallNs: number; readonly sampledNs: number },
): ProbeCost[] {
  if (sampledNs <= 0) return [];
  const scale = Math.max(wallNs / sampledNs, 1);
  const sums = new Map<string, { runs: number; ns: number }>();
  for (const [i, program] of programs.entries()) {
    const probe = program.replace(/__\w+$/, '');
    const sum = sums.get(probe) ?? { runs: 0, ns: 0 };
    sum.runs += Number(figures[i * FIGURES]);
    sum.ns += Number(figures[i * FIGURES + 1]);
    sums.set(probe, sum);
  }
  return [...sums]
    .filter(([, { runs }]) => runs > 0)
    .map(([probe, { runs, ns }]) => ({ probe, runs: Math.round(runs * scale), ns: Math.round(ns * scale) }))
    .sort((a, b) => b.ns - a.ns);
}

/** The sums of each path's probes, the dearest path first. */
export function costsOfPaths(probes: readonly ProbeCost[]): PathCost[] {
  return PROBE_PATHS.map(({ path }) => {
    const own = probes.filter(({ probe }) => probe.startsWith(`${path}_`));
    const sum = (member: 'runs' | 'ns') => own.reduce((total, cost) => total + cost[member], 0);
    return { path, runs: sum('runs'), ns: sum('ns') };
  })
    .filter(({ runs }) => runs > 0)
    .sort((a, b) => b.ns - a.ns);
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
    const probes = costsOfProbes(programs, programFigures(handle, programs.length), { wallNs, sampledNs });
    return {
      wallNs,
      sampledNs,
      paths: costsOfPaths(probes),
      probes,
      processNs: (user + system) * 1000,
    };
  }
}
