// Times and counts as people write them.

/** Seconds of CLOCK_MONOTONIC with microseconds, as ftrace prints them. */
export function formatSeconds(ns: number): string {
  const micros = Math.floor(ns / 1000);
  return `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
}

/** A length of time in three digits: `850ns`, `12.3µs`, `1.20ms`, `2.83s`. */
export function formatSpan(ns: number): string {
  const length = Math.abs(ns);
  if (length < 1e3) return `${Math.round(length)}ns`;
  for (const [unit, size] of [
    ['µs', 1e3],
    ['ms', 1e6],
  ] as const)
    if (length / size < 999.5) return `${threeDigits(length / size)}${unit}`;
  return `${threeDigits(length / 1e9)}s`;
}

/** A time relative to another one: `-12.3µs`, `0`, `+1.20ms`. */
export function formatOffset(ns: number): string {
  if (ns === 0) return '0';
  return `${ns < 0 ? '-' : '+'}${formatSpan(ns)}`;
}

function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** `1234`, but `1 234 567`. */
export function formatCount(count: number): string {
  return count < 10_000 ? String(count) : String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** `1 event`, `2 events`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
