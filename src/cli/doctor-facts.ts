// What is found out about this machine: its kernel, privileges and native part, and every probe tried in earnest.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { PROBE_PATHS } from '../generated/probes.ts';
import { FlightringError } from '../model/errors.ts';
import type { Probe } from '../model/probe.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { kprobesAvailable } from '../source/running-kernel.ts';
import { type CapabilityState, capabilityStates } from './doctor-capabilities.ts';

export interface ProbeFacts {
  readonly probe: string;
  readonly path: string;
  readonly target: string;
  readonly purpose: string;
  /** `untried`: without the privilege to try, it looks as if it would attach. */
  readonly status: ProbeCoverage['status'] | 'untried';
  readonly method: ProbeCoverage['method'];
  readonly reason: string | null;
}

export interface PathFacts {
  readonly path: string;
  readonly title: string;
  readonly state: 'all' | 'some' | 'none';
  readonly attached: number;
  readonly probes: number;
}

export interface DoctorFacts {
  readonly kernel: { readonly release: string; readonly machine: string };
  readonly node: string;
  readonly btf: { readonly path: string; readonly bytes: number } | null;
  /** `none`, `integrity`, `confidentiality`; null where the kernel has no lockdown. */
  readonly lockdown: string | null;
  /** /proc/sys/kernel/unprivileged_bpf_disabled: 0, 1 (until reboot) or 2; null if there is none. */
  readonly unprivilegedBpfDisabled: number | null;
  readonly kprobes: boolean;
  readonly capabilities: readonly CapabilityState[];
  readonly native: {
    readonly platform: string;
    readonly libc: string;
    readonly folder: string | null;
    readonly error: string | null;
  };
  /** Probes were loaded and attached, and taken off again; otherwise `probes` is what the kernel says of itself. */
  readonly tried: boolean;
  /** Why they could not even be tried. */
  readonly error: string | null;
  readonly paths: readonly PathFacts[];
  readonly probes: readonly ProbeFacts[];
}

const BTF = '/sys/kernel/btf/vmlinux';

export async function collectFacts(): Promise<DoctorFacts> {
  const capabilities = capabilityStates();
  const privileged = capabilities.every(({ have, needed }) => have || !needed);
  const native = await findNative();
  const { probes, tried, error } =
    native.error !== null ? { probes: [], tried: false, error: native.error } : await examine(privileged);
  return {
    kernel: { release: release(), machine: process.arch === 'x64' ? 'x86_64' : process.arch },
    node: process.version,
    btf: existsSync(BTF) ? { path: BTF, bytes: statSync(BTF).size } : null,
    lockdown: /\[(\w+)\]/.exec(readFile('/sys/kernel/security/lockdown') ?? '')?.[1] ?? null,
    unprivilegedBpfDisabled: numberOf(readFile('/proc/sys/kernel/unprivileged_bpf_disabled')),
    kprobes: kprobesAvailable(),
    capabilities,
    native,
    tried,
    error,
    paths: pathFacts(probes),
    probes,
  };
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function numberOf(text: string | null): number | null {
  return text === null || !/^\d+$/.test(text) ? null : Number(text);
}

async function findNative(): Promise<DoctorFacts['native']> {
  const platform = `${process.platform}-${process.arch}`;
  const libc = libcOf();
  try {
    const shim = await import('../source/shim.ts');
    const folder = shim.nativeFolder();
    shim.openShim();
    return { platform, libc, folder, error: null };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return {
      platform,
      libc,
      folder: null,
      error: error instanceof FlightringError ? message : `the native part can't be loaded: ${message}`,
    };
  }
}

/** Node says which glibc it runs on; of musl it says nothing. */
function libcOf(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const version = report?.header?.glibcVersionRuntime;
  return version === undefined ? 'not glibc' : `glibc ${version}`;
}

interface Examination {
  readonly probes: readonly ProbeFacts[];
  readonly tried: boolean;
  readonly error: string | null;
}

async function examine(privileged: boolean): Promise<Examination> {
  if (!privileged) return { probes: await guess(), tried: false, error: null };
  const { openKernel } = await import('../source/kernel.ts');
  try {
    // Never armed: not one event is recorded.
    const kernel = openKernel({ paths: PROBE_PATHS.map(({ path }) => path), slots: 64 });
    try {
      return { probes: kernel.coverage.map(withPurpose), tried: true, error: null };
    } finally {
      kernel.close();
    }
  } catch (error) {
    if (!(error instanceof FlightringError)) throw error;
    const probes = await guess();
    // No symbol that is there helps then.
    const hopeless = error.code === 'KERNEL_TOO_OLD';
    return { probes: hopeless ? probes.map(refused) : probes, tried: false, error: error.message };
  }
}

function refused(probe: ProbeFacts): ProbeFacts {
  return { ...probe, status: 'refused', method: null, reason: 'this kernel is too old for the recorder' };
}

function withPurpose({ probe, path, target, status, method, reason }: ProbeCoverage): ProbeFacts {
  const known = PROBE_PATHS.find((entry) => entry.path === path)?.probes.find(({ name }) => name === probe);
  return { probe, path, target, purpose: known?.purpose ?? '', status, method, reason };
}

/** Without privilege: what BTF and the symbol table say. */
async function guess(): Promise<readonly ProbeFacts[]> {
  const shim = await import('../source/shim.ts');
  const opened = shim.openObject(join(shim.nativeFolder(), 'recorder.bpf.o'));
  if (opened.code < 0) return [];
  shim.closeRecorder(opened.code);
  const programs = new Set(opened.text.split('\n').map((line) => line.split(' ')[0]));
  const symbols = new Set((readFile('/proc/kallsyms') ?? '').split('\n').map((line) => line.split(/\s/)[2]));
  return PROBE_PATHS.flatMap(({ path, probes }) =>
    probes
      .filter(({ name }) => name !== '' && hasProgram(name, programs))
      .map((probe) => guessProbe(path, probe, programs, symbols, shim.btfFunction)),
  );
}

const METHODS = ['fentry', 'fexit', 'kprobe', 'kretprobe', 'raw_tp', 'uprobe'] as const;

function hasProgram(name: string, programs: ReadonlySet<string | undefined>): boolean {
  return METHODS.some((method) => programs.has(`${name}__${method}`));
}

function guessProbe(
  path: string,
  { name, target, module, purpose }: Probe,
  programs: ReadonlySet<string | undefined>,
  symbols: ReadonlySet<string | undefined>,
  btfFunction: (name: string, module?: string) => number,
): ProbeFacts {
  const facts = { probe: name, path, target, purpose };
  const byTracepoint = programs.has(`${name}__raw_tp`);
  const there = byTracepoint
    ? symbols.has(`__tracepoint_${target}`)
    : programs.has(`${name}__uprobe`) || btfFunction(target, module) > 0 || symbols.has(target);
  if (!there)
    return {
      ...facts,
      status: 'missing',
      method: null,
      reason: `this kernel has no ${byTracepoint ? 'tracepoint' : 'function'} ${target}`,
    };
  const method = METHODS.find((known) => programs.has(`${name}__${known}`)) ?? null;
  return { ...facts, status: 'untried', method, reason: null };
}

function pathFacts(probes: readonly ProbeFacts[]): PathFacts[] {
  return PROBE_PATHS.map(({ path, title }) => {
    const own = probes.filter((probe) => probe.path === path);
    const attached = own.filter(({ status }) => status === 'attached' || status === 'untried').length;
    return {
      path,
      title,
      state: attached === 0 ? 'none' : attached === own.length ? 'all' : 'some',
      attached,
      probes: own.length,
    };
  });
}
