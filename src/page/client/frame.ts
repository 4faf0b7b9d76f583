// What one drawing of the picture is made from.

import type { PageViolation } from '../model.ts';
import type { Recording } from './data.ts';
import type { Lanes } from './lanes.ts';
import type { Scale } from './scale.ts';

export interface Frame {
  readonly recording: Recording;
  readonly lanes: Lanes;
  readonly violation: PageViolation | undefined;
  readonly scale: Scale;
  /** What is in sight, in the scale's coordinate. */
  readonly from: number;
  readonly to: number;
  /** The plot, in pixels. */
  readonly left: number;
  readonly right: number;
  /** The time that offsets count from. */
  readonly zero: number;
  readonly selected: number;
  /** Rows that were searched for; null when nothing is. */
  readonly hits: ReadonlySet<number> | null;
  x(ts: number): number;
  tsAt(x: number): number;
}

export function frameOf(parts: Omit<Frame, 'x' | 'tsAt'>): Frame {
  const { scale, from, to, left, right } = parts;
  const perU = (right - left) / (to - from);
  return {
    ...parts,
    x: (ts) => left + (scale.toU(ts) - from) * perU,
    tsAt: (x) => scale.toTs(from + (x - left) / perU),
  };
}

/** Kept inside the plot and a bit around it, so that nothing is drawn a million pixels wide. */
export function clampX({ left, right }: Frame, x: number): number {
  return Math.min(right + 40, Math.max(left - 40, x));
}

/** About how wide a text is, in the fonts of the picture. */
export function textWidth(text: string, size = 11): number {
  return text.length * size * 0.6;
}

export function shorten(text: string, width: number, size = 11): string {
  const most = Math.floor(width / (size * 0.6));
  if (text.length <= most) return text;
  return most < 2 ? '' : `${text.slice(0, most - 1)}…`;
}
