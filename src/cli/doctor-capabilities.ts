// The capabilities of this process, with what each one is for (capabilities(7)).

import { CAPABILITY, effectiveCapabilities } from '../source/capabilities.ts';

export interface CapabilityState {
  readonly name: string;
  readonly purpose: string;
  readonly have: boolean;
  /** Nothing can be recorded without it. */
  readonly needed: boolean;
}

const PURPOSES = [
  { name: 'CAP_BPF', bit: CAPABILITY.BPF, needed: true, purpose: 'to load programs and make rings' },
  {
    name: 'CAP_PERFMON',
    bit: CAPABILITY.PERFMON,
    needed: true,
    purpose: 'to attach them and read kernel memory',
  },
  {
    name: 'CAP_SYS_ADMIN',
    bit: CAPABILITY.SYS_ADMIN,
    needed: false,
    purpose: 'to look into other network namespaces (--netns)',
  },
  {
    name: 'CAP_SYS_RESOURCE',
    bit: CAPABILITY.SYS_RESOURCE,
    needed: false,
    purpose: 'to lock rings in memory on kernels before 5.11',
  },
] as const;

export function capabilityStates(have = effectiveCapabilities()): CapabilityState[] {
  const holds = (bit: number) => ((have >> BigInt(bit)) & 1n) === 1n;
  const all = holds(CAPABILITY.SYS_ADMIN);
  return PURPOSES.map(({ name, bit, needed, purpose }) => ({
    name,
    purpose,
    needed,
    have: holds(bit) || (all && needed),
  }));
}
