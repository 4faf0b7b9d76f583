// From time to the picture's own coordinate and back: evenly, or by the events that matter, so that all of them can be read.

export interface Scale {
  toU(ts: number): number;
  toTs(u: number): number;
  readonly from: number;
  readonly to: number;
  /** The closest that one can look, in the picture's coordinate. */
  readonly least: number;
  /** Times that have a place of their own; empty where time is even. */
  readonly knots: readonly number[];
}

export function evenScale(from: number, to: number): Scale {
  return {
    toU: (ts) => ts,
    toTs: (u) => u,
    from,
    to,
    least: Math.min(100, (to - from) / 4 || 100),
    knots: [],
  };
}

/** From one event that matters to the next is a step: a little longer the longer it takes, but never out of sight. */
export function storyScale(from: number, to: number, times: readonly number[]): Scale {
  const inside = times.filter((ts) => ts > from && ts < to);
  const knots = [...new Set([from, ...inside, to])].sort((a, b) => a - b);
  const places = [0];
  for (let i = 1; i < knots.length; i++) {
    const micros = ((knots[i] as number) - (knots[i - 1] as number)) / 1000;
    places.push((places[i - 1] as number) + Math.min(3, 1 + 0.4 * Math.log10(1 + micros)));
  }
  return {
    toU: (ts) => interpolate(ts, knots, places),
    toTs: (u) => interpolate(u, places, knots),
    from: 0,
    to: places.at(-1) as number,
    least: 0.05,
    knots,
  };
}

function interpolate(x: number, xs: readonly number[], ys: readonly number[]): number {
  const last = xs.length - 1;
  if (last < 1) return ys[0] ?? 0;
  if (x <= (xs[0] as number)) return ys[0] as number;
  if (x >= (xs[last] as number)) return ys[last] as number;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  const [x0, x1] = [xs[low] as number, xs[high] as number];
  const [y0, y1] = [ys[low] as number, ys[high] as number];
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

/** Round steps of 1, 2 or 5, about `count` of them over the span. */
export function roundSteps(from: number, to: number, count: number): number[] {
  const rough = (to - from) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const steps: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to && steps.length < 100; i++) steps.push(i * step);
  return steps;
}
