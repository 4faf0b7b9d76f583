// What to do about what the doctor found, the outcome first.

import { SIDE_PATHS } from '../model/probe.ts';
import type { DoctorFacts } from './doctor-facts.ts';

export function adviceOf(facts: DoctorFacts): string[] {
  const paths = facts.paths.filter(({ path }) => !SIDE_PATHS.includes(path));
  const able = paths.filter(({ state }) => state !== 'none');
  const unable = paths.filter(({ state }) => state === 'none');
  const names = (list: readonly { path: string }[]) => list.map(({ path }) => path).join(', ');
  const would = facts.tried ? 'can' : 'could probably';
  return [
    able.length === 0
      ? 'Nothing can be recorded on this kernel.'
      : `${names(able)} ${would} be recorded here${unable.length === 0 ? '.' : `; ${names(unable)} can not.`}`,
    ...privilegeAdvice(facts),
    ...kernelAdvice(facts, unable.length > 0),
    ...(able.length > 0 && facts.tried
      ? [`Next: sudo flightring record --paths ${able.map(({ path }) => path).join(',')}`]
      : []),
  ];
}

function privilegeAdvice({ capabilities, error, native }: DoctorFacts): string[] {
  const missing = capabilities.filter(({ have, needed }) => needed && !have);
  return [
    ...(missing.length === 0
      ? []
      : [
          `Missing: ${missing.map(({ name, purpose }) => `${name} ${purpose}`).join(', ')}. Run it with sudo, or inside "flightring lab".`,
        ]),
    ...(error !== null && native.error === null ? [`The probes could not be tried: ${error}`] : []),
    ...(native.error === null
      ? []
      : [
          'check, show and invariants work without the native part; recording needs Linux on x86-64 with glibc.',
        ]),
  ];
}

function kernelAdvice({ btf, kprobes, lockdown, probes, tried }: DoctorFacts, someUnable: boolean): string[] {
  const lost = probes.filter(({ method }) => method === null);
  const fentryRefused = lost.some(({ reason }) => reason?.includes('fentry: ') ?? false);
  const inlined = lost
    .filter(({ status }) => status === 'inlined' || status === 'missing')
    .map(({ target }) => target);
  return [
    ...(btf === null
      ? [
          'This kernel has no BTF: one built with CONFIG_DEBUG_INFO_BTF=y has it, as all of the large distributions do.',
        ]
      : []),
    ...(lockdown === 'confidentiality'
      ? [
          'Lockdown forbids reading kernel memory: boot without lockdown=confidentiality, or record in "flightring lab".',
        ]
      : []),
    ...(tried && someUnable && fentryRefused && !kprobes
      ? [
          'This kernel takes neither fentry nor kprobes, so only tracepoints can be recorded; one with CONFIG_FUNCTION_TRACER=y or CONFIG_KPROBES=y takes them.',
        ]
      : []),
    ...(inlined.length > 0
      ? [
          `Functions that this kernel doesn't have under their names: ${[...new Set(inlined)].join(', ')}. What is lost stands beside each probe.`,
        ]
      : []),
    ...(someUnable
      ? [
          '"flightring lab -- flightring doctor" boots a stock Debian kernel on which all of it can be recorded.',
        ]
      : []),
  ];
}
