/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The macros that probes are made of. */
#ifndef FR_PROGRAMS_BPF_H
#define FR_PROGRAMS_BPF_H

#include <linux/ptrace.h>
#include <bpf/bpf_tracing.h>

/* Arguments arrive as pointer-sized words, whatever their type. */
#pragma clang diagnostic ignored "-Wint-conversion"

/*
 * One body, several programs; user space loads the best one this kernel takes (architecture: fentry, then
 * kprobe). FR_ENTRY runs at a function's entry. FR_EXIT runs at its return, with the arguments and, last, the
 * return value; under kprobes the arguments wait in a map between entry and return.
 */
#define FR_ENTRY(name, func, args...)                                                                        \
	static __always_inline int name##_body(void *ctx, ##args);                                           \
	SEC("?fentry/" #func) int name##__fentry(unsigned long long *ctx)                                    \
	{                                                                                                    \
		return name##_body(___bpf_ctx_cast(args));                                                   \
	}                                                                                                    \
	SEC("?kprobe/" #func) int name##__kprobe(struct pt_regs *ctx)                                        \
	{                                                                                                    \
		return name##_body(___bpf_kprobe_args(args));                                                \
	}                                                                                                    \
	static __always_inline int name##_body(void *ctx, ##args)

struct fr_call {
	__u64 words[6];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct fr_call);
} calls SEC(".maps");

/* Thread and function. Idle tasks all have tid 0, but softirqs that interrupt them stay on their CPU. */
static __always_inline __u64 fr_call_key(__u32 func)
{
	__u64 tid = (__u32)bpf_get_current_pid_tgid();

	if (!tid)
		tid = 0x80000000 | bpf_get_smp_processor_id();
	return tid << 32 | func;
}

#define FR_EXIT(name, func, args...) FR_EXIT_BY(FR_ARGUMENTS, name, func, ##args)
/* Older verifiers (6.18) let a program have an argument that points to a pointer only by helper. */
#define FR_EXIT_ANY(name, func, args...) FR_EXIT_BY(FR_ARGUMENTS_ANY, name, func, ##args)

#define FR_ARGUMENTS(call, count, words) __builtin_memcpy(words, call, 8 * (count))
#define FR_ARGUMENTS_ANY(call, count, words)                                                                 \
	_Pragma("unroll") for (int i_ = 0; i_ < (count); i_++) bpf_get_func_arg(call, i_, &(words)[i_])

#define FR_EXIT_BY(arguments, name, func, args...)                                                           \
	static __always_inline int name##_body(void *ctx, ##args);                                           \
	SEC("?fexit/" #func) int name##__fexit(unsigned long long *call)                                     \
	{                                                                                                    \
		/* By helper: the number of arguments, and so the return value's place, differs among        \
		 * kernels. */                                                                               \
		unsigned long long ctx[6] = {};                                                              \
		arguments(call, ___bpf_narg(args) - 1, ctx);                                                 \
		bpf_get_func_ret(call, &ctx[___bpf_narg(args) - 1]);                                         \
		return name##_body(___bpf_ctx_cast(args));                                                   \
	}                                                                                                    \
	SEC("?kprobe/" #func) int name##__kprobe(struct pt_regs *regs)                                       \
	{                                                                                                    \
		__u64 key = fr_call_key(__COUNTER__ + 1);                                                    \
		struct fr_call call = {{PT_REGS_PARM1(regs), PT_REGS_PARM2(regs), PT_REGS_PARM3(regs),       \
					PT_REGS_PARM4(regs), PT_REGS_PARM5(regs), 0}};                       \
		bpf_map_update_elem(&calls, &key, &call, BPF_ANY);                                           \
		return 0;                                                                                    \
	}                                                                                                    \
	SEC("?kretprobe/" #func) int name##__kretprobe(struct pt_regs *regs)                                 \
	{                                                                                                    \
		__u64 key = fr_call_key(__COUNTER__);                                                        \
		struct fr_call *call = bpf_map_lookup_elem(&calls, &key);                                    \
		if (!call)                                                                                   \
			return 0;                                                                            \
		unsigned long long ctx[6];                                                                   \
		__builtin_memcpy(ctx, call->words, sizeof(ctx));                                             \
		ctx[___bpf_narg(args) - 1] = PT_REGS_RC(regs);                                               \
		bpf_map_delete_elem(&calls, &key);                                                           \
		return name##_body(___bpf_ctx_cast(args));                                                   \
	}                                                                                                    \
	static __always_inline int name##_body(void *ctx, ##args)

/* FR_RAW runs at a tracepoint, by its raw arguments. */
#define FR_RAW(name, tracepoint, args...)                                                                    \
	static __always_inline int name##_body(void *ctx, ##args);                                           \
	SEC("?raw_tp/" #tracepoint) int name##__raw_tp(unsigned long long *ctx)                              \
	{                                                                                                    \
		return name##_body(___bpf_ctx_cast(args));                                                   \
	}                                                                                                    \
	static __always_inline int name##_body(void *ctx, ##args)

#endif
