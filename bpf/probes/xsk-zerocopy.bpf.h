/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs on zero copy (include/net/xdp_sock_drv.h): the driver takes frames from FILL for its own ring,
 * long before a packet comes; takes packets from TX in its own polling, whoever asked for it; and says how
 * many were sent. What it takes is therefore looked at in these calls, all of it.
 */
#ifndef FR_XSK_ZEROCOPY_BPF_H
#define FR_XSK_ZEROCOPY_BPF_H

#include "xsk-receive.bpf.h"

/* Sockets of one queue that share its TX. */
#define XSK_SENDERS_MAX 8
/* Entries that the kernel refused, one after the other, in one batch of FILL. */
#define XSK_REFUSED_MAX 16
/* Fragments of a packet, and one more (MAX_SKB_FRAGS). */
#define XSK_FRAGMENTS_MAX 18

/* Before the driver is told of the queue: it may fill its ring at once. */
FR_EXIT(xsk_pool_assigned, xsk_reg_pool_at_qid, struct net_device *dev, struct xsk_buff_pool *kernel_pool,
	__u16 queue, int ret)
{
	if (!ret)
		xsk_pool(kernel_pool);
	return 0;
}

/* What one call of xp_alloc_batch gave: first frames of the free list, then entries of FILL. */
struct xsk_batch {
	struct xsk_pool_state *pool;
	struct xsk_buff_pool *kernel_pool;
	__u64 list;
	__u32 reused;
	__u32 position;
	__u32 refused; /* entries that the kernel has passed over, and which lie somewhere between */
};

static long xsk_batch_frame(__u32 i, struct xsk_batch *b)
{
	struct xdp_buff *xdp = 0;
	__u64 addr;

	bpf_probe_read_kernel(&xdp, sizeof(xdp), (void *)(b->list + i * 8ull));
	if (!xdp)
		return 1;
	addr = xsk_frame_of(b->kernel_pool, xdp);
	if (i < b->reused) {
		xsk_take(b->pool, b->position - 1, addr, XSK_FROM_FREE_LIST);
		return 0;
	}
	for (int n = 0; n < XSK_REFUSED_MAX && b->refused; n++) {
		if (xsk_same_frame(b->pool, xsk_umem_entry(&b->pool->fill, b->position), addr))
			break;
		b->position++;
		b->refused--;
	}
	xsk_take(b->pool, b->position++, addr, 0);
	return 0;
}

FR_EXIT_ANY(xsk_alloc_batch, xp_alloc_batch, struct xsk_buff_pool *kernel_pool, struct xdp_buff **list,
	    __u32 max, __u32 ret)
{
	struct xsk_pool_state *pool = xsk_pool(kernel_pool);
	struct xsk_batch b = {.pool = pool, .kernel_pool = kernel_pool, .list = (__u64)list};
	__u32 cons, refused, steps;
	__u64 first = 0;

	if (!pool || !pool->wanted)
		return 0;
	pool->zero_copy = 1;
	bpf_probe_read_kernel(&first, sizeof(first), list);
	/* Where memory must be synchronized, one frame is taken by xp_alloc, which has told of it. */
	if (ret == 1 && first == pool->alloc) {
		pool->alloc = 0;
		return 0;
	}
	xsk_look_fill(pool, bpf_ktime_get_ns(), 0, pool->fill.entries);
	cons = xsk_read32(pool->fill.queue + bpf_core_field_offset(struct xsk_queue, cached_cons));
	refused = (__u32)BPF_CORE_READ(kernel_pool, fq, invalid_descs);
	steps = cons - pool->taken;
	b.position = pool->taken;
	b.refused = refused - pool->invalid;
	pool->taken = cons;
	pool->invalid = refused;
	if (steps > pool->fill.entries || b.refused > steps || ret > pool->fill.entries)
		return 0;
	if (b.refused)
		xsk_dropped(pool->index, XSK_DROP_FILL_INVALID, b.refused, 0);
	if (steps - b.refused <= ret)
		b.reused = ret - (steps - b.refused);
	bpf_loop(ret, xsk_batch_frame, &b, 0);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* where in RX this CPU's receive began */
} xsk_zc_from SEC(".maps");

/*
 * These two only where the compiler has taken arguments off __xsk_rcv_zc (7.2), which a receive without a
 * copy goes through in every kernel.
 */
FR_ENTRY(xsk_zc_rcv_begin, __xsk_map_redirect, struct xdp_sock *xs, struct xdp_buff *xdp)
{
	__u32 zero = 0, *from = bpf_map_lookup_elem(&xsk_zc_from, &zero);

	if (!from || !BPF_CORE_READ(xs, zc))
		return 0;
	*from = BPF_CORE_READ(xs, rx, cached_prod);
	return xsk_reserve(xs, (__u64)BPF_CORE_READ(xdp, data_end) - (__u64)BPF_CORE_READ(xdp, data));
}

struct xsk_receipt {
	struct xsk_socket_state *state;
	struct xsk_pool_state *pool;
	__u32 from;
};

static long xsk_fragment(__u32 i, struct xsk_receipt *receipt)
{
	return xsk_wrote(receipt->state, receipt->pool, receipt->from + i);
}

