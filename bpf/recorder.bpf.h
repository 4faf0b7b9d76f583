/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The recorder: two banks of per-CPU overwriting rings, a share of each for every path, the word that freezes
 * them, and the macros that probes are made of. */
#ifndef FR_RECORDER_BPF_H
#define FR_RECORDER_BPF_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "types.bpf.h"
#include "kernel.bpf.h"
#include "kinds.bpf.h"

/* Arguments arrive as pointer-sized words, whatever their type. */
#pragma clang diagnostic ignored "-Wint-conversion"

#define FR_SLOT_BYTES 64
#define FR_RING_HEADER 4096
/* A ring's header has the head of share s at byte s * FR_HEAD_BYTES: heads never share a cache line. */
#define FR_HEAD_BYTES 64
#define FR_SHARES_MAX 16
#define FR_FIRST_PAYLOAD 32
#define FR_NEXT_PAYLOAD 56
#define FR_CONTINUATION (1ull << 63)

/* The head of every record; src/model/slot.ts mirrors it. */
struct fr_head {
	fr_u64 seq;
	fr_ns ts;
	fr_tid tid;
	fr_pid tgid;
	fr_u16 kind;
	fr_u16 flags;
	fr_u32 cpu;
};

#define FR_SLOTS_MASK 0x000f
#define FR_URGENT 0x0010
#define FR_OWN_FLAG 0x0100

/*
 * RECORD(kind) { struct fr_head head; ... }: declares a record and keeps its struct in the object's BTF, from
 * which the layouts in src/generated are made. Its number comes from kinds.bpf.h, generated from the sorted
 * names.
 */
#define RECORD(name)                                                                                         \
	struct rec_##name;                                                                                   \
	const struct rec_##name *fr_schema_##name SEC(".rodata.schema") = 0;                                 \
	struct rec_##name

/*
 * Events lost from this place in the order on; written by user space, which alone can see the loss. They lie
 * in the time up to `until`, so what other CPUs recorded of that path in that time can't be judged either.
 */
RECORD(gap)
{
	struct fr_head head;
	fr_u64 lost;
	fr_reason reason;
	fr_u32 bank;
	fr_ns until;
	fr_path share; /* whose events are lost; empty in old recordings: anyone's */
};

/* Knobs, constant once loaded: the verifier removes what they switch off. */
/* By share: where its slots begin, their number - 1, and how often it rings the doorbell (every eighth of
 * them). */
const volatile __u64 fr_share_offset[FR_SHARES_MAX] = {};
const volatile __u64 fr_share_mask[FR_SHARES_MAX] = {}; /* 0: this path isn't recorded */
const volatile __u64 fr_doorbell_mask[FR_SHARES_MAX] = {};
const volatile __u32 fr_cpus = 1;
const volatile __u64 fr_only_netns = 0; /* 0: any */
const volatile __u32 fr_only_ifindex = 0;
const volatile __u32 fr_only_tgid = 0;
const volatile __u8 fr_only_comm_set = 0;
const volatile char fr_only_comm[16] = {};

/* What user space and programs tell each other. One page, mapped by both. */
struct fr_control {
	__u32 bank;	  /* 0 or 1: the bank that is written; 2: nothing is recorded */
	__u32 spare_free; /* the other bank may be switched to */
	__u32 rung;	  /* the doorbell has rung and wasn't answered yet */
	__u32 tripwires;  /* bit set: this tripwire may freeze */
	__u32 tripped;	  /* 0, or 1 + number of the tripwire that froze */
	__u32 trip_cpu;
	__u64 trip_seq;
	__u64 trip_ts;
	__u64 trip_flipped_ts;
	__u32 objects; /* entries of the object table in use */
	__u32 objects_dropped;
	__u32 waiting; /* the reader sleeps long: the next event wakes it */
	__u32 pad;
};
struct fr_control fr_control SEC(".data.control") = {.bank = 2};

/*
 * Geometry is set at load: max_entries = 2 * CPUs, value_size = header + the slots of all shares. A share's
 * number stands in the upper 16 bits of its head from the start, so that (CPU, sequence) names one event over
 * all shares.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FR_RING_HEADER + FR_SLOT_BYTES);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} doorbell SEC(".maps");

#define FR_OBJECTS_MAX 16384
#define FR_NO_OBJECT 0xffffffff

enum fr_object_type { FR_OBJECT_UMEM = 1, FR_OBJECT_QUEUE = 2, FR_OBJECT_SOCKET = 3 };

/* One entry of the object table; written once, complete before its type is set. */
struct fr_object_entry {
	fr_u32 type;
	fr_object umem;
	fr_ns ts;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_queue queue;
	fr_object parent;
	fr_pid tgid;
	fr_tid tid;
	fr_bytes chunk_size;
	fr_u64 size;
	fr_bytes headroom;
	fr_bits flags;
	fr_comm comm;
	fr_name name;
	fr_u64 pad[3];
};
const struct fr_object_entry *fr_schema_object_entry SEC(".rodata.schema") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FR_OBJECTS_MAX);
	__type(key, __u32);
	__type(value, struct fr_object_entry);
} objects SEC(".maps");

