// A kernel without a field that probes read: doctor names the field, in libbpf's own words.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DoctorFacts } from '../../src/cli/doctor-facts.ts';
import { onAnyKernel } from './any-kernel.ts';
import { flightring, folder, ROOT, sh } from './recorder-process.ts';

const NATIVE = 'dist/native/linux-x64';

/** The native part, with programs that look for a field under a name that no kernel has. */
function buildWith(name: string, copy: string): string {
  for (const part of ['bpf', 'Makefile', NATIVE])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  for (const file of ['bpf/kernel.bpf.h', 'bpf/probes/neigh.bpf.c']) {
    const text = readFileSync(join(copy, file), 'utf8');
    writeFileSync(join(copy, file), text.replaceAll(/\bnud_state\b/g, name));
  }
  sh('make', '-s', '-C', copy, '-W', 'bpf/kernel.bpf.h', `${NATIVE}/recorder.bpf.o`);
  return join(copy, NATIVE);
}

onAnyKernel(import.meta.filename, () => {
  test('doctor says which field has no target', () => {
    using copy = folder();
    const native = buildWith('nud_state_of_nobody', copy.path);
    const { stdout } = flightring(['doctor', '--json'], ['env', `FLIGHTRING_NATIVE=${native}`]);
    const { probes } = JSON.parse(stdout) as DoctorFacts;
    const [update] = probes.filter(({ probe }) => probe === 'neigh_update');
    expect(update?.status).toBe('refused');
    expect(update?.reason).toContain('no matching targets for struct neighbour.nud_state_of_nobody');
  });
});
