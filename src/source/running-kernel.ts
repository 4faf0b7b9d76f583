// What this machine's kernel is and has, asked before it is asked to load anything.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, arch as machineArch, release } from 'node:os';
import { KernelError } from '../model/errors.ts';

/** The number of CPUs that may ever be there: rings are indexed by CPU number. */
export function possibleCpus(): number {
  const last = /(\d+)\s*$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return last ? Number(last[1]) + 1 : availableParallelism();
}

/** What a recording says of the kernel. */
export function kernelFacts(cpus: number): { release: string; machine: string; cpus: number } {
  return { release: release(), machine: machineArch(), cpus };
}

/** Major times 1000, and minor. */
function kernelVersion(): number {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return major * 1000 + minor;
}

/** The first whose BPF can add to a number in memory and read it at once, by which slots of a ring are claimed. */
const oldestKernel = { version: 5 * 1000 + 12, name: '5.12' } as const;

/** One sentence instead of the verifier's many. */
export function requireKernel(): void {
  if (kernelVersion() >= oldestKernel.version) return;
  throw new KernelError(
    'KERNEL_TOO_OLD',
    `recording needs Linux ${oldestKernel.name} or newer, whose BPF can count atomically; this is ${release()}`,
  );
}

/** Before 6.6 arguments on the stack kept a function from being attached to, which came out only then. */
export function argumentsTaken(): number {
  return kernelVersion() >= 6 * 1000 + 6 ? 12 : 6;
}

/** By the kernel's own list of symbols, those of modules included; it is read only when BTF does not know a function. */
export function hasFunction(name: string): boolean {
  try {
    symbols ??= readFileSync('/proc/kallsyms', 'latin1');
    return new RegExp(` [tTwW] ${name}[\\n\\t]`).test(symbols);
  } catch {
    return true;
  }
}

/** Ten megabytes, kept while a kernel is opened. */
let symbols: string | undefined;

export function forgetSymbols(): void {
  symbols = undefined;
}

/** Built in or loaded, with parameters or not: the kernel names it the same way. */
export function moduleIsLoaded(name: string): boolean {
  return existsSync(`/sys/module/${name}`);
}

/** By perf's kprobe device, or by the older tracefs file. */
export function kprobesAvailable(): boolean {
  return ['/sys/bus/event_source/devices/kprobe/type', '/sys/kernel/tracing/kprobe_events'].some((path) =>
    existsSync(path),
  );
}
