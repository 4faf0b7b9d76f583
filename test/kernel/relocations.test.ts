// Every CO-RE relocation of every program, against the BTF of Debian's kernels, which are not booted for it.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PROBE_PATHS } from '../../src/generated/probes.ts';
import { kernelsToCheck, type KernelTypes, typesOf } from '../../src/lab/kernel-types.ts';
import { ROOT } from './recorder-process.ts';

const OBJECT = join(ROOT, 'dist/native/linux-x64/recorder.bpf.o');
/** Before 5.12 nothing is loaded at all (src/source/running-kernel.ts). */
const TOO_OLD = /^5\.10\./;
const MODULES = [
  ...new Set(PROBE_PATHS.flatMap(({ probes }) => probes.flatMap(({ module }) => module ?? []))),
];
/** Set by npm run test:full; otherwise the oldest and the newest kernel of each series stand for all. */
const ALL = process.env['FLIGHTRING_ALL_KERNELS'] !== undefined;

const say = (message: string) => void process.stderr.write(`relocations: ${message}\n`);
const kernels = await kernelsToCheck(ALL, { onProgress: say });

interface Judged {
  /** Whether that kernel has its function or tracepoint. */
  readonly hasTarget: boolean;
  readonly faults: readonly string[];
}

/** By program. */
async function judge(object: string, files: readonly string[]): Promise<Map<string, Judged>> {
  const tool = join(ROOT, 'build/kernel/relocations');
  const { stdout } = await promisify(execFile)(tool, [object, ...files], { maxBuffer: 64 << 20 });
  const judged = new Map<string, { hasTarget: boolean; faults: string[] }>();
  for (const line of stdout.trimEnd().split('\n')) {
    const [, what, program = '', rest = ''] = /^(\w+) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'program') judged.set(program, { hasTarget: rest === '1', faults: [] });
    else judged.get(program)?.faults.push(rest);
  }
  return judged;
}

/** Of the programs that this kernel has a place for. Types may stand in vmlinux or in any module: the best counts. */
async function faultsOn(object: string, types: KernelTypes): Promise<string[]> {
  const all: Map<string, Judged>[] = [];
  for (const module of [[], ...types.modules.map((path) => [path])])
    all.push(await judge(object, [types.vmlinux, ...module]));
  const faults: string[] = [];
  for (const program of all[0]?.keys() ?? []) {
    const tries = all.flatMap((one) => one.get(program) ?? []).filter(({ hasTarget }) => hasTarget);
    const [best] = tries.toSorted((left, right) => left.faults.length - right.faults.length);
    faults.push(...(best?.faults ?? []).map((fault) => `${program}: ${fault}`));
  }
  return faults;
}

describe('the check itself', () => {
  test('finds fields that are absent, wider or bit-fields, and lets pass what is guarded or read in any form', async () => {
    const [own] = kernels;
    const types = await typesOf(own as (typeof kernels)[0], { modules: MODULES, onProgress: say });
    const judged = await judge(join(ROOT, 'build/kernel/faulty.bpf.o'), [types.vmlinux]);
    const faults = Object.fromEntries([...judged].map(([program, one]) => [program, one.faults]));
    expect(faults).toEqual({
      absent: ['no matching targets for struct net_device.nothing_of_that_name'],
      guarded: [],
      wide: ['struct net_device.ifindex is read whole, and has 4 bytes, not 8'],
      whole: ['struct sk_buff.pkt_type is read whole, and has a bit-field of 3 bits'],
      adapted: [],
      elsewhere: [],
    });
    expect(judged.get('absent')?.hasTarget).toBe(true);
    expect(judged.get('elsewhere')?.hasTarget).toBe(false);
  });
});

describe('every relocation has a target of its form', () => {
  test('on kernels of several series', () => {
    expect(kernels.filter(({ version }) => !TOO_OLD.test(version)).length).toBeGreaterThan(ALL ? 20 : 5);
  });

  test.each(kernels.filter(({ version }) => !TOO_OLD.test(version)))('on $version', async (kernel) => {
    const types = await typesOf(kernel, { modules: MODULES, onProgress: say });
    expect(await faultsOn(OBJECT, types)).toEqual([]);
  });
});
