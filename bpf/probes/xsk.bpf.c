/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_XDP: sockets, umems and queues; a frame's way through FILL, RX, TX and COMP; polling. What the
 * application writes into the shared rings is read there, at every hook, as what has changed since the last
 * look (net/xdp/xsk_queue.h).
 */
#include "xsk-lifecycle.bpf.h"
#include "xsk-napi.bpf.h"

static __always_inline int xsk_woken(struct socket *sock, __u32 reason)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket((struct xdp_sock *)BPF_CORE_READ(sock, sk), &pool, 1);
	struct rec_xsk_wakeup *r;

	if (!state)
		return 0;
	xsk_look(state, pool, 0);
	r = fr_begin(xsk_wakeup, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->reason = reason;
	fr_end(r);
	return 0;
}

FR_ENTRY(xsk_poll, xsk_poll, void *file, struct socket *sock)
{
	return xsk_woken(sock, XSK_WAKE_POLL);
}

FR_ENTRY(xsk_sendmsg, xsk_sendmsg, struct socket *sock)
{
	return xsk_woken(sock, XSK_WAKE_SENDTO);
}

FR_ENTRY(xsk_recvmsg, xsk_recvmsg, struct socket *sock)
{
	return xsk_woken(sock, XSK_WAKE_RECVFROM);
}

static __always_inline int xsk_redirected_to(struct xdp_sock *xs, struct xdp_buff *xdp)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket(xs, &pool, 0);
	struct rec_xsk_redirect *r;
	__u32 zero = 0, napi_id = 0, *last;

	if (!state)
		return 0;
	if (bpf_core_field_exists(((struct xdp_rxq_info *)0)->napi_id))
		napi_id = BPF_CORE_READ(xdp, rxq, napi_id);
	if (napi_id && !bpf_map_lookup_elem(&xsk_napis, &napi_id))
		bpf_map_update_elem(&xsk_napis, &napi_id, &pool->index, BPF_ANY);
	last = bpf_map_lookup_elem(&xsk_redirected, &zero);
	if (last)
		*last = pool->index + 1;
	xsk_look(state, pool, 0);
	r = fr_begin(xsk_redirect, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->len = (__u64)BPF_CORE_READ(xdp, data_end) - (__u64)BPF_CORE_READ(xdp, data);
	fr_end(r);
	return 0;
}

FR_ENTRY(xsk_map_redirect, __xsk_map_redirect, struct xdp_sock *xs, struct xdp_buff *xdp)
{
	return xsk_redirected_to(xs, xdp);
}

FR_ENTRY(xsk_generic_rcv, xsk_generic_rcv, struct xdp_sock *xs, struct xdp_buff *xdp)
{
	return xsk_redirected_to(xs, xdp);
}

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

FR_EXIT(xsk_alloc, xp_alloc, struct xsk_buff_pool *kernel_pool, struct xdp_buff *xdp)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = xsk_pool(kernel_pool);
	struct rec_xsk_fill_take *r;
	__u32 cons, steps;
	__u64 addr;

	if (!pool || !pool->wanted)
		return 0;
	/* Entries the kernel has just consumed must be in the ring before the event that consumes them. */
	xsk_look_fill(pool, bpf_ktime_get_ns(), 0);
	cons = xsk_read32(pool->fill.queue + bpf_core_field_offset(struct xsk_queue, cached_cons));
	steps = cons - pool->taken;
	pool->taken = cons;
	if (!xdp) {
		xsk_dropped(pool->index, XSK_DROP_FILL_EMPTY, 1, 0);
		return 0;
	}
	if (steps > 1 && steps <= pool->fill.entries)
		xsk_dropped(pool->index, XSK_DROP_FILL_INVALID, steps - 1, 0);
	if (bpf_core_field_exists(((struct xdp_buff_xsk *)0)->orig_addr))
		addr = BPF_CORE_READ((struct xdp_buff_xsk *)xdp, orig_addr);
	else
		addr = (__u64)BPF_CORE_READ(xdp, data_hard_start) - (__u64)BPF_CORE_READ(kernel_pool, addrs);
	r = fr_begin(xsk_fill_take, steps ? 0 : XSK_FROM_FREE_LIST);
	if (!r)
		return 0;
	r->object = pool->index;
	r->position = cons - 1;
	r->addr = addr;
	fr_end(r);
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

