/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs on receiving: a frame is taken from FILL, an RX entry is reserved, written, published. */
#ifndef FR_XSK_RECEIVE_BPF_H
#define FR_XSK_RECEIVE_BPF_H

#include "xsk-look.bpf.h"

static __always_inline void xsk_dropped(__u32 queue, __u32 reason, __u32 count, __u32 len)
{
	FR_RECORDING;
	struct rec_xsk_drop *r = fr_begin(xsk_drop, 0);

	if (!r)
		return;
	r->object = queue;
	r->reason = reason;
	r->len = len;
	r->count = count;
	fr_end(r);
}

/* The address in FILL of the frame that a buffer is. */
static __always_inline __u64 xsk_frame_of(struct xsk_buff_pool *kernel_pool, struct xdp_buff *xdp)
{
	if (bpf_core_field_exists(((struct xdp_buff_xsk *)0)->orig_addr))
		return BPF_CORE_READ((struct xdp_buff_xsk *)xdp, orig_addr);
	return (__u64)BPF_CORE_READ(xdp, data_hard_start) - (__u64)BPF_CORE_READ(kernel_pool, addrs);
}

static __always_inline void xsk_take(struct xsk_pool_state *pool, __u32 position, __u64 addr, __u16 flags)
{
	FR_RECORDING;
	struct rec_xsk_fill_take *r = fr_begin(xsk_fill_take, flags);

	if (!r)
		return;
	r->object = pool->index;
	r->position = position;
	r->addr = addr;
	fr_end(r);
}

FR_EXIT(xsk_alloc, xp_alloc, struct xsk_buff_pool *kernel_pool, struct xdp_buff *xdp)
{
	struct xsk_pool_state *pool = xsk_pool(kernel_pool);
	__u32 cons, steps;

	if (!pool || !pool->wanted)
		return 0;
	/* Entries the kernel has just consumed must be in the ring before the event that consumes them. */
	xsk_look_fill(pool, bpf_ktime_get_ns(), 0, XSK_LOOK_MAX);
	cons = xsk_read32(pool->fill.queue + bpf_core_field_offset(struct xsk_queue, cached_cons));
	steps = cons - pool->taken;
	pool->taken = cons;
	pool->alloc = (__u64)xdp;
	if (!xdp || steps > 1)
		pool->invalid = (__u32)BPF_CORE_READ(kernel_pool, fq, invalid_descs);
	if (!xdp) {
		/* A zero-copy driver tries again while it still has frames: no packet is lost by that. */
		if (BPF_CORE_READ(kernel_pool, dev))
			return 0;
		xsk_dropped(pool->index, XSK_DROP_FILL_EMPTY, 1, 0);
		return 0;
	}
	if (steps > 1 && steps <= pool->fill.entries)
		xsk_dropped(pool->index, XSK_DROP_FILL_INVALID, steps - 1, 0);
	xsk_take(pool, cons - 1, xsk_frame_of(kernel_pool, xdp), steps ? 0 : XSK_FROM_FREE_LIST);
	return 0;
}

static __always_inline int xsk_reserve(struct xdp_sock *xs, __u32 len)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket(xs, &pool, 0);
	struct rec_xsk_rx_reserve *r;

	if (!state || !state->rx.queue)
		return 0;
	r = fr_begin(xsk_rx_reserve, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->position = xsk_read32(state->rx.queue + bpf_core_field_offset(struct xsk_queue, cached_prod));
	r->len = len;
	fr_end(r);
	return 0;
}

#define XSK_ADDR_BITS 48 /* XSK_UNALIGNED_BUF_OFFSET_SHIFT: above them stands an offset */

/* Not inlined: the packet has a stack of its own, for with that of the caller's other calls it'd be more than
 * 512 bytes. */
