// How each CPU's ring is divided among the paths that are recorded.

import { SHARES } from '../generated/layouts.ts';
import { SIDE_PATHS } from '../model/probe.ts';
import type { Share } from './shim.ts';

/** Paths whose events come with every packet; the others' come with changes of configuration. */
const DATA_PATHS: readonly string[] = ['xsk'];
/** However little is asked for, a share has room for a burst. */
const LEAST = 4096;
/** The verifier takes no offset of 512 MiB or more into a ring: the shares beside a long one have an end. */
const MOST_BESIDE = 1 << 18;

/**
 * The shares by number. A data path gets `slots`, and so does a path that is recorded alone; beside a data path every other
 * one gets a quarter of that, without one the whole; names of threads and marks get a sixteenth. What is not recorded gets
 * none.
 */
export function sharesFor(paths: readonly string[], slots: number): Share[] {
  const recorded = SHARES.filter((path) => paths.includes(path) && !SIDE_PATHS.includes(path));
  const data = recorded.some((path) => DATA_PATHS.includes(path));
  const part = (divisor: number) => Math.min(slots, MOST_BESIDE, Math.max(slots / divisor, LEAST));
  return SHARES.map((path) => {
    if (path !== 'task' && !paths.includes(path)) return { path, slots: 0 };
    if (SIDE_PATHS.includes(path)) return { path, slots: part(16) };
    if (DATA_PATHS.includes(path) || recorded.length === 1) return { path, slots };
    return { path, slots: part(data ? 4 : 1) };
  });
}

/** Slots that all shares have together. */
export function slotsOf(shares: readonly Share[]): number {
  return shares.reduce((sum, { slots }) => sum + slots, 0);
}
