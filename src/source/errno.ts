// Kernel error numbers in words.

import { constants } from 'node:os';

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, value]) => [value, name]));
NAMES.set(524, 'ENOTSUPP');

const WORDS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted',
  EACCES: 'access denied, or the verifier refused the program',
  ENOENT: 'no such function, tracepoint or file',
  EINVAL: 'the kernel does not take it in this form',
  ENOTSUPP: 'this kernel can not attach there',
  EOPNOTSUPP: 'not supported by this kernel',
  ENOSYS: 'this kernel has no such call',
  ENOMEM: 'out of memory',
  E2BIG: 'too large',
  EBUSY: 'busy',
  ESRCH: 'no such function in the kernel',
  ENODEV: 'no such device',
  ENOSPC: 'no space left',
};

/** `ENOTSUPP (524): this kernel can not attach there`; takes the number with either sign. */
export function describeErrno(number: number): string {
  const value = Math.abs(number);
  const name = NAMES.get(value);
  if (!name) return `error ${value}`;
  const words = WORDS[name];
  return words ? `${name} (${value}): ${words}` : `${name} (${value})`;
}
