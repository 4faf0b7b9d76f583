// What libbpf and the verifier say of a program or an object they refuse, in few words.

import { KernelError } from '../model/errors.ts';
import { describeErrno } from './errno.ts';
import type { CallResult } from './shim.ts';

/** The program that libbpf names in its complaint about a failed load. */
export function refusedProgram(text: string): string | null {
  const names = [...text.matchAll(/prog '([^']+)'/g)];
  return names.length > 0 ? (names[names.length - 1]?.[1] ?? null) : null;
}

/** Lines that stand in every refusal's log, of libbpf and of the verifier. */
const empty =
  /^(processed|verification time|stack depth|-- (BEGIN|END)|failed to load object)|^prog '[^']*': (-- |failed to load: |BPF program load failed)/;
/** A field, type or enumerator that this kernel has not got, or has in another form. */
const unresolved = /^failed to resolve CO-RE relocation <\w+> \[\d+\] ([^(\n]+)/m;

/** The telling end of libbpf's or the verifier's words. */
export function lastWords(text: string): string {
  const absent = unresolved.exec(text)?.[1];
  if (absent !== undefined) return `no matching targets for ${absent.trim()}`;
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^libbpf: /, '').trim())
    .filter((line) => line && !empty.test(line));
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
