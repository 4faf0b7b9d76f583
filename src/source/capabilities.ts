// Which capabilities this process has, and which a recorder needs (capabilities(7)).

import { readFileSync } from 'node:fs';
import { KernelError } from '../model/errors.ts';

export const CAPABILITY = { NET_ADMIN: 12, SYS_ADMIN: 21, SYS_RESOURCE: 24, PERFMON: 38, BPF: 39 } as const;

/** What each needed capability is needed for. */
const NEEDED = [
  { bit: CAPABILITY.BPF, name: 'CAP_BPF', purpose: 'to load programs and make rings' },
  { bit: CAPABILITY.PERFMON, name: 'CAP_PERFMON', purpose: 'to attach them and read kernel memory' },
] as const;

/** Bits of the effective set of this process. */
export function effectiveCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return BigInt(`0x${line?.[1] ?? '0'}`);
}

/** The missing ones, each with its purpose; CAP_SYS_ADMIN stands for all. */
function missingCapabilities(have = effectiveCapabilities()): { name: string; purpose: string }[] {
  if ((have >> BigInt(CAPABILITY.SYS_ADMIN)) & 1n) return [];
  return NEEDED.filter(({ bit }) => !((have >> BigInt(bit)) & 1n)).map(({ name, purpose }) => ({
    name,
    purpose,
  }));
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

/** What a running recorder still needs once everything is attached. */
export const KEPT_CAPABILITIES = (1n << BigInt(CAPABILITY.BPF)) | (1n << BigInt(CAPABILITY.PERFMON));
