// Two profiles against each other: figures that differ, by how much they do so for sure.

import { LAYOUTS } from '../generated/layouts.ts';
import { SIGMAS, type Quantile } from './histogram.ts';
import type { Move, Profile } from './profile.ts';

/** `rate`: events per second. `share`: of all that an object did next. `p50`, `p99`: ns from one event to the next. */
export type Measure = 'rate' | 'share' | 'p50' | 'p99';

export interface Difference {
  readonly measure: Measure;
  /** A kind, or `from → to`. */
  readonly subject: string;
  readonly path: string;
  readonly a: number;
  readonly b: number;
  /** Events behind each figure. */
  readonly counts: readonly [number, number];
  /** How many times as large the larger figure is at least, given how few events there are; 1 if it may be chance. */
  readonly atLeast: number;
}

interface Interval {
  readonly lower: number;
  readonly upper: number;
}

const PATH_OF = new Map(LAYOUTS.map(({ kind, path }) => [kind, path]));

/** Every figure that is not the same, those that differ most for sure first. */
export function compareProfiles(a: Profile, b: Profile): Difference[] {
  return [...rates(a, b), ...moves(a, b)]
    .filter((difference) => difference.a !== difference.b)
    .sort(
      (one, other) =>
        other.atLeast - one.atLeast ||
        Math.max(...other.counts) - Math.max(...one.counts) ||
        (one.subject < other.subject ? -1 : 1),
    );
}

function* rates(a: Profile, b: Profile): Generator<Difference> {
  for (const kind of new Set([...a.kinds.keys(), ...b.kinds.keys()])) {
    const path = PATH_OF.get(kind) ?? '';
    const [x, y] = [a, b].map(({ kinds, observedNs }) => ({
      count: kinds.get(kind) ?? 0,
      per: (observedNs.get(path) ?? 0) / 1e9,
    })) as [Counted, Counted];
    // Without time there is no rate.
    if (x.per === 0 || y.per === 0) continue;
    yield { measure: 'rate', subject: kind, path, ...compareCounts(x, y) };
  }
}

function* moves(a: Profile, b: Profile): Generator<Difference> {
  const leaving = [a, b].map(leavingOf) as [Map<string, number>, Map<string, number>];
  for (const name of new Set([...a.moves.keys(), ...b.moves.keys()])) {
    const pair = [a.moves.get(name), b.moves.get(name)] as const;
    const from = (pair[0] ?? (pair[1] as Move)).from;
    const about = { subject: name, path: PATH_OF.get(from) ?? '' };
    const [x, y] = pair.map((move, i) => ({
      count: move?.latency.total ?? 0,
      per: leaving[i as 0 | 1].get(from) ?? 0,
    })) as [Counted, Counted];
    // Where nothing ever left `from`, there is no share of it.
    if (x.per > 0 && y.per > 0) yield { measure: 'share', ...about, ...compareCounts(x, y) };
    if (!pair[0] || !pair[1]) continue;
    for (const [measure, p] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const [one, other] = [pair[0].latency.quantile(p), pair[1].latency.quantile(p)];
      yield {
        measure,
        ...about,
        a: one.value,
        b: other.value,
        counts: [x.count, y.count],
        atLeast: apart(boundsOf(one), boundsOf(other)),
      };
    }
  }
}

function leavingOf({ moves: all }: Profile): Map<string, number> {
  const leaving = new Map<string, number>();
  for (const { from, latency } of all.values()) leaving.set(from, (leaving.get(from) ?? 0) + latency.total);
  return leaving;
}

interface Counted {
  readonly count: number;
  readonly per: number;
}

function compareCounts(x: Counted, y: Counted): Pick<Difference, 'a' | 'b' | 'counts' | 'atLeast'> {
  return {
    a: x.count / x.per,
    b: y.count / y.per,
    counts: [x.count, y.count],
    atLeast: apart(countBounds(x), countBounds(y)),
  };
}

/** Score interval of a Poisson count: of no event at all, up to nine could have been expected. */
function countBounds({ count, per }: Counted): Interval {
  const middle = count + SIGMAS ** 2 / 2;
  const doubt = SIGMAS * Math.sqrt(count + SIGMAS ** 2 / 4);
  return { lower: Math.max(0, middle - doubt) / per, upper: (middle + doubt) / per };
}

function boundsOf({ lower, upper }: Quantile): Interval {
  return { lower: lower ?? 0, upper: upper ?? Number.POSITIVE_INFINITY };
}

/** The ratio of the ends that face each other; 1 if the intervals meet. */
function apart(a: Interval, b: Interval): number {
  const ratio = Math.max(a.lower / b.upper, b.lower / a.upper);
  return Number.isFinite(ratio) && ratio > 1 ? ratio : 1;
}
