// Lengths of time counted in classes of equal ratio, so that any number of them takes the same room.

/** Classes to a doubling: a class is 4.4 % wide. */
const STEPS = 16;
const CLASSES = 64 * STEPS;
/** How sure a bound is, in standard deviations: 99.7 % of all repetitions lie within. */
export const SIGMAS = 3;

/** A quantile with the bounds that so many values leave it; null where they are too few to tell. */
export interface Quantile {
  readonly value: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

export class Histogram {
  readonly #counts = new Float64Array(CLASSES);
  total = 0;

  add(ns: number): void {
    const step = ns < 1 ? 0 : Math.min(CLASSES - 1, Math.floor(Math.log2(ns) * STEPS));
    this.#counts[step] = (this.#counts[step] as number) + 1;
    this.total++;
  }

  /** The bounds are order statistics: they hold whatever the values are like, if they don't depend on each other. */
  quantile(p: number): Quantile {
    const rank = p * this.total;
    const doubt = SIGMAS * Math.sqrt(this.total * p * (1 - p));
    return {
      value: this.#valueAt(rank),
      lower: rank - doubt < 0 ? null : this.#valueAt(rank - doubt),
      upper: rank + doubt > this.total ? null : this.#valueAt(rank + doubt),
    };
  }

  /** The middle of the class that the value of this rank is in. */
  #valueAt(rank: number): number {
    let seen = 0;
    for (let step = 0; step < CLASSES; step++) {
      seen += this.#counts[step] as number;
      if (seen > 0 && seen >= rank) return 2 ** ((step + 0.5) / STEPS);
    }
    return 0;
  }
}
