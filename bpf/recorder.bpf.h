/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The recorder: two banks of per-CPU overwriting rings, a share of each for every path, how a record gets
 * into them, and what freezes them. */
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
#include "control.bpf.h"
#include "objects.bpf.h"
#include "running.bpf.h"
#include "wanted.bpf.h"
#include "programs.bpf.h"

#define FR_SLOT_BYTES 64
#define FR_RING_HEADER 4096
/* A ring's header has the head of share s at byte s * FR_HEAD_BYTES: heads never share a cache line. */
#define FR_HEAD_BYTES 64
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

#endif
