// SPDX-License-Identifier: Apache-2.0
/*
 * Which instructions of a relocated program can run. `bpf_core_field_exists` becomes a constant, and what
 * stands behind such a question may hold relocations without a target; the verifier never looks there, and
 * neither does this. Registers and the stack's words are constants or unknown; everything that is not plainly
 * constant is unknown.
 */
#include "reach.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS 11
#define FRAME 10
#define WORDS 64 /* of 8 bytes: MAX_BPF_STACK */

struct state {
	uint8_t known[REGISTERS], kept[WORDS];
	uint64_t value[REGISTERS], word[WORDS];
};

struct walk {
	const struct bpf_insn *code;
	size_t count, waiting;
	char *reached;
	struct state *states;
	size_t *queue;
	char *queued;
};

/* What holds on both ways to an instruction; returns whether that is less than before. */
static int meet(struct state *to, const struct state *from)
{
	int changed = 0;

	for (int i = 0; i < REGISTERS; i++)
		if (to->known[i] && !(from->known[i] && from->value[i] == to->value[i])) {
			to->known[i] = 0;
			changed = 1;
		}
	for (int i = 0; i < WORDS; i++)
		if (to->kept[i] && !(from->kept[i] && from->word[i] == to->word[i])) {
			to->kept[i] = 0;
			changed = 1;
		}
	return changed;
}

static void go(struct walk *walk, int64_t at, const struct state *state)
{
	if (at < 0 || (size_t)at >= walk->count)
		return;
	if (walk->reached[at]) {
		if (!meet(&walk->states[at], state))
			return;
	} else {
		walk->reached[at] = 1;
		walk->states[at] = *state;
	}
	if (!walk->queued[at]) {
		walk->queued[at] = 1;
		walk->queue[walk->waiting++] = at;
	}
}

/* Returns 0 for what it does not know. */
static int calculate(uint8_t code, uint64_t left, uint64_t right, uint64_t *result)
{
	int wide = BPF_CLASS(code) == BPF_ALU64;
	unsigned shift = right & (wide ? 63 : 31);

	if (!wide) {
		left = (uint32_t)left;
		right = (uint32_t)right;
	}
	switch (BPF_OP(code)) {
	case BPF_MOV:
		left = right;
		break;
	case BPF_ADD:
		left += right;
		break;
	case BPF_SUB:
		left -= right;
		break;
	case BPF_MUL:
		left *= right;
		break;
	case BPF_AND:
		left &= right;
		break;
	case BPF_OR:
		left |= right;
		break;
	case BPF_XOR:
		left ^= right;
		break;
	case BPF_LSH:
		left <<= shift;
		break;
	case BPF_RSH:
		left >>= shift;
		break;
	case BPF_ARSH:
		left = wide ? (uint64_t)((int64_t)left >> shift) : (uint64_t)((int32_t)left >> shift);
		break;
	default:
		return 0;
	}
	*result = wide ? left : (uint32_t)left;
	return 1;
}

static int holds(uint8_t code, uint64_t left, uint64_t right)
{
	int64_t signed_left = left, signed_right = right;

	if (BPF_CLASS(code) == BPF_JMP32) {
		left = (uint32_t)left;
		right = (uint32_t)right;
		signed_left = (int32_t)left;
		signed_right = (int32_t)right;
	}
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return left == right;
	case BPF_JNE:
		return left != right;
	case BPF_JGT:
		return left > right;
	case BPF_JGE:
		return left >= right;
	case BPF_JLT:
		return left < right;
	case BPF_JLE:
		return left <= right;
	case BPF_JSET:
		return (left & right) != 0;
	case BPF_JSGT:
		return signed_left > signed_right;
	case BPF_JSGE:
		return signed_left >= signed_right;
	case BPF_JSLT:
		return signed_left < signed_right;
	default:
		return signed_left <= signed_right;
	}
}