FR_EXIT(xsk_zc_rcv_end, __xsk_map_redirect, struct xdp_sock *xs, struct xdp_buff *xdp, int ret)
{
	__u32 zero = 0, *from = bpf_map_lookup_elem(&xsk_zc_from, &zero), count;
	struct xsk_receipt receipt = {};

	if (!from || !BPF_CORE_READ(xs, zc))
		return 0;
	if (ret)
		return ret == -XSK_ENOBUFS ? xsk_written(xs, 0, 1) : 0;
	receipt.state = xsk_socket(xs, &receipt.pool, 0);
	if (!receipt.state)
		return 0;
	receipt.from = *from;
	count = BPF_CORE_READ(xs, rx, cached_prod) - receipt.from;
	bpf_loop(count > XSK_FRAGMENTS_MAX ? 0 : count, xsk_fragment, &receipt, 0);
	return 0;
}

struct xsk_senders {
	struct list_head *at;
	struct list_head *end;
	struct xsk_pool_state *pool;
	__u64 now;
	__u32 count;
};

static long xsk_look_sender(__u32 i, struct xsk_senders *senders)
{
	struct list_head *at = senders->at;
	struct xsk_socket_state *state;
	__u64 key;

	if (!at || at == senders->end)
		return 1;
	senders->count++;
	key = (__u64)at - bpf_core_field_offset(struct xdp_sock, tx_list);
	state = bpf_map_lookup_elem(&xsk_sockets, &key);
	if (state && state->wanted)
		xsk_look_tx(state, senders->pool, senders->now, 0, state->tx.entries);
	senders->at = BPF_CORE_READ(at, next);
	return 0;
}

/* What the kernel has taken must be in the ring before the event that takes it. Returns how many may send. */
static __always_inline __u32 xsk_look_senders(struct xsk_buff_pool *kernel_pool, struct xsk_pool_state *pool)
{
	struct xsk_senders senders = {
	    .at = BPF_CORE_READ(kernel_pool, xsk_tx_list.next),
	    .end = (void *)kernel_pool + bpf_core_field_offset(struct xsk_buff_pool, xsk_tx_list),
	    .pool = pool,
	    .now = bpf_ktime_get_ns(),
	};

	pool->zero_copy = 1;
	bpf_loop(XSK_SENDERS_MAX, xsk_look_sender, &senders, 0);
	return senders.count;
}

static __always_inline void xsk_tx_taken(struct xsk_pool_state *pool, __u64 addr)
{
	FR_RECORDING;
	struct rec_xsk_tx_take *r = fr_begin(xsk_tx_take, 0);

	if (!r)
		return;
	r->object = pool->index;
	r->addr = addr;
	fr_end(r);
}

struct xsk_sending {
	struct xsk_pool_state *pool;
	struct xdp_desc *descs;
};

static long xsk_batch_packet(__u32 i, struct xsk_sending *sending)
{
	__u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), &sending->descs[i].addr);
	xsk_tx_taken(sending->pool, addr);
	return 0;
}

FR_EXIT(xsk_zc_take, xsk_tx_peek_release_desc_batch, struct xsk_buff_pool *kernel_pool, __u32 max, __u32 ret)
{
	struct xsk_sending sending = {};
	__u32 senders, peeked;

	/* A driver asks at every poll, and mostly for nothing. */
	if (!ret)
		return 0;
	sending.pool = xsk_pool(kernel_pool);
	if (!sending.pool || !sending.pool->wanted)
		return 0;
	senders = xsk_look_senders(kernel_pool, sending.pool);
	peeked = sending.pool->peeked;
	sending.pool->peeked = 0;
	/* With more than one sender it goes by xsk_tx_peek_desc, which has told of each, unless it is
	 * inlined. */
	if (senders > 1 && peeked)
		return 0;
	sending.descs = BPF_CORE_READ(kernel_pool, tx_descs);
	if (sending.descs && ret <= sending.pool->comp.entries)
		bpf_loop(ret, xsk_batch_packet, &sending, 0);
	return 0;
}

FR_EXIT(xsk_zc_peek, xsk_tx_peek_desc, struct xsk_buff_pool *kernel_pool, struct xdp_desc *desc,
	unsigned long ret)
{
	struct xsk_pool_state *pool;
	__u64 addr = 0;

	if (!(ret & 1))
		return 0;
	pool = xsk_pool(kernel_pool);
	if (!pool || !pool->wanted)
		return 0;
	xsk_look_senders(kernel_pool, pool);
	pool->peeked++;
	bpf_probe_read_kernel(&addr, sizeof(addr), &desc->addr);
	xsk_tx_taken(pool, addr);
	return 0;
}

static __always_inline void xsk_completing(struct xsk_pool_state *pool, __u32 count)
{
	FR_RECORDING;
	struct rec_xsk_comp_begin *r = fr_begin(xsk_comp_begin, 0);

	if (!r)
		return;
	r->object = pool->index;
	r->count = count;
	fr_end(r);
}

/* The driver says how many were sent. */
FR_ENTRY(xsk_zc_begin, xsk_tx_completed, struct xsk_buff_pool *kernel_pool, __u32 count)
{
	struct xsk_pool_state *pool = xsk_pool(kernel_pool);

	if (pool && pool->wanted)
		xsk_completing(pool, count);
	return 0;
}

FR_EXIT(xsk_zc_end, xsk_tx_completed, struct xsk_buff_pool *kernel_pool, __u32 count, long nothing)
{
	struct xsk_pool_state *pool = xsk_pool(kernel_pool);

	if (pool && pool->wanted)
		xsk_look_comp(pool, bpf_ktime_get_ns(), 0, pool->comp.entries);
	return 0;
}

#endif
