// Loads and attaches the probes of the wanted paths, each by the best method this kernel takes.

import { join } from 'node:path';
import { CONTROL, OBJECT_BYTES } from '../generated/layouts.ts';
import { KernelError } from '../model/errors.ts';
import { OBJECTS_MAX } from '../model/objects.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { requireCapabilities } from './capabilities.ts';
import { describeErrno } from './errno.ts';
import { type KernelFilter, setKnobs } from './knobs.ts';
import { attachMarks, type MarkPlace, markPlaces } from './marks.ts';
import { ObjectMemory } from './object-memory.ts';
import {
  checkKernel,
  coverageOf,
  drop,
  type ForcedMethod,
  neededPlans,
  type Plan,
  TIMER_PROGRAM,
  takeOthers,
  timerCoverage,
  wantedPlans,
} from './plans.ts';
import { lastWords, loadFailure, refusedProgram } from './refusal.ts';
import { forgetSymbols, possibleCpus, requireKernel } from './running-kernel.ts';
import { sharesFor } from './shares.ts';
import * as shim from './shim.ts';

export interface KernelOptions {
  /** Paths to record; `task` is always added. */
  readonly paths: readonly string[];
  /** Slots per CPU and bank for a data path, a power of two; the others' shares follow from it (shares.ts). */
  readonly slots: number;
  readonly filter?: KernelFilter;
  /** Bits of the tripwires that may freeze. */
  readonly tripwires?: number;
  /** Use only this method for functions; default the best. */
  readonly attach?: ForcedMethod;
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

/** How often applications that never enter the kernel are looked at, in µs. */
const TIMER_PERIOD_US = 2000;

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
    takeOthers(plans, new Set(programs), options.attach);
    const result = tryOnce(handle, options, cpus, neededPlans(plans), programs, marks);
    if (result) {
      forgetSymbols();
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
  const timer = options.paths.includes('xsk') && programs.includes(TIMER_PROGRAM) && timerRefusal === null;
  if (timer) shim.setAutoload(handle, TIMER_PROGRAM, true);
  setKnobs(handle, options.filter ?? {}, cpus);
  const loaded = shim.loadObject(handle, cpus, sharesFor(options.paths, options.slots));
  // A signal interrupted the verifier more often than libbpf tries again.
  if (loaded.code === -11) return null;
  if (loaded.code < 0) {
    const name = refusedProgram(loaded.text);
    if (name === TIMER_PROGRAM) {
      timerRefusal = `timer: ${describeErrno(loaded.code)} — ${lastWords(loaded.text)}`;
      return null;
    }
    const plan = name ? owner.get(name) : undefined;
    if (!plan) throw loadFailure(loaded, options.slots);
    const method = plan.choices[0]?.method;
    drop(plan, loaded);
    // Not permitted at all: the other programs of this kind would be refused one by one.
    if (loaded.code === -1)
      for (const other of plans) if (other.choices[0]?.method === method) drop(other, loaded);
    return null;
  }
  const refused = new Set<Plan>();
  const begun = new Set<Plan>();
  for (const [program, plan] of owner) {
    if (refused.has(plan)) continue;
    const attached =
      plan.choices[0]?.method === 'uprobe'
        ? attachMarks(handle, program, marks)
        : shim.attachProgram(handle, program);
    if (attached.code >= 0) {
      begun.add(plan);
      continue;
    }
    drop(plan, attached);
    refused.add(plan);
  }
  // Another round costs the time of all programs: for what there is left to try, and for no half of a probe.
  if ([...refused].some((plan) => begun.has(plan) || plan.choices.length + plan.others.length > 0))
    return null;
  if (timer) shim.setTimer(handle, TIMER_PROGRAM, TIMER_PERIOD_US);
  return recorderOf(handle, options, cpus, plans, programs);
}

/** Why the kernel did not take the timer's program: none of its kind is asked for again. */
let timerRefusal: string | null = null;

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
    coverage: [
      ...plans.map(coverageOf),
      ...(options.paths.includes('xsk') ? timerCoverage(timerRefusal) : []),
    ],
    programs,
    control,
    objects,
    arm() {
      control.setUint32(CONTROL.tripwires, options.tripwires ?? 0, true);
      control.setUint32(CONTROL.spare_free, 1, true);
      control.setUint32(CONTROL.bank, 0, true);
    },
    close() {
      shim.closeRecorder(handle);
    },
  };
}