static void operate(const struct bpf_insn *insn, struct state *state)
{
	uint64_t right =
	    BPF_SRC(insn->code) == BPF_X ? state->value[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
	int known = BPF_SRC(insn->code) == BPF_K || state->known[insn->src_reg];

	if (BPF_OP(insn->code) != BPF_MOV)
		known = known && state->known[insn->dst_reg];
	if (insn->off) /* Of signed numbers, and moves that extend the sign: not reckoned here. */
		known = 0;
	state->known[insn->dst_reg] =
	    known && calculate(insn->code, state->value[insn->dst_reg], right, &state->value[insn->dst_reg]);
}

static void store(const struct bpf_insn *insn, struct state *state)
{
	int at = (insn->off + WORDS * 8) / 8, is_register = BPF_CLASS(insn->code) == BPF_STX;

	/* The stack is written to by other names, too. */
	if (insn->dst_reg != FRAME || insn->off >= 0 || insn->off < -WORDS * 8) {
		memset(state->kept, 0, sizeof(state->kept));
		return;
	}
	state->kept[at] = 0;
	if (BPF_MODE(insn->code) != BPF_MEM || BPF_SIZE(insn->code) != BPF_DW || insn->off % 8)
		return;
	state->kept[at] = is_register ? state->known[insn->src_reg] : 1;
	state->word[at] = is_register ? state->value[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
}

static void load(const struct bpf_insn *insn, struct state *state)
{
	int at = (insn->off + WORDS * 8) / 8;
	int plain = insn->src_reg == FRAME && insn->off < 0 && insn->off >= -WORDS * 8 &&
		    insn->off % 8 == 0 && BPF_SIZE(insn->code) == BPF_DW && BPF_MODE(insn->code) == BPF_MEM;

	state->known[insn->dst_reg] = plain && state->kept[at];
	if (state->known[insn->dst_reg])
		state->value[insn->dst_reg] = state->word[at];
}

static void call(struct walk *walk, size_t at, struct state *state)
{
	const struct bpf_insn *insn = &walk->code[at];
	struct state inside = {};

	/* In the place of a map's address, which was loaded into a register that doesn't show any more. */
	if (!insn->src_reg && insn->imm >= MAP_ABSENT)
		memset(state->known, 0, sizeof(state->known));
	if (insn->src_reg == BPF_PSEUDO_CALL)
		go(walk, (int64_t)at + 1 + insn->imm, &inside);
	memset(state->known, 0, 6);
	memset(state->kept, 0, sizeof(state->kept));
	go(walk, at + 1, state);
}

static void jump(struct walk *walk, size_t at, const struct state *state)
{
	const struct bpf_insn *insn = &walk->code[at];
	int by_register = BPF_SRC(insn->code) == BPF_X;
	uint64_t right = by_register ? state->value[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
	int known = state->known[insn->dst_reg] && (!by_register || state->known[insn->src_reg]);
	int taken = known && holds(insn->code, state->value[insn->dst_reg], right);

	if (!known || taken)
		go(walk, (int64_t)at + 1 + insn->off, state);
	if (!known || !taken)
		go(walk, at + 1, state);
}

static void step(struct walk *walk, size_t at)
{
	const struct bpf_insn *insn = &walk->code[at];
	struct state state = walk->states[at], inside = {};

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		operate(insn, &state);
		break;
	case BPF_LDX:
		load(insn, &state);
		break;
	case BPF_ST:
	case BPF_STX:
		store(insn, &state);
		if (BPF_MODE(insn->code) != BPF_MEM) /* Atomics may give back what was there. */
			memset(state.known, 0, sizeof(state.known));
		break;
	case BPF_LD: /* Of 64 bits, in two instructions. */
		if (insn->src_reg == BPF_PSEUDO_FUNC)
			go(walk, (int64_t)at + 1 + insn->imm, &inside);
		state.known[insn->dst_reg] = !insn->src_reg;
		state.value[insn->dst_reg] = (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;
		go(walk, at + 2, &state);
		return;
	default:
		if (BPF_OP(insn->code) == BPF_CALL)
			call(walk, at, &state);
		else if (BPF_OP(insn->code) == BPF_JA)
			go(walk,
			   (int64_t)at + 1 + (BPF_CLASS(insn->code) == BPF_JMP32 ? insn->imm : insn->off),
			   &state);
		else if (BPF_OP(insn->code) != BPF_EXIT)
			jump(walk, at, &state);
		return;
	}
	go(walk, at + 1, &state);
}

void reach(const struct bpf_insn *code, size_t count, char *reached)
{
	struct walk walk = {.code = code, .count = count, .reached = reached};
	struct state start = {};

	walk.states = calloc(count, sizeof(*walk.states));
	walk.queue = calloc(count, sizeof(*walk.queue));
	walk.queued = calloc(count, 1);
	if (!walk.states || !walk.queue || !walk.queued)
		abort();
	memset(reached, 0, count);
	go(&walk, 0, &start);
	while (walk.waiting) {
		size_t at = walk.queue[--walk.waiting];

		walk.queued[at] = 0;
		step(&walk, at);
	}
	free(walk.states);
	free(walk.queue);
	free(walk.queued);
}
