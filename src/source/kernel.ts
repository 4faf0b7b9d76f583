// Loads and attaches the probes of the wanted paths, each by the best method this kernel takes.

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, arch as machineArch, release } from 'node:os';
import { join } from 'node:path';
import { CONTROL, OBJECT_BYTES } from '../generated/layouts.ts';
import { PROBE_PATHS } from '../generated/probes.ts';
import { KernelError } from '../model/errors.ts';
import { OBJECTS_MAX } from '../model/objects.ts';
import type { Probe } from '../model/probe.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { missingCapabilities } from './capabilities.ts';
import { describeErrno } from './errno.ts';
import { attachMarks, type MarkPlace, markPlaces } from './marks.ts';
import { ObjectMemory } from './object-memory.ts';
import { sharesFor } from './shares.ts';
import * as shim from './shim.ts';

export type AttachMethod = 'fentry' | 'kprobe' | 'raw_tp' | 'uprobe';

/** Conditions evaluated in the kernel; undefined lets everything pass. */
export interface KernelFilter {
  readonly netns?: bigint;
  readonly ifindex?: number;
  readonly tgid?: number;
  readonly comm?: string;
}

export interface KernelOptions {
  /** Paths to record; `task` is always added. */
  readonly paths: readonly string[];
  /** Slots per CPU and bank for a data path, a power of two; the others' shares follow from it (shares.ts). */
  readonly slots: number;
  readonly filter?: KernelFilter;
  /** Tripwires that may freeze, by number. */
  readonly tripwires?: readonly number[];
  /** Use only this method for functions; default the best. */
  readonly attach?: 'fentry' | 'kprobe';
  /** For the path `mark`: files whose marks are recorded beside those of `flightring mark`. */
  readonly marks?: readonly string[];
}

/** An attached recorder: nothing is recorded until `arm`. */
export interface KernelRecorder {
  readonly handle: number;
  readonly cpus: number;
  readonly slots: number;
  /** How each ring is divided, by number of the share. */
  readonly shares: readonly shim.Share[];
  readonly coverage: readonly ProbeCoverage[];
  readonly programs: readonly string[];
  readonly control: DataView;
  readonly objects: ObjectMemory;
  arm(): void;
  close(): void;
}

/** Programs of one probe for one method: kprobes on a return need two. */
interface Choice {
  readonly method: AttachMethod;
  readonly programs: readonly string[];
}

interface Plan {
  readonly path: string;
  /** The probe that is tried, and those that may take its place, in their order. */
  probe: Probe;
  readonly others: Probe[];
  /** Methods left, best first. */
  choices: Choice[];
  reasons: string[];
  status: ProbeCoverage['status'];
}

/** Programs run by the shim, never attached. */
const TIMER_PROGRAM = 'xsk_look__timer';
/** How often applications that never enter the kernel are looked at, in µs. */
const TIMER_PERIOD_US = 2000;

/** The number of CPUs that may ever be there: rings are indexed by CPU number. */
export function possibleCpus(): number {
  const last = /(\d+)\s*$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return last ? Number(last[1]) + 1 : availableParallelism();
}

function choicesOf(name: string, programs: ReadonlySet<string>, forced: KernelOptions['attach']): Choice[] {
  const choices: Choice[] = [];
  const fentry = [`${name}__fentry`, `${name}__fexit`].filter((p) => programs.has(p));
  const kprobe = [`${name}__kprobe`, `${name}__kretprobe`].filter((p) => programs.has(p));
  const raw = [`${name}__raw_tp`].filter((p) => programs.has(p));
  const uprobe = [`${name}__uprobe`].filter((p) => programs.has(p));
  if (fentry.length > 0 && forced !== 'kprobe') choices.push({ method: 'fentry', programs: fentry });
  if (kprobe.length > 0 && forced !== 'fentry') choices.push({ method: 'kprobe', programs: kprobe });
  if (raw.length > 0) choices.push({ method: 'raw_tp', programs: raw });
  if (uprobe.length > 0) choices.push({ method: 'uprobe', programs: uprobe });
  return choices;
}

