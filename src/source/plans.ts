// Which probes are attached, and by which method: the best that this kernel takes, and what was said of the others.

import { PROBE_PATHS } from '../generated/probes.ts';
import type { Probe } from '../model/probe.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { describeErrno } from './errno.ts';
import { lastWords } from './refusal.ts';
import { argumentsTaken, hasFunction, kprobesAvailable, moduleIsLoaded } from './running-kernel.ts';
import { btfFunction, type CallResult } from './shim.ts';

type AttachMethod = 'fentry' | 'kprobe' | 'raw_tp' | 'uprobe';

/** The one method that functions shall be attached by. */
export type ForcedMethod = 'fentry' | 'kprobe';

/** Programs of one probe for one method: kprobes on a return need two. */
interface Choice {
  readonly method: AttachMethod;
  readonly programs: readonly string[];
}

export interface Plan {
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
export const TIMER_PROGRAM = 'xsk_look__timer';

function choicesOf(name: string, programs: ReadonlySet<string>, forced: ForcedMethod | undefined): Choice[] {
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

export function wantedPlans(
  paths: readonly string[],
  programs: ReadonlySet<string>,
  forced: ForcedMethod | undefined,
): Plan[] {
  const plans: Plan[] = [];
  for (const { path, probes } of PROBE_PATHS) {
    if (path !== 'task' && !paths.includes(path)) continue;
    const seconds = new Set(probes.map(({ orElse }) => orElse));
    for (const probe of probes) {
      if (!probe.name || `${probe.name}__timer` === TIMER_PROGRAM || seconds.has(probe.name)) continue;
      if (probe.onlyWith !== undefined && !paths.includes(probe.onlyWith)) continue;
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

/** Without those that have nothing to tell beside one that can be attached. */
export function neededPlans(plans: readonly Plan[]): Plan[] {
  const standing = new Set(plans.filter(({ choices }) => choices.length > 0).map(({ probe }) => probe.name));
  return plans.filter(({ probe: { unless } }) => unless === undefined || !standing.has(unless));
}

/** Goes over to the next probe of those that can't be attached at all. */
export function takeOthers(
  plans: readonly Plan[],
  programs: ReadonlySet<string>,
  forced: ForcedMethod | undefined,
): void {
  for (const plan of plans)
    while (plan.choices.length === 0) {
      const other = plan.others.shift();
      if (!other) break;
      plan.reasons.push(`${plan.probe.target} can't be probed: ${other.target} is tried`);
      plan.probe = other;
      plan.choices = choicesOf(other.name, programs, forced);
      checkKernel([plan]);
    }
}

/** Takes away what this kernel can't do at all, before it is asked program by program. */
export function checkKernel(plans: readonly Plan[]): void {
  const kprobes = kprobesAvailable();
  for (const plan of plans) {
    const { module } = plan.probe;
    const known = plan.choices.length > 0 ? btfFunction(plan.probe.target, module) : 0;
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

/** The method that was tried is given up. */
export function drop(plan: Plan, failure: CallResult): void {
  const choice = plan.choices.shift();
  // Of a plain "not permitted" libbpf only says that loading failed.
  const words = failure.code === -1 ? '' : lastWords(failure.text);
  plan.status = failure.code === -2 || failure.code === -3 ? 'missing' : 'refused';
  plan.reasons.push(`${choice?.method}: ${describeErrno(failure.code)}${words ? ` — ${words}` : ''}`);
}

export function coverageOf(plan: Plan): ProbeCoverage {
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

/** The timer is no way to attach a probe: it has a line only where it is refused. */
export function timerCoverage(refusal: string | null): ProbeCoverage[] {
  if (refusal === null) return [];
  const probe = TIMER_PROGRAM.replace('__timer', '');
  return [{ probe, path: 'xsk', target: 'timer', method: null, status: 'refused', reason: refusal }];
}
