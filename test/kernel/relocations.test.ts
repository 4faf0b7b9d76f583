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
/** Of about 300, in a variant for each method. */
const PROGRAMS_MIN = 280;
/** Set by npm run test:full; otherwise the oldest and the newest kernel of each series stand for all. */
const ALL = process.env['FLIGHTRING_ALL_KERNELS'] !== undefined;

const say = (message: string) => void process.stderr.write(`relocations: ${message}\n`);
const kernels = await kernelsToCheck(ALL, { onProgress: say });

interface Judged {
  /** Whether that kernel has its function or tracepoint; null for a function of programs, which has none. */
  readonly hasTarget: boolean | null;
  /** Fields that it needs, and that were not found. */
  readonly absent: readonly string[];
  /** Fields that it reads in a form that they haven't got. */
  readonly form: readonly string[];
}

/** By program, or function of programs. */
async function judge(object: string, files: readonly string[]): Promise<Map<string, Judged>> {
  const tool = join(ROOT, 'build/kernel/relocations');
  const { stdout } = await promisify(execFile)(tool, [object, ...files], { maxBuffer: 64 << 20 });
  const judged = new Map<string, { hasTarget: boolean | null; absent: string[]; form: string[] }>();
  for (const line of stdout.trimEnd().split('\n')) {
    const [, what, program = '', rest = ''] = /^(\w+) (\S+) (.*)$/.exec(line) ?? [];
    const one = judged.get(program) ?? { hasTarget: null, absent: [], form: [] };
    judged.set(program, one);
    if (what === 'program') one.hasTarget = rest === '1';
    else (rest.startsWith('no matching targets') ? one.absent : one.form).push(rest);
  }
  return judged;
}

/**
 * What is wrong with the programs that this kernel has a place for, and how many those are. A field may be found in
 * vmlinux or in any module; wherever it is found, its form must be right.
 */
async function judgeAll(object: string, types: KernelTypes): Promise<{ faults: string[]; programs: number }> {
  const all: Map<string, Judged>[] = [];
  for (const module of [[], ...types.modules.map((path) => [path])])
    all.push(await judge(object, [types.vmlinux, ...module]));
  const faults = new Set<string>();
  let programs = 0;
  for (const name of new Set(all.flatMap((one) => [...one.keys()]))) {
    const tries = all.flatMap((one) => one.get(name) ?? []).filter(({ hasTarget }) => hasTarget !== false);
    if (tries.some(({ hasTarget }) => hasTarget)) programs++;
    const [best] = tries.toSorted((left, right) => left.absent.length - right.absent.length);
    for (const fault of [...(best?.absent ?? []), ...tries.flatMap(({ form }) => form)])
      faults.add(`${name}: ${fault}`);
  }
  return { faults: [...faults], programs };
}

describe('the check itself', () => {
  test('finds fields that are absent, wider or bit-fields, and lets pass what is guarded or read in any form', async () => {
    const [own] = kernels;
    const types = await typesOf(own as (typeof kernels)[0], { modules: MODULES, onProgress: say });
    const judged = await judge(join(ROOT, 'build/kernel/faulty.bpf.o'), [types.vmlinux]);
    const faults = [...judged].map(([program, { absent, form }]) => [program, [...absent, ...form]]);
    expect(Object.fromEntries(faults)).toEqual({
      absent: ['no matching targets for struct net_device.nothing_of_that_name'],
      guarded: [],
      wide: ['struct net_device.ifindex is read whole, and has 4 bytes, not 8'],
      whole: ['struct sk_buff.pkt_type is read whole, and has a bit-field of 3 bits'],
      adapted: [],
      calling: [],
      wide_inside: ['struct net_device.ifindex is read whole, and has 4 bytes, not 8'],
      both: Array.from(
        { length: 2 },
        () => 'struct sk_buff.pkt_type is read whole, and has a bit-field of 3 bits',
      ),
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
    const { faults, programs } = await judgeAll(OBJECT, types);
    expect(faults).toEqual([]);
    // Programs that a kernel seems to have no place for are not looked at: these must be few.
    expect(programs).toBeGreaterThan(PROGRAMS_MIN);
  });
});
