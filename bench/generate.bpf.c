/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Healthy AF_XDP traffic without AF_XDP: every run writes the next event of a frame's way round, one queue per CPU. The
 * other benchmarks record and check it. Run at system calls (getppid), or as fast as BPF_PROG_TEST_RUN repeats it.
 */
#include "recorder.bpf.h"
#include "../bpf/tripwires/umem-address.bpf.h"

/* What all the kinds used here share (bpf/probes/xsk-records.bpf.h). */
RECORD(xsk_rx_publish)
{
	struct fr_head head;
	fr_object object;
	fr_u32 word;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 count;
	fr_ns since;
};

#define FRAMES 1024
#define CHUNK 2048
#define UMEM_SIZE (64ull * FRAMES * CHUNK)

#define SOCKET 1
#define POSITION 2
#define ADDR 4
#define LEN 8
#define COUNT 16
#define SINCE 32
#define WAKE 64
#define WORK 128
#define COMPLETED 256
#define AHEAD 512
#define WAITING 512 /* frames in FILL */

struct step {
	__u16 kind;
	__u16 has;
};
/* bench/healthy.ts writes the same sequence. */
static const volatile struct step steps[16] = {
	{ FR_KIND_xsk_napi_schedule, 0 },
	{ FR_KIND_xsk_napi_begin, 0 },
	{ FR_KIND_xsk_fill_submit, POSITION | ADDR | SINCE | AHEAD },
	{ FR_KIND_xsk_fill_take, POSITION | ADDR },
	{ FR_KIND_xsk_redirect, SOCKET | LEN },
	{ FR_KIND_xsk_rx_reserve, SOCKET | POSITION | LEN },
	{ FR_KIND_xsk_rx_write, SOCKET | POSITION | ADDR | LEN },
	{ FR_KIND_xsk_rx_publish, SOCKET | POSITION | ADDR | LEN },
	{ FR_KIND_xsk_flush, 0 },
	{ FR_KIND_xsk_napi_complete, WORK | COUNT },
	{ FR_KIND_xsk_napi_end, WORK },
	{ FR_KIND_xsk_rx_consume, SOCKET | POSITION | COUNT | SINCE },
	{ FR_KIND_xsk_tx_submit, SOCKET | POSITION | ADDR | LEN | SINCE },
	{ FR_KIND_xsk_wakeup, SOCKET | WAKE },
	{ FR_KIND_xsk_tx_take, ADDR },
	{ FR_KIND_xsk_comp_submit, COMPLETED | ADDR },
};

struct bench_queue {
	__u64 events;
	__u64 since;
	__u64 completed;
	__u64 pad[5];
} bench_queues[64];

#define OFFEND_BY_TRIPWIRE 1
#define OFFEND_BY_RULE 2

static __always_inline int next_event(__u32 offend)
{
	__u32 cpu = bpf_get_smp_processor_id() & 63, same;
	struct bench_queue *queue = &bench_queues[cpu];
	/* An offence comes between two events of the way round. */
	__u64 event = __sync_fetch_and_add(&queue->events, !offend), frame = event >> 4, first;
	__u16 kind = steps[event & 15].kind, has = steps[event & 15].has, flags = 0;
	struct rec_xsk_rx_publish *r;
	void *ring;

	if (offend) {
		/* The frame before this one is in COMP; giving it back again is illegal. */
		kind = FR_KIND_xsk_comp_submit;
		has = COMPLETED | ADDR;
		flags = FR_URGENT;
		frame--;
	}
	if (has & AHEAD)
		frame += WAITING;
	r = fr_claim(FR_SHARE_xsk_rx_publish, 1, &first, &ring, &same);
	if (!r)
		return 0;
	fr_fill_head(&r->head, kind, flags, same);
	r->object = 1 + cpu * 2 + (has & SOCKET ? 1 : 0);
	r->word = has & POSITION ? frame : has & COMPLETED ? queue->completed++ : has & (WAKE | WORK) ? 1 : 0;
	r->addr = has & ADDR ? (cpu * FRAMES + frame % FRAMES) * (__u64)CHUNK : 0;
	r->len = has & LEN ? 60 : 0;
	r->count = has & COUNT ? 1 : 0;
	r->since = has & SINCE ? queue->since : 0;
	if ((event & 15) == 1)
		queue->since = r->head.ts;
	if (offend == OFFEND_BY_TRIPWIRE) {
		r->addr = FR_POISON;
		fr_trip(fr_umem_address_broken(r->addr, UMEM_SIZE, 0), first);
	}
	fr_publish(&r->head.seq, first + 1);
	fr_after(FR_SHARE_xsk_rx_publish, first, 1, flags);
	return 0;
}

SEC("tc") int fg_generate_tc(struct __sk_buff *skb)
{
	return next_event(skb->mark);
}

/* The driver's getppid; getpgrp (by mark 1) and getuid (by mark 2) stand for an offence. */
SEC("raw_tp/sys_enter") int fg_generate_raw(__u64 *ctx)
{
	if (!fr_task_wanted())
		return 0;
	switch (ctx[1]) {
	case 110:
		return next_event(0);
	case 111:
		return next_event(OFFEND_BY_TRIPWIRE);
	case 102:
		return next_event(OFFEND_BY_RULE);
	}
	return 0;
}

SEC("raw_tp/sched_switch") int fg_switched(__u64 *ctx)
{
	fr_task_switched((struct task_struct *)ctx[2]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
