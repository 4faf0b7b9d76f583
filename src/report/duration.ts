// Lengths of time as people type them.

import { UsageError } from '../model/errors.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  min: 60e9,
};

/** `5ms`, `1.5s`, `-0.2` (seconds) in ns. `option` is named in the error. */
export function parseDuration(text: string, option: string): number {
  const match = /^([-+]?(?:\d+\.?\d*|\.\d+))\s*([a-zµμ]*)$/i.exec(text.trim());
  const unit = match?.[2] === '' ? 1e9 : UNITS[match?.[2]?.toLowerCase() ?? '-'];
  if (!match || unit === undefined)
    throw new UsageError('BAD_DURATION', `${option} takes a time like 5ms, 200us or 1.5s, not "${text}".`);
  return Math.round(Number(match[1]) * unit);
}

/** A length of time that isn't negative. */
export function parseSpan(text: string, option: string): number {
  const ns = parseDuration(text, option);
  if (ns < 0) throw new UsageError('BAD_DURATION', `${option} takes no negative time like "${text}".`);
  return ns;
}
