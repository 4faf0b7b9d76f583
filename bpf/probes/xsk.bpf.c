/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_XDP: sockets, umems and queues; a frame's way through FILL, RX, TX and COMP; polling. What the
 * application writes into the shared rings is read there, at every hook, as what has changed since the last
 * look (net/xdp/xsk_queue.h).
 */
#include "xsk-lifecycle.bpf.h"
#include "xsk-napi.bpf.h"
#include "xsk-zerocopy.bpf.h"

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

FR_ENTRY(xsk_xmit, __xsk_generic_xmit, struct sock *sk)
{
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket((struct xdp_sock *)sk, &pool, 0);

	if (state)
		xsk_look_tx(state, pool, bpf_ktime_get_ns(), 0, XSK_LOOK_MAX);
	return 0;
}

FR_ENTRY(xsk_tx_data, xp_raw_get_data, struct xsk_buff_pool *kernel_pool, __u64 addr)
{
	FR_RECORDING;
	__u64 key = (__u64)kernel_pool;
	struct xsk_pool_state *pool = bpf_map_lookup_elem(&xsk_pools, &key);
	struct rec_xsk_tx_take *r;

	/* Of zero copy xsk_zc_take tells; some drivers read the packet, too. */
	if (!pool || !pool->wanted || pool->zero_copy)
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
		xsk_look_comp(pool, bpf_ktime_get_ns(), 0, XSK_LOOK_MAX);
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