static __always_inline struct fr_object_entry *fr_object_new(__u32 *index)
{
	__u32 i = __sync_fetch_and_add(&fr_control.objects, 1);
	struct fr_object_entry *e;

	if (i >= FR_OBJECTS_MAX) {
		__sync_fetch_and_add(&fr_control.objects_dropped, 1);
		return 0;
	}
	e = bpf_map_lookup_elem(&objects, &i);
	if (!e)
		return 0;
	*index = i;
	e->ts = bpf_ktime_get_ns();
	return e;
}

static __always_inline void fr_ring_doorbell(void)
{
	__u64 one = 1;

	/* One wake-up is enough until the reader has answered: each costs microseconds. */
	if (fr_control.rung)
		return;
	fr_control.rung = 1;
	fr_control.waiting = 0;
	bpf_ringbuf_output(&doorbell, &one, sizeof(one), BPF_RB_FORCE_WAKEUP);
}

/*
 * Claims `slots` slots of a share: first the claim, then the clock, so that a reader who takes the time
 * before it reads the heads knows that every older record is claimed. Returns the first slot, or 0 while
 * nothing is recorded.
 */
static __always_inline void *fr_claim(const __u32 share, __u32 slots, __u64 *first, void **ring_out,
				      __u32 *cpu)
{
	__u32 bank = *(volatile __u32 *)&fr_control.bank;
	__u64 mask;
	__u32 at;
	void *ring;

	if (bank > 1)
		return 0;
	mask = fr_share_mask[share];
	if (!mask)
		return 0;
	*cpu = bpf_get_smp_processor_id();
	at = bank * fr_cpus + *cpu;
	ring = bpf_map_lookup_elem(&rings, &at);
	if (!ring)
		return 0;
	*first = __sync_fetch_and_add((__u64 *)(ring + share * FR_HEAD_BYTES), slots);
	ring += fr_share_offset[share];
	*ring_out = ring;
	return ring + (*first & mask) * FR_SLOT_BYTES;
}

#if defined(__TARGET_ARCH_x86)
#define fr_publish(slot, value)                                                                              \
	do {                                                                                                 \
		barrier();                                                                                   \
		*(volatile __u64 *)(slot) = (value);                                                         \
	} while (0)
#else
#define fr_publish(slot, value) __sync_lock_test_and_set((__u64 *)(slot), (value))
#endif

/*
 * The ids of the task that runs on each CPU, as sched_switch told them, with FR_RUNNING_KNOWN set. A helper
 * call for them would cost as much as all else but the clock (bench/README.md, emit).
 */
#define FR_RUNNING_KNOWN (1ull << 63)
#define FR_RUNNING_CPUS 1024
struct fr_running {
	__u64 ids; /* tgid << 32 | tid */
	__u64 pad[7];
} fr_running[FR_RUNNING_CPUS] __attribute__((aligned(64)));

/* To be called at sched_switch with the task that is switched to; without it the helper is called for every
 * event. */
static __always_inline void fr_task_switched(struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id(), ids[2];

	/* pid and tgid lie side by side: one read for both. */
	bpf_probe_read_kernel(ids, sizeof(ids), &next->pid);
	fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids = FR_RUNNING_KNOWN | (__u64)ids[1] << 32 | ids[0];
}

/* To be called when the current task may have got other ids: exec by another thread than the first
 * (fs/exec.c). */
static __always_inline void fr_task_changed(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids = 0;
}

static __always_inline __u64 fr_current_ids(__u32 cpu)
{
	/* On a machine with more CPUs two would share an entry. */
	__u64 ids = fr_cpus > FR_RUNNING_CPUS ? 0 : fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids;

	return ids & FR_RUNNING_KNOWN ? ids & ~FR_RUNNING_KNOWN : bpf_get_current_pid_tgid();
}

static __always_inline void fr_fill_head(struct fr_head *head, __u16 kind, __u16 flags, __u32 cpu)
{
	head->ts = bpf_ktime_get_ns();
	/* Two words at a time: tid and tgid; kind, flags and cpu. */
	*(__u64 *)&head->tid = fr_current_ids(cpu);
	*(__u64 *)&head->kind = kind | (__u64)flags << 16 | (__u64)cpu << 32;
}

static __always_inline void fr_after(const __u32 share, __u64 first, __u32 slots, __u16 flags)
{
	if (flags & FR_URGENT || fr_control.waiting || ((first + slots) & fr_doorbell_mask[share]) < slots)
		fr_ring_doorbell();
}

/* fr_begin(kind, flags) ... fr_end(): a record of exactly one slot, written in place; fields not set are 0.
 */
