// What recording cost, in a line for each path.

import type { RecordingCosts } from '../model/recording.ts';
import { formatCount, formatSpan } from './span.ts';

/** `0.42 %`, `12.3 %`; what is less than a thousandth of a percent is said so. */
function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.001) return '< 0.001 %';
  return `${percent >= 10 ? percent.toFixed(1) : percent.toFixed(3)} %`;
}

/** Shares are of one CPU. */
export function costLines({ wallNs, sampledNs, paths, processNs }: RecordingCosts): string[] {
  const seconds = (ns: number) => `${(ns / 1e9).toFixed(1)} s`;
  const rows = [
    ...paths.map(({ path, runs, ns }) => ({
      name: path,
      share: formatShare(ns / wallNs),
      runs: `${formatCount(runs)} runs`,
      each: `${formatSpan(ns / runs)} each`,
    })),
    { name: 'recorder', share: formatShare(processNs / wallNs), runs: '', each: 'its own process' },
  ];
  const [name, share, count] = (['name', 'share', 'runs'] as const).map((column) =>
    Math.max(...rows.map((row) => row[column].length)),
  ) as [number, number, number];
  const sampled =
    sampledNs > 0
      ? `programs sampled over ${seconds(sampledNs)} of ${seconds(wallNs)}`
      : `${seconds(wallNs)}; the kernel's figures of programs need CAP_SYS_ADMIN`;
  return [
    `cost in CPU time of one CPU (${sampled}):`,
    ...rows.map((row) => {
      const runs = row.runs === '' ? '' : `${row.runs.padStart(count)}  `;
      return `  ${row.name.padEnd(name)}  ${row.share.padStart(share)}  ${runs}${row.each}`;
    }),
  ];
}