function wantedPlans(
  paths: readonly string[],
  programs: ReadonlySet<string>,
  forced: KernelOptions['attach'],
): Plan[] {
  const plans: Plan[] = [];
  for (const { path, probes } of PROBE_PATHS) {
    if (path !== 'task' && !paths.includes(path)) continue;
    const seconds = new Set(probes.map(({ orElse }) => orElse));
    for (const probe of probes) {
      if (!probe.name || `${probe.name}__timer` === TIMER_PROGRAM || seconds.has(probe.name)) continue;
      const others: Probe[] = [];
      for (let name = probe.orElse; name !== undefined; name = others.at(-1)?.orElse) {
        const other = probes.find((candidate) => candidate.name === name);
        if (!other || others.includes(other))
          throw new Error(`probe ${probe.name}: ${name} is not another probe`);
        others.push(other);
      }
      const choices = choicesOf(probe.name, programs, forced);
      plans.push({ path, probe, others, choices, reasons: [], status: 'missing' });
    }
  }
  return plans;
}

/** Goes over to the next probe of those that can't be attached at all. */
function takeOthers(plans: readonly Plan[], programs: ReadonlySet<string>, options: KernelOptions): void {
  for (const plan of plans)
    while (plan.choices.length === 0) {
      const other = plan.others.shift();
      if (!other) break;
      plan.reasons.push(`${plan.probe.target} can't be probed: ${other.target} is tried`);
      plan.probe = other;
      plan.choices = choicesOf(other.name, programs, options.attach);
      checkKernel([plan]);
    }
}

/** Takes away what this kernel can't do at all, before it is asked program by program. */
function checkKernel(plans: readonly Plan[]): void {
  const kprobes = kprobesAvailable();
  for (const plan of plans) {
    const { module } = plan.probe;
    const known = plan.choices.length > 0 ? shim.btfFunction(plan.probe.target, module) : 0;
    if (module !== undefined && known < 1 && !moduleIsLoaded(module)) {
      plan.reasons.push(`the module ${module} isn't loaded: modprobe ${module}, then start again`);
      plan.choices = [];
      plan.status = 'missing';
      continue;
    }
    if (plan.choices[0]?.method === 'fentry') {
      const count = known - 1;
      if (known < 1 || count > argumentsTaken()) {
        plan.reasons.push(
          known < 0
            ? `fentry: this kernel has no BTF (${describeErrno(known)})`
            : known === 0
              ? "fentry: the function is not in this kernel's BTF (inlined or renamed)"
              : `fentry: the function has ${count} arguments, and this kernel takes ${argumentsTaken()}`,
        );
        plan.choices.shift();
        plan.status = known < 1 ? 'inlined' : 'refused';
      }
    }
    if (!kprobes && plan.choices.some(({ method }) => method === 'kprobe')) {
      plan.reasons.push('kprobe: this kernel is built without kprobes');
      plan.choices = plan.choices.filter(({ method }) => method !== 'kprobe');
      plan.status = 'refused';
    }
    // Asking the kernel to load what it must refuse costs a round for all programs.
    if (plan.choices[0]?.method === 'kprobe' && !hasFunction(plan.probe.target)) {
      plan.reasons.push('kprobe: this kernel has no function of that name');
      plan.choices = plan.choices.filter(({ method }) => method !== 'kprobe');
      plan.status = 'missing';
    }
  }
}

/** Before 6.6 arguments on the stack kept a function from being attached to, which came out only then. */
function argumentsTaken(): number {
  return kernelVersion() >= 6 * 1000 + 6 ? 12 : 6;
}

/** Major times 1000, and minor. */
function kernelVersion(): number {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return major * 1000 + minor;
}

/** By the kernel's own list of symbols, those of modules included; it is read only when BTF does not know a function. */
function hasFunction(name: string): boolean {
  try {
    symbols ??= readFileSync('/proc/kallsyms', 'latin1');
    return new RegExp(` [tTwW] ${name}[\\n\\t]`).test(symbols);
  } catch {
    return true;
  }
}

/** Ten megabytes, kept while a kernel is opened. */
let symbols: string | undefined;

/** Built in or loaded, with parameters or not: the kernel names it the same way. */
function moduleIsLoaded(name: string): boolean {
  return existsSync(`/sys/module/${name}`);
}

/** By perf's kprobe device, or by the older tracefs file. */
function kprobesAvailable(): boolean {
  return ['/sys/bus/event_source/devices/kprobe/type', '/sys/kernel/tracing/kprobe_events'].some((path) =>
    existsSync(path),
  );
}

