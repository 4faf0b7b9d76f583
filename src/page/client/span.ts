// Times and counts as people read them: the same three digits as the command line, with a real minus sign.

import { formatCount, formatOffset, formatSpan } from '../../report/span.ts';

export { formatCount };

const spaced = (text: string) => text.replace(/(ns|µs|ms|s)$/, ' $1');

/** `12.3 µs`. */
export function spanText(ns: number): string {
  return spaced(formatSpan(ns));
}

/** `−12.3 µs`, `0`, `+1.20 ms`. */
export function offsetText(ns: number): string {
  return spaced(formatOffset(ns)).replace('-', '−');
}

/** `12.3 µs before the violation`. */
export function relationText(ns: number, reference: string): string {
  if (ns === 0) return `at the ${reference}`;
  return `${spanText(ns)} ${ns < 0 ? 'before' : 'after'} the ${reference}`;
}