#define fr_begin(name, flags_)                                                                               \
	({                                                                                                   \
		_Static_assert(sizeof(struct rec_##name) == FR_SLOT_BYTES, #name " is not one slot");        \
		void *ring_;                                                                                 \
		__u32 cpu_;                                                                                  \
		struct rec_##name *rec_ = fr_claim(FR_SHARE_##name, 1, &fr_first, &ring_, &cpu_);            \
		fr_share = FR_SHARE_##name;                                                                  \
		fr_flags = (flags_);                                                                         \
		if (rec_) {                                                                                  \
			fr_fill_head(&rec_->head, FR_KIND_##name, fr_flags, cpu_);                           \
			__builtin_memset((void *)rec_ + sizeof(struct fr_head), 0, FR_FIRST_PAYLOAD);        \
		}                                                                                            \
		rec_;                                                                                        \
	})
#define FR_RECORDING                                                                                         \
	__u64 fr_first = 0;                                                                                  \
	__u32 fr_share = 0;                                                                                  \
	__u16 fr_flags = 0
#define fr_end(rec)                                                                                          \
	do {                                                                                                 \
		fr_publish(&(rec)->head.seq, fr_first + 1);                                                  \
		fr_after(fr_share, fr_first, 1, fr_flags);                                                   \
	} while (0)

#define FR_SLOTS(size)                                                                                       \
	((size) <= FR_SLOT_BYTES ? 1 : 1 + ((size)-FR_SLOT_BYTES + FR_NEXT_PAYLOAD - 1) / FR_NEXT_PAYLOAD)

/* fr_write(kind, &record, flags): a record of several slots, built by the caller and copied in pieces. */
#define fr_write(name, rec, flags)                                                                           \
	fr_write_slots(rec, sizeof(struct rec_##name), FR_KIND_##name, FR_SHARE_##name, flags)
static __always_inline void fr_write_slots(void *rec, const __u32 size, __u16 kind, const __u32 share,
					   __u16 flags)
{
	const __u32 slots = FR_SLOTS(size);
	__u64 first;
	__u32 cpu;
	void *ring;
	struct fr_head *slot = fr_claim(share, slots, &first, &ring, &cpu);

	if (!slot)
		return;
	fr_fill_head(slot, kind, flags | (slots - 1), cpu);
	__builtin_memcpy((void *)slot + sizeof(struct fr_head), rec + sizeof(struct fr_head),
			 FR_FIRST_PAYLOAD);
#pragma unroll
	for (__u32 i = 1; i < slots; i++) {
		void *next = ring + ((first + i) & fr_share_mask[share]) * FR_SLOT_BYTES;
		__u32 from = FR_SLOT_BYTES + (i - 1) * FR_NEXT_PAYLOAD;

		__builtin_memcpy(next + 8, rec + from,
				 size - from < FR_NEXT_PAYLOAD ? size - from : FR_NEXT_PAYLOAD);
		fr_publish(next, (first + i + 1) | FR_CONTINUATION);
	}
	fr_publish(slot, first + 1);
	fr_after(share, first, slots, flags);
}

/*
 * A tripwire found what must not be: freeze inside the offending event. The other bank is switched to, so
 * that nothing later enters the frozen one; if that bank is still being exported, recording goes on and user
 * space is told.
 */
static __always_inline void fr_trip(__u32 number, __u64 first)
{
	if (!(fr_control.tripwires & (1u << number)))
		return;
	if (__sync_val_compare_and_swap(&fr_control.tripped, 0, number + 1) != 0)
		return;
	if (fr_control.spare_free) {
		fr_control.spare_free = 0;
		fr_control.bank ^= 1;
		fr_control.trip_flipped_ts = bpf_ktime_get_ns();
	}
	fr_control.trip_cpu = bpf_get_smp_processor_id();
	fr_control.trip_seq = first + 1;
	fr_control.trip_ts = bpf_ktime_get_ns();
	fr_ring_doorbell();
}

/* The current task passes --pid and --comm. Only for probes that run in the task's own system call. */
static __always_inline int fr_task_wanted(void)
{
	if (fr_only_tgid && fr_current_ids(bpf_get_smp_processor_id()) >> 32 != fr_only_tgid)
		return 0;
	if (fr_only_comm_set) {
		char comm[16];

		bpf_get_current_comm(comm, sizeof(comm));
#pragma unroll
		for (int i = 0; i < 16; i++) {
			if (comm[i] != fr_only_comm[i])
				return 0;
			if (!comm[i])
				break;
		}
	}
	return 1;
}

static __always_inline int fr_device_wanted(__u64 netns, __u32 ifindex)
{
	if (fr_only_netns && netns != fr_only_netns)
		return 0;
	if (fr_only_ifindex && ifindex != fr_only_ifindex)
		return 0;
	return 1;
}

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
/* Before 7.0 a program may not read an argument that is a pointer to a pointer, other than by helper. */
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
