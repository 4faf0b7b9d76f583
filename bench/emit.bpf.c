/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one event costs: each body as tc and xdp program, to be run by BPF_PROG_TEST_RUN, and at raw_syscalls:sys_enter. */
#include "record.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 << 20);
} bench_ringbuf SEC(".maps");

struct bench_state {
	__u32 wanted;
	__u32 index;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct bench_state);
} bench_states SEC(".maps");

/* The sinks keep the compiler from dropping what is measured. */
struct bench_sink {
	__u64 word;
	__u64 pad[7];
} bench_sinks[64];
#define SINK bench_sinks[bpf_get_smp_processor_id() & 63].word

/* One body, three programs. */
#define VARIANT(name)                                                                                            \
	static __always_inline int name##_body(__u64 addr);                                                      \
	SEC("tc") int name##_tc(struct __sk_buff *skb)                                                           \
	{                                                                                                        \
		return name##_body(skb->len);                                                                    \
	}                                                                                                        \
	SEC("xdp") int name##_xdp(struct xdp_md *xdp)                                                            \
	{                                                                                                        \
		return name##_body(xdp->rx_queue_index);                                                        \
	}                                                                                                        \
	SEC("raw_tp/sys_enter") int name##_raw(__u64 *ctx)                                                       \
	{                                                                                                        \
		return name##_body(ctx[1]);                                                                      \
	}                                                                                                        \
	static __always_inline int name##_body(__u64 addr)

VARIANT(fb_empty)
{
	return 0;
}

VARIANT(fb_clock)
{
	SINK = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void fill_record(struct rec_xsk_rx_publish *r, __u64 addr)
{
	r->object = 7;
	r->position = addr;
	r->addr = addr << 11;
	r->len = 1500;
	r->pad0 = 0;
	r->pad1 = 0;
}

static __always_inline int write_record(__u64 addr)
{
	FR_RECORDING;
	struct rec_xsk_rx_publish *r = fr_begin(xsk_rx_publish, 0);

	if (!r)
		return 0;
	fill_record(r, addr);
	fr_end(r);
	return 0;
}

VARIANT(fb_record)
{
	return write_record(addr);
}

static __always_inline int write_to_ringbuf(__u64 addr, int ids_by_helper)
{
	struct rec_xsk_rx_publish *r = bpf_ringbuf_reserve(&bench_ringbuf, sizeof(*r), 0);

	if (!r)
		return 0;
	r->head.seq = 0;
	if (ids_by_helper) {
		r->head.ts = bpf_ktime_get_ns();
		*(__u64 *)&r->head.tid = bpf_get_current_pid_tgid();
		*(__u64 *)&r->head.kind = FR_KIND_xsk_rx_publish | (__u64)bpf_get_smp_processor_id() << 32;
	} else {
		fr_fill_head(&r->head, FR_KIND_xsk_rx_publish, 0, bpf_get_smp_processor_id());
	}
	fill_record(r, addr);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* The same record into BPF's own ring buffer, as is usual; nobody is woken. */
VARIANT(fb_ringbuf)
{
	return write_to_ringbuf(addr, 1);
}

/* And with what flightring knows of the running task. */
VARIANT(fb_rbids)
{
	return write_to_ringbuf(addr, 0);
}

/* Another device than --dev names. */
VARIANT(fb_by_dev)
{
	if (!fr_device_wanted(1, 0xffff & addr))
		return 0;
	return write_record(addr);
}

/* Another process than --pid names. */
VARIANT(fb_by_pid)
{
	if (!fr_task_wanted())
		return 0;
	return write_record(addr);
}

/* An object known to be unwanted: one hash lookup, as the xsk probes do for a socket. */
VARIANT(fb_by_object)
{
	__u64 key = 1;
	struct bench_state *state = bpf_map_lookup_elem(&bench_states, &key);

	if (!state || !state->wanted)
		return 0;
	return write_record(addr);
}

/* What knowing the running task costs per context switch, but for one helper call. */
VARIANT(fb_switch)
{
	fr_task_switched((struct task_struct *)bpf_get_current_task());
	return 0;
}

SEC("raw_tp/sched_switch") int fb_switched(__u64 *ctx)
{
	fr_task_switched((struct task_struct *)ctx[2]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
