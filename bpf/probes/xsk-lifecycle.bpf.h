/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs on sockets, umems and binds: what comes to be, for whom, and goes. */
#ifndef FR_XSK_LIFECYCLE_BPF_H
#define FR_XSK_LIFECYCLE_BPF_H

#include "xsk-look.bpf.h"

FR_EXIT(xsk_create, xsk_create, struct net *net, struct socket *sock, int protocol, int kern, int ret)
{
	FR_RECORDING;
	struct xsk_socket_state *state;
	struct rec_xsk_socket_create *r;

	if (ret)
		return 0;
	state = xsk_socket_new((struct xdp_sock *)BPF_CORE_READ(sock, sk), 1);
	if (!state || !state->wanted)
		return 0;
	r = fr_begin(xsk_socket_create, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->result = ret;
	r->netns = BPF_CORE_READ(net, net_cookie);
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_umem, xdp_umem_create, void *registration, struct xdp_umem *umem)
{
	FR_RECORDING;
	struct rec_xsk_umem_register *r;
	__u32 index;

	if (!umem || (__u64)umem >= -4095ull || !fr_task_wanted())
		return 0;
	index = xsk_umem_object(umem, 1);
	r = fr_begin(xsk_umem_register, 0);
	if (!r)
		return 0;
	r->object = index;
	r->chunk_size = BPF_CORE_READ(umem, chunk_size);
	r->size = BPF_CORE_READ(umem, size);
	r->headroom = BPF_CORE_READ(umem, headroom);
	r->umem_flags = BPF_CORE_READ(umem, flags);
	fr_end(r);
	return 0;
}

/* The socket behind a file descriptor of the current task; 0 if it isn't an AF_XDP one. */
static __noinline struct xdp_sock *xsk_of_fd(__u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0, **at;
	struct socket *sock;
	struct sock *sk;

	if (!table || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	at = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), at + fd);
	sock = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(sock, sk);
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_XDP)
		return 0;
	return (struct xdp_sock *)sk;
}

FR_EXIT(xsk_bind, xsk_bind, struct socket *sock, struct sockaddr_xdp *addr, int len, int ret)
{
	struct xdp_sock *xs = (struct xdp_sock *)BPF_CORE_READ(sock, sk), *shared;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state;
	struct rec_xsk_bind r = {};
	struct sockaddr_xdp to = {};
	struct xdp_umem *umem;
	__u64 key = (__u64)xs;

	state = bpf_map_lookup_elem(&xsk_sockets, &key);
	if (!state)
		state = xsk_socket_new(xs, 0);
	if (!state)
		return 0;
	xsk_own(state);
	if (!state->wanted)
		return 0;
	xsk_socket_bound(xs, state);
	bpf_probe_read_kernel(&to, sizeof(to), addr);
	r.object = state->index;
	r.result = ret;
	r.netns = BPF_CORE_READ(xs, sk.__sk_common.skc_net.net, net_cookie);
	r.ifindex = to.sxdp_ifindex;
	r.queue = to.sxdp_queue_id;
	r.bind_flags = to.sxdp_flags;
	r.shared_fd = to.sxdp_flags & 1 ? (__s32)to.sxdp_shared_umem_fd : -1;
	umem = BPF_CORE_READ(xs, umem);
	r.has = (BPF_CORE_READ(xs, rx) ? XSK_HAS_RX : 0) | (BPF_CORE_READ(xs, tx) ? XSK_HAS_TX : 0) |
		(umem ? XSK_HAS_UMEM : 0);
	if (ret)
		r.has |= (BPF_CORE_READ(xs, fq_tmp) ? XSK_HAS_FILL : 0) |
			 (BPF_CORE_READ(xs, cq_tmp) ? XSK_HAS_COMP : 0);
	else
		r.has |= XSK_HAS_FILL | XSK_HAS_COMP;
	if (to.sxdp_flags & 1) {
		shared = xsk_of_fd(to.sxdp_shared_umem_fd);
		if (shared) {
			if (!umem)
				umem = BPF_CORE_READ(shared, umem);
			r.shared_ifindex = BPF_CORE_READ(shared, dev, ifindex);
			r.shared_netns = BPF_CORE_READ(shared, dev, nd_net.net, net_cookie);
			r.shared_queue = BPF_CORE_READ(shared, queue_id);
		}
	}
	r.umem = umem ? xsk_umem_object(umem, 0) : FR_NO_OBJECT;
	fr_write(xsk_bind, &r, ret ? FR_URGENT : 0);
	key = state->pool;
	pool = bpf_map_lookup_elem(&xsk_pools, &key);
	if (pool && pool->wanted)
		xsk_look(state, pool, 0);
	return 0;
}

FR_ENTRY(xsk_release, xsk_release, struct socket *sock)
{
	struct xdp_sock *xs = (struct xdp_sock *)BPF_CORE_READ(sock, sk);
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state;
	__u64 key = (__u64)xs, pool_key;

	state = bpf_map_lookup_elem(&xsk_sockets, &key);
	if (!state)
		return 0;
	if (state->wanted) {
		pool_key = state->pool;
		pool = bpf_map_lookup_elem(&xsk_pools, &pool_key);
		if (pool && pool->wanted)
			xsk_look(state, pool, 0);
		xsk_emit(xsk_release, state->index);
	}
	/* The rings are freed only after an RCU grace period, so no program still reads them through this
	 * state. */
	bpf_map_delete_elem(&xsk_sockets, &key);
	return 0;
}

/* Whatever was at this address before is gone, also where its end was not seen: xp_destroy is often inlined.
 */
FR_EXIT(xsk_pool_made, xp_create_and_assign_umem, struct xdp_sock *xs, struct xdp_umem *umem,
	struct xsk_buff_pool *pool)
{
	__u64 key = (__u64)pool;

	bpf_map_delete_elem(&xsk_pools, &key);
	return 0;
}

FR_ENTRY(xsk_pool_gone, xp_destroy, struct xsk_buff_pool *pool)
{
	__u64 key = (__u64)pool;

	bpf_map_delete_elem(&xsk_pools, &key);
	return 0;
}

#endif
