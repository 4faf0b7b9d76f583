// Which share of the rings, and so which path, a kind of event belongs to.

import { LAYOUTS, SHARES } from '../generated/layouts.ts';
import { GAP_KIND } from '../model/slot.ts';

/** A set of shares as bits by number. */
export type ShareSet = number;

/** What an old recording's gaps are about: it doesn't say. */
const ALL_SHARES: ShareSet = (1 << SHARES.length) - 1;

/** By kind of event: the number of its share, -1 for gaps, which are in none. */
export const SHARE_OF_KIND = Int8Array.from(LAYOUTS, ({ path }) => SHARES.indexOf(path));

/** The shares of these kinds; kinds that nobody knows have none. */
export function sharesOf(kinds: readonly string[]): ShareSet {
  let set: ShareSet = 0;
  for (const { kind, number } of LAYOUTS)
    if (number !== GAP_KIND && kinds.includes(kind)) set |= 1 << (SHARE_OF_KIND[number] as number);
  return set;
}

/** The share of a path's name as a gap carries it; all of them if the gap names none that is known. */
export function sharesOfName(path: string): ShareSet {
  const number = SHARES.indexOf(path);
  return number < 0 ? ALL_SHARES : 1 << number;
}
