// flightring doctor: what it says of this machine, and of others.

import { expect, test } from 'vitest';
import { adviceOf } from '../../../src/cli/doctor-advice.ts';
import { capabilityStates } from '../../../src/cli/doctor-capabilities.ts';
import { collectFacts, type DoctorFacts, type ProbeFacts } from '../../../src/cli/doctor-facts.ts';
import { doctorLines, recordable, runDoctor } from '../../../src/cli/doctor-run.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { Paper } from './recordings.ts';

function probe(path: string, name: string, changes: Partial<ProbeFacts> = {}): ProbeFacts {
  return {
    probe: name,
    path,
    target: name,
    purpose: `what ${name} sees`,
    status: 'attached',
    method: 'fentry',
    reason: null,
    ...changes,
  };
}

const refused = {
  status: 'refused',
  method: null,
  reason: 'fentry: EPERM (1): not permitted; kprobe: this kernel is built without kprobes',
} as const;

const FACTS: DoctorFacts = {
  kernel: { release: '6.1.0-56-amd64', machine: 'x86_64' },
  node: 'v20.20.2',
  btf: { path: '/sys/kernel/btf/vmlinux', bytes: 5_500_000 },
  lockdown: 'none',
  unprivilegedBpfDisabled: 2,
  kprobes: true,
  capabilities: capabilityStates(-1n),
  native: { platform: 'linux-x64', libc: 'glibc 2.36', folder: '/somewhere', error: null },
  tried: true,
  error: null,
  paths: [
    { path: 'neigh', title: 'Neighbours', state: 'all', attached: 1, probes: 1 },
    { path: 'task', title: 'Names', state: 'all', attached: 1, probes: 1 },
    { path: 'xsk', title: 'AF_XDP', state: 'all', attached: 2, probes: 2 },
  ],
  probes: [
    probe('neigh', 'neigh_update', { method: 'raw_tp' }),
    probe('task', 'task_rename', { method: 'raw_tp' }),
    probe('xsk', 'xsk_bind', { method: 'fexit' }),
    probe('xsk', 'xsk_poll'),
  ],
};

const NO_FENTRY: DoctorFacts = {
  ...FACTS,
  kprobes: false,
  paths: FACTS.paths.map((entry) =>
    entry.path === 'xsk' ? { ...entry, state: 'none', attached: 0 } : entry,
  ),
  probes: FACTS.probes.map((entry) => (entry.path === 'xsk' ? { ...entry, ...refused } : entry)),
};

const plain = createPalette(false);
const told = (facts: DoctorFacts) => doctorLines(facts, adviceOf(facts), plain).join('\n');

test('on a kernel that takes everything each probe has its method', () => {
  const text = told(FACTS);
  expect(text).toMatch(/^ {2}xsk_bind {2}xsk_bind {2}fexit {3}what xsk_bind sees$/m);
  expect(text).toContain('xsk  AF_XDP: 2 of 2 probes attach');
  expect(text).toContain(
    'neigh, xsk can be recorded here.\n  Next: sudo flightring record --paths neigh,xsk',
  );
});

test('without fentry and kprobes it says what is left, what is lost, why, and names the lab', () => {
  const text = told(NO_FENTRY);
  expect(text).toContain('neigh can be recorded here; xsk can not.');
  expect(text).toMatch(/^ {2}xsk_bind {2}xsk_bind {2}refused \(1\) {2}lost: what xsk_bind sees$/m);
  expect(text.match(/^\(\d\) .*/gm)).toEqual([`(1) ${refused.reason}`]);
  expect(text).toContain('takes neither fentry nor kprobes');
  expect(text).toContain('flightring lab');
  expect(recordable(NO_FENTRY).map(({ path }) => path)).toEqual(['neigh']);
});

test('missing capabilities are named with their purpose, and nothing is claimed to have been tried', () => {
  const capabilities = capabilityStates(0n);
  const probes = FACTS.probes.map((entry) => ({ ...entry, status: 'untried' as const }));
  const text = told({ ...FACTS, capabilities, tried: false, probes });
  expect(text).toMatch(/^CAP_BPF +✗ to load programs and make rings$/m);
  expect(text).toContain(
    'Missing: CAP_BPF to load programs and make rings, CAP_PERFMON to attach them and read kernel memory.',
  );
  expect(text).toContain('likely to attach (not tried)');
  expect(text).toMatch(/fexit\?/);
  expect(text).toContain('neigh, xsk could probably be recorded here.');
});

test('CAP_SYS_ADMIN stands for the needed ones', () => {
  expect(capabilityStates(1n << 21n).filter(({ needed, have }) => needed && !have)).toEqual([]);
});

test('no BTF, lockdown and a missing function each get their advice', () => {
  const missing = {
    status: 'inlined',
    method: null,
    reason: "fentry: the function is not in this kernel's BTF (inlined or renamed)",
  } as const;
  const text = told({
    ...FACTS,
    btf: null,
    lockdown: 'confidentiality',
    probes: [probe('xsk', 'xsk_poll', missing)],
  });
  expect(text).toContain('CONFIG_DEBUG_INFO_BTF=y');
  expect(text).toContain('boot without lockdown=confidentiality');
  expect(text).toContain("Functions that this kernel doesn't have under their names: xsk_poll.");
});

test('on this machine the probes of neighbours are found, tried or not', async () => {
  const facts = await collectFacts();
  expect(facts.native.error).toBeNull();
  // Those on tracepoints; functions of the kernel may be refused.
  const changes = ['neigh_create', 'neigh_update', 'neigh_update_done', 'neigh_timer', 'neigh_release'];
  const found = facts.probes.filter(({ probe }) => changes.includes(probe)).map(({ status }) => status);
  expect(found).toEqual(changes.map(() => (facts.tried ? 'attached' : 'untried')));
  const paper = new Paper();
  expect(await runDoctor({ json: true, color: true }, paper as unknown as NodeJS.WriteStream)).toBe(0);
  expect(JSON.parse(paper.text)).toMatchObject({
    kernel: facts.kernel,
    tried: facts.tried,
    advice: adviceOf(facts),
  });
});