/** The program that libbpf names in its complaint about a failed load. */
function refusedProgram(text: string): string | null {
  const names = [...text.matchAll(/prog '([^']+)'/g)];
  return names.length > 0 ? (names[names.length - 1]?.[1] ?? null) : null;
}

/** The telling end of libbpf's or the verifier's words. */
function lastWords(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^libbpf: /, '').trim())
    .filter((line) => line && !/^(processed|verification time|stack depth|-- (BEGIN|END))/.test(line));
  return lines.slice(-2).join('; ').slice(0, 300);
}

function knob64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

function knob32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function setKnobs(handle: number, options: KernelOptions, cpus: number): void {
  const set = (name: string, value: Buffer) => {
    const code = shim.setKnob(handle, name, value);
    if (code < 0)
      throw new KernelError('KNOB', `the BPF object has no setting ${name}: rebuild with "npm run build"`);
  };
  set('fr_cpus', knob32(cpus));
  const filter = options.filter ?? {};
  if (filter.netns !== undefined) set('fr_only_netns', knob64(filter.netns));
  if (filter.ifindex !== undefined) set('fr_only_ifindex', knob32(filter.ifindex));
  if (filter.tgid !== undefined) set('fr_only_tgid', knob32(filter.tgid));
  if (filter.comm !== undefined) {
    const comm = Buffer.alloc(16);
    comm.write(filter.comm.slice(0, 15));
    set('fr_only_comm', comm);
    set('fr_only_comm_set', Buffer.from([1]));
  }
}

/** Fails early, with the missing capability by name and purpose. */
export function requireCapabilities(): void {
  const missing = missingCapabilities();
  if (missing.length === 0) return;
  const list = missing.map(({ name, purpose }) => `${name} ${purpose}`).join(', ');
  throw new KernelError(
    'NO_PRIVILEGE',
    `recording needs ${list}: run it as root, or inside "flightring lab"`,
  );
}

/** The first whose BPF can add to a number in memory and read it at once, by which slots of a ring are claimed. */
const oldestKernel = { version: 5 * 1000 + 12, name: '5.12' } as const;

/** One sentence instead of the verifier's many. */
function requireKernel(): void {
  if (kernelVersion() >= oldestKernel.version) return;
  throw new KernelError(
    'KERNEL_TOO_OLD',
    `recording needs Linux ${oldestKernel.name} or newer, whose BPF can count atomically; this is ${release()}`,
  );
}

/** Opens, loads and attaches; reopens without what was refused until the rest stands. */
export function openKernel(options: KernelOptions): KernelRecorder {
  requireCapabilities();
  requireKernel();
  shim.openShim();
  const cpus = possibleCpus();
  const marks = options.paths.includes('mark') ? markPlaces(options.marks ?? []) : [];
  const object = join(shim.nativeFolder(), 'recorder.bpf.o');
  let plans: Plan[] | null = null;
  for (let round = 0; round < 200; round++) {
    const opened = shim.openObject(object);
    if (opened.code < 0)
      throw new KernelError(
        'BAD_OBJECT',
        `${object} can't be opened: ${describeErrno(opened.code)} ${lastWords(opened.text)}`,
      );
    const handle = opened.code;
    const programs = opened.text
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0] as string);
    if (!plans) {
      plans = wantedPlans(options.paths, new Set(programs), options.attach);
      checkKernel(plans);
    }
    takeOthers(plans, new Set(programs), options);
    const result = tryOnce(handle, options, cpus, plans, programs, marks);
    if (result) {
      symbols = undefined;
      return result;
    }
    shim.closeRecorder(handle);
  }
  throw new KernelError('REFUSED', 'the kernel went on refusing programs: see "flightring doctor"');
}