static __always_inline int xsk_written(struct xdp_sock *xs, __u32 len, int full)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket(xs, &pool, 0);
	struct xdp_desc desc = {};
	struct rec_xsk_rx_write *r;
	__u32 position;

	if (!state || !state->rx.queue)
		return 0;
	if (full) {
		xsk_dropped(pool->index, XSK_DROP_RX_FULL, 1, len);
		return 0;
	}
	position = xsk_read32(state->rx.queue + bpf_core_field_offset(struct xsk_queue, cached_prod)) - 1;
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
	return 0;
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
	struct xsk_glance g = {};

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

FR_ENTRY(xsk_xmit, __xsk_generic_xmit, struct sock *sk)
{
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket((struct xdp_sock *)sk, &pool, 0);

	if (state)
		xsk_look_tx(state, pool, bpf_ktime_get_ns(), 0);
	return 0;
}

FR_ENTRY(xsk_tx_data, xp_raw_get_data, struct xsk_buff_pool *kernel_pool, __u64 addr)
{
	FR_RECORDING;
	__u64 key = (__u64)kernel_pool;
	struct xsk_pool_state *pool = bpf_map_lookup_elem(&xsk_pools, &key);
	struct rec_xsk_tx_take *r;

	if (!pool || !pool->wanted)
		return 0;
	r = fr_begin(xsk_tx_take, 0);
	if (!r)
		return 0;
	r->object = pool->index;
	r->addr = addr;
	fr_end(r);
	return 0;
}

/* The queue of the socket that sent this buffer; the pointer is only a key, the socket itself may be gone. */
static __always_inline struct xsk_pool_state *xsk_sender(struct sk_buff *skb)
{
	__u64 key = (__u64)BPF_CORE_READ(skb, sk);
	struct xsk_socket_state *state = bpf_map_lookup_elem(&xsk_sockets, &key);
	struct xsk_pool_state *pool;

	if (!state || !state->wanted)
		return 0;
	key = state->pool;
	pool = bpf_map_lookup_elem(&xsk_pools, &key);
	return pool && pool->wanted ? pool : 0;
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

/* Copy mode: the buffer is freed, and its destructor gives the frame back. */
FR_ENTRY(xsk_skb_begin, xsk_destruct_skb, struct sk_buff *skb)
{
	struct xsk_pool_state *pool = xsk_sender(skb);

	if (pool)
		xsk_completing(pool, 1);
	return 0;
}

FR_EXIT(xsk_skb_end, xsk_destruct_skb, struct sk_buff *skb, long nothing)
{
	struct xsk_pool_state *pool = xsk_sender(skb);

	if (pool)
		xsk_look_comp(pool, bpf_ktime_get_ns(), 0);
	return 0;
}

/* Zero copy: the driver says how many were sent. */
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
		xsk_look_comp(pool, bpf_ktime_get_ns(), 0);
	return 0;
}

static long xsk_look_each(void *map, __u64 *key, struct xsk_socket_state *state, void *ctx)
{
	struct xsk_pool_state *pool;
	__u64 pool_key = state->pool;

	if (!state->wanted || !pool_key)
		return 0;
	pool = bpf_map_lookup_elem(&xsk_pools, &pool_key);
	if (pool && pool->wanted)
		xsk_look(state, pool, XSK_LOOK_TIMER);
	return 0;
}

/* Run by user space now and then, for applications that poll their rings without entering the kernel. */
SEC("?raw_tp")
int xsk_look__timer(void *ctx)
{
	bpf_for_each_map_elem(&xsk_sockets, xsk_look_each, 0, 0);
	return 0;
}
