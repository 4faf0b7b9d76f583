// What libbpf and the verifier say of a program or an object they refuse, in few words.

import { KernelError } from '../model/errors.ts';
import { describeErrno } from './errno.ts';
import type { CallResult } from './shim.ts';

/** The program that libbpf names in its complaint about a failed load. */
export function refusedProgram(text: string): string | null {
  const names = [...text.matchAll(/prog '([^']+)'/g)];
  return names.length > 0 ? (names[names.length - 1]?.[1] ?? null) : null;
}

/** The telling end of libbpf's or the verifier's words. */
export function lastWords(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^libbpf: /, '').trim())
    .filter((line) => line && !/^(processed|verification time|stack depth|-- (BEGIN|END))/.test(line));
  return lines.slice(-2).join('; ').slice(0, 300);
}

export function loadFailure(failure: CallResult, slots: number): KernelError {
  if (failure.code === -12 || /create map|ENOMEM/.test(failure.text))
    return new KernelError(
      'NO_MEMORY',
      `the kernel has no memory for rings of ${slots} slots on every CPU: ask for fewer with --last (${describeErrno(failure.code)})`,
    );
  return new KernelError(
    'REFUSED',
    `the kernel refused the recorder: ${describeErrno(failure.code)}; ${lastWords(failure.text) || 'no reason given'}`,
  );
}