/** One round. Returns null if something was refused: the plans then have one choice less. */
function tryOnce(
  handle: number,
  options: KernelOptions,
  cpus: number,
  plans: readonly Plan[],
  programs: readonly string[],
  marks: readonly MarkPlace[],
): KernelRecorder | null {
  const owner = new Map<string, Plan>();
  for (const plan of plans)
    for (const program of plan.choices[0]?.programs ?? []) {
      owner.set(program, plan);
      shim.setAutoload(handle, program, true);
    }
  const timer = options.paths.includes('xsk') && programs.includes(TIMER_PROGRAM) && timerUsable;
  if (timer) shim.setAutoload(handle, TIMER_PROGRAM, true);
  setKnobs(handle, options, cpus);
  const loaded = shim.loadObject(handle, cpus, sharesFor(options.paths, options.slots));
  // A signal interrupted the verifier more often than libbpf tries again.
  if (loaded.code === -11) return null;
  if (loaded.code < 0) {
    const name = refusedProgram(loaded.text);
    if (name === TIMER_PROGRAM) {
      timerUsable = false;
      return null;
    }
    const plan = name ? owner.get(name) : undefined;
    if (!plan) throw loadFailure(loaded, options);
    const method = plan.choices[0]?.method;
    drop(plan, loaded);
    // Not permitted at all: the other programs of this kind would be refused one by one.
    if (loaded.code === -1)
      for (const other of plans) if (other.choices[0]?.method === method) drop(other, loaded);
    return null;
  }
  const refused = new Set<Plan>();
  for (const [program, plan] of owner) {
    if (refused.has(plan)) continue;
    const attached =
      plan.choices[0]?.method === 'uprobe'
        ? attachMarks(handle, program, marks)
        : shim.attachProgram(handle, program);
    if (attached.code >= 0) continue;
    drop(plan, attached);
    refused.add(plan);
  }
  // Another round costs the time of all programs: only for what it can win.
  if ([...refused].some(({ choices, others }) => choices.length + others.length > 0)) return null;
  if (timer) shim.setTimer(handle, TIMER_PROGRAM, TIMER_PERIOD_US);
  return recorderOf(handle, options, cpus, plans, programs);
}

let timerUsable = true;

function drop(plan: Plan, failure: shim.CallResult): void {
  const choice = plan.choices.shift();
  // Of a plain "not permitted" libbpf only says that loading failed.
  const words = failure.code === -1 ? '' : lastWords(failure.text);
  plan.status = failure.code === -2 || failure.code === -3 ? 'missing' : 'refused';
  plan.reasons.push(`${choice?.method}: ${describeErrno(failure.code)}${words ? ` — ${words}` : ''}`);
}

function loadFailure(failure: shim.CallResult, options: KernelOptions): KernelError {
  if (failure.code === -12 || /create map|ENOMEM/.test(failure.text))
    return new KernelError(
      'NO_MEMORY',
      `the kernel has no memory for rings of ${options.slots} slots on every CPU: ask for fewer with --last (${describeErrno(failure.code)})`,
    );
  return new KernelError(
    'REFUSED',
    `the kernel refused the recorder: ${describeErrno(failure.code)}; ${lastWords(failure.text) || 'no reason given'}`,
  );
}

function coverageOf(plan: Plan): ProbeCoverage {
  const choice = plan.choices[0];
  const returns = choice?.programs.some((p) => p.endsWith('__fexit') || p.endsWith('__kretprobe')) ?? false;
  const method = choice
    ? choice.method === 'fentry' && returns
      ? 'fexit'
      : choice.method === 'kprobe' && returns
        ? 'kretprobe'
        : choice.method
    : null;
  return {
    probe: plan.probe.name,
    path: plan.path,
    target: plan.probe.target,
    method,
    status: choice ? 'attached' : plan.status,
    reason: plan.reasons.length > 0 ? plan.reasons.join('; ') : null,
  };
}

function recorderOf(
  handle: number,
  options: KernelOptions,
  cpus: number,
  plans: readonly Plan[],
  programs: readonly string[],
): KernelRecorder {
  const memory = shim.memoryOf(handle, shim.MEMORY.control, 4096);
  const control = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const objects = new ObjectMemory(
    shim.memoryOf(handle, shim.MEMORY.objects, OBJECTS_MAX * OBJECT_BYTES),
    memory,
  );
  return {
    handle,
    cpus,
    slots: options.slots,
    shares: sharesFor(options.paths, options.slots),
    coverage: plans.map(coverageOf),
    programs,
    control,
    objects,
    arm() {
      const bits = (options.tripwires ?? []).reduce((sum, number) => sum | (1 << number), 0);
      control.setUint32(CONTROL.tripwires, bits, true);
      control.setUint32(CONTROL.spare_free, 1, true);
      control.setUint32(CONTROL.bank, 0, true);
    },
    close() {
      shim.closeRecorder(handle);
    },
  };
}

/** What a recording says of the kernel. */
export function kernelFacts(cpus: number): { release: string; machine: string; cpus: number } {
  return { release: release(), machine: machineArch(), cpus };
}
