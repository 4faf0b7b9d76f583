// What is told of a refused program: libbpf's reason, or the verifier's last words, and not what is said of every refusal.

import { expect, test } from 'vitest';
import { lastWords, refusedProgram } from '../../../src/source/refusal.ts';

/** libbpf 1.1.2 on Linux 6.18, of a program that reads a field which no kernel has. */
const UNRESOLVED = `libbpf: prog 'absent': BPF program load failed: Invalid argument
libbpf: prog 'absent': -- BEGIN PROG LOAD LOG --
arg#0 reference type('UNKNOWN ') size cannot be determined: -22
0: R1=ctx() R10=fp0
; int absent(void *ctx) @ absent.bpf.c:18
0: (bf) r3 = r1                       ; R1=ctx() R3=ctx()
1: <invalid CO-RE relocation>
failed to resolve CO-RE relocation <byte_off> [5] struct net_device.nothing_of_that_name (0:1 @ offset 8)
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'absent': failed to load: -22
libbpf: failed to load object '/tmp/absent.o'
`;

/** The same, of one that the verifier refuses. */
const REFUSED = `libbpf: prog 'xsk_rcv_end__fexit': BPF program load failed: Permission denied
libbpf: prog 'xsk_rcv_end__fexit': -- BEGIN PROG LOAD LOG --
12: (85) call bpf_probe_read_kernel#113
combined stack size of 2 calls is 544. Too large
processed 12 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'xsk_rcv_end__fexit': failed to load: -13
libbpf: failed to load object 'recorder'
`;

test('a field without a target is named', () => {
  expect(lastWords(UNRESOLVED)).toBe('no matching targets for struct net_device.nothing_of_that_name');
  expect(refusedProgram(UNRESOLVED)).toBe('absent');
});

test.each(['struct foo___of_nobody', 'enum netdev_cmd::NETDEV_OF_NOBODY = 21'])('so is %s', (what) => {
  const line = /^failed to resolve .*$/m;
  const kind = what.startsWith('enum') ? 'enumval_value' : 'type_id';
  const text = UNRESOLVED.replace(line, `failed to resolve CO-RE relocation <${kind}> [7] ${what}`);
  expect(lastWords(text)).toBe(`no matching targets for ${what}`);
});

test("a verifier's last words are told, and not what follows every refusal", () => {
  expect(lastWords(REFUSED)).toBe(
    '12: (85) call bpf_probe_read_kernel#113; combined stack size of 2 calls is 544. Too large',
  );
});

test('words that nobody knows are kept as they are, and none stay none', () => {
  expect(lastWords('libbpf: map rings: no memory\n')).toBe('map rings: no memory');
  expect(lastWords('')).toBe('');
});