static __noinline void xsk_keep_packet(const struct xsk_socket_state *state, __u32 position,
				       const struct xdp_desc *desc)
{
	struct xsk_buff_pool *kernel_pool = (struct xsk_buff_pool *)state->pool;
	struct rec_xsk_packet packet = {
	    .object = state->index, .position = position, .addr = desc->addr, .len = desc->len};
	__u64 at = (desc->addr & ((1ull << XSK_ADDR_BITS) - 1)) + (desc->addr >> XSK_ADDR_BITS);
	__u32 kept = desc->len;

	if (kept > fr_snaplen)
		kept = fr_snaplen;
	if (kept > FR_PACKET_BYTES)
		kept = FR_PACKET_BYTES;
	/* The kernel's own mapping of the umem stays as long as the pool does. */
	if (bpf_probe_read_kernel(&packet.packet, kept, BPF_CORE_READ(kernel_pool, addrs) + at))
		return;
	packet.kept = kept;
	fr_write(xsk_packet, &packet, 0);
}

static __always_inline int xsk_wrote(const struct xsk_socket_state *state, struct xsk_pool_state *pool,
				     __u32 position)
{
	FR_RECORDING;
	struct xdp_desc desc = {};
	struct rec_xsk_rx_write *r;

	xsk_desc_entry(&state->rx, position, &desc);
	xsk_frame_leaves(pool, desc.addr);
	r = fr_begin(xsk_rx_write, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->position = position;
	r->addr = desc.addr;
	r->len = desc.len;
	fr_end(r);
	if (fr_snaplen)
		xsk_keep_packet(state, position, &desc);
	return 0;
}

static __always_inline int xsk_written(struct xdp_sock *xs, __u32 len, int full)
{
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket(xs, &pool, 0);

	if (!state || !state->rx.queue)
		return 0;
	if (full) {
		xsk_dropped(pool->index, XSK_DROP_RX_FULL, 1, len);
		return 0;
	}
	return xsk_wrote(state, pool,
			 xsk_read32(state->rx.queue + bpf_core_field_offset(struct xsk_queue, cached_prod)) -
			     1);
}

FR_ENTRY(xsk_rcv_begin, __xsk_rcv_zc, struct xdp_sock *xs, void *xdp, __u32 len)
{
	return xsk_reserve(xs, len);
}

FR_EXIT(xsk_rcv_end, __xsk_rcv_zc, struct xdp_sock *xs, void *xdp, __u32 len, int ret)
{
	return xsk_written(xs, len, ret != 0);
}

#define XSK_ENOBUFS                                                                                          \
	105 /* include/uapi/asm-generic/errno.h; the errno.h of user space may not be included here */

/*
 * In the place of the two where the compiler has taken arguments off __xsk_rcv_zc (7.2). Its caller in copy
 * mode takes the frame from FILL too, which xsk_alloc has told of when it fails, and writes one entry per
 * fragment: of a packet in several frames (XDP_USE_SG) only the last is seen.
 */
FR_ENTRY(xsk_copy_begin, __xsk_rcv, struct xdp_sock *xs, struct xdp_buff *xdp, __u32 len)
{
	return xsk_reserve(xs, len);
}

FR_EXIT(xsk_copy_end, __xsk_rcv, struct xdp_sock *xs, struct xdp_buff *xdp, __u32 len, int ret)
{
	if (ret && ret != -XSK_ENOBUFS)
		return 0;
	return xsk_written(xs, len, ret != 0);
}

/* Called right after the producer index of an RX ring was stored (xsk_flush is inlined everywhere). */
FR_ENTRY(xsk_readable, sock_def_readable, struct sock *sk)
{
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state;
	struct xsk_glance g = {.limit = XSK_LOOK_MAX};

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_XDP)
		return 0;
	state = xsk_socket((struct xdp_sock *)sk, &pool, 0);
	if (!state || !state->rx.ring)
		return 0;
	g.ring = &state->rx;
	g.pool = pool;
	g.object = state->index;
	g.seen = state->rx.seen_prod;
	g.fresh = xsk_fresh(&state->rx, g.seen, xsk_producer(&state->rx));
	if (!g.fresh)
		return 0;
	XSK_EACH(&g, xsk_rx_entry);
	state->rx.seen_prod = xsk_glance_end(&g);
	return 0;
}

#endif
