/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is kept per AF_XDP socket, queue and umem, and how it is made when one is first seen. */
#ifndef FR_XSK_STATE_BPF_H
#define FR_XSK_STATE_BPF_H

#include "xsk-records.bpf.h"
#include "xsk-ring.bpf.h"

/* One FILL and COMP ring: a device's queue (struct xsk_buff_pool). */
struct xsk_pool_state {
	__u32 index;
	__u32 wanted;
	__u64 umem_size;
	__u32 umem_flags;
	__u32 umem;	   /* object */
	__u32 frames_base; /* of its umem, in xsk_inside */
	__u32 frame_shift; /* log2 of the chunk size, rounded down */
	__u32 taken;	   /* kernel's consumer index of FILL after the last take */
	__u32 invalid;	   /* entries of FILL refused until then */
	__u64 alloc;	   /* struct xdp_buff * of the last take of a single frame */
	__u32 peeked; /* descriptors that a zero-copy driver took from TX one by one, since the last batch */
	__u32 zero_copy;
	struct xsk_ring fill;
	struct xsk_ring comp;
};

struct xsk_socket_state {
	__u32 index;
	__u32 wanted; /* its owner passes the filters */
	__u64 pool;   /* struct xsk_buff_pool *, 0 before bind */
	struct xsk_ring rx;
	struct xsk_ring tx;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* struct xdp_sock * */
	__type(value, struct xsk_socket_state);
} xsk_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* struct xsk_buff_pool * */
	__type(value, struct xsk_pool_state);
} xsk_pools SEC(".maps");

struct xsk_umem_state {
	__u32 index; /* object */
	__u32 frames_base;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* struct xdp_umem * */
	__type(value, struct xsk_umem_state);
} xsk_umems SEC(".maps");

/* NAPI contexts that were seen delivering to a socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);   /* napi_id */
	__type(value, __u32); /* queue object */
} xsk_napis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* 1 + queue object of this CPU's last redirect since its last flush */
} xsk_redirected SEC(".maps");

/*
 * Which frames lie in a FILL or TX ring, over all umems. Nobody decides by it: putting in one that is already
 * there only rings the doorbell, so that the checker looks at once (a state table costs 0 to 2 ns here, a
 * wake-up microseconds).
 */
#define XSK_FRAMES_MAX (1u << 20)
__u8 xsk_inside[XSK_FRAMES_MAX];
__u32 xsk_frames_used;

static __always_inline __u8 *xsk_frame(const struct xsk_pool_state *pool, __u64 addr)
{
	addr &= (1ull << 48) - 1;
	if (addr >= pool->umem_size)
		return 0;
	return &xsk_inside[(pool->frames_base + (__u32)(addr >> pool->frame_shift)) & (XSK_FRAMES_MAX - 1)];
}

/* The frame enters FILL or TX; FR_URGENT if it seems to be there already. */
static __always_inline __u16 xsk_frame_enters(const struct xsk_pool_state *pool, __u64 addr)
{
	__u8 *inside = xsk_frame(pool, addr), before;

	if (!inside)
		return 0;
	before = *inside;
	*inside = 1;
	return before ? FR_URGENT : 0;
}

static __always_inline void xsk_frame_leaves(const struct xsk_pool_state *pool, __u64 addr)
{
	__u8 *inside = xsk_frame(pool, addr);

	if (inside)
		*inside = 0;
}

static __always_inline int xsk_same_frame(const struct xsk_pool_state *pool, __u64 one, __u64 other)
{
	return (one ^ other) << 16 >> 16 >> pool->frame_shift == 0;
}

static __noinline __u32 xsk_umem_object(struct xdp_umem *umem, int fresh)
{
	__u64 key = (__u64)umem;
	struct xsk_umem_state *known, state = {};
	struct fr_object_entry *e;
	__u32 index = FR_NO_OBJECT;

	known = bpf_map_lookup_elem(&xsk_umems, &key);
	if (known && !fresh)
		return known->index;
	e = fr_object_new(&index);
	if (!e)
		return FR_NO_OBJECT;
	e->umem = index;
	e->parent = FR_NO_OBJECT;
	e->size = BPF_CORE_READ(umem, size);
	e->chunk_size = BPF_CORE_READ(umem, chunk_size);
	e->headroom = BPF_CORE_READ(umem, headroom);
	e->flags = BPF_CORE_READ(umem, flags);
	if (fresh) {
		__u64 ids = bpf_get_current_pid_tgid();

		e->tgid = ids >> 32;
		e->tid = (__u32)ids;
		bpf_get_current_comm(&e->comm, sizeof(e->comm));
	}
	e->type = FR_OBJECT_UMEM;
	state.index = index;
	if (e->chunk_size)
		state.frames_base = __sync_fetch_and_add(&xsk_frames_used, (__u32)(e->size / e->chunk_size));
	bpf_map_update_elem(&xsk_umems, &key, &state, BPF_ANY);
	return index;
}

/* The state of a queue, made when it is first seen: at bind, or later for one that is older than the
 * recorder. */
static __noinline struct xsk_pool_state *xsk_pool(struct xsk_buff_pool *pool)
{
	__u64 key = (__u64)pool;
	struct xsk_pool_state *known, fresh = {};
	struct fr_object_entry *e;
	struct xsk_umem_state *umem_state;
	struct net_device *dev;
	struct xdp_umem *umem;
	__u64 umem_key;
	__u32 chunk;

	known = bpf_map_lookup_elem(&xsk_pools, &key);
	if (known || !pool)
		return known;
	dev = BPF_CORE_READ(pool, netdev);
	umem = BPF_CORE_READ(pool, umem);
	if (!dev || !umem || !BPF_CORE_READ(pool, fq) || !BPF_CORE_READ(pool, cq))
		return 0;
	e = fr_object_new(&fresh.index);
	if (!e)
		return 0;
	fresh.umem = xsk_umem_object(umem, 0);
	e->umem = fresh.umem;
	e->parent = FR_NO_OBJECT;
	e->netns = BPF_CORE_READ(dev, nd_net.net, net_cookie);
	e->ifindex = BPF_CORE_READ(dev, ifindex);
	e->queue = BPF_CORE_READ(pool, queue_id);
	BPF_CORE_READ_INTO(&e->name, dev, name);
	xsk_ring_open(&fresh.fill, BPF_CORE_READ(pool, fq));
	xsk_ring_open(&fresh.comp, BPF_CORE_READ(pool, cq));
	e->size = fresh.fill.entries;
	fresh.umem_size = BPF_CORE_READ(umem, size);
	fresh.umem_flags = BPF_CORE_READ(umem, flags);
	umem_key = (__u64)umem;
	umem_state = bpf_map_lookup_elem(&xsk_umems, &umem_key);
	if (umem_state)
		fresh.frames_base = umem_state->frames_base;
	for (chunk = BPF_CORE_READ(umem, chunk_size); chunk > 1 && fresh.frame_shift < 31; chunk >>= 1)
		fresh.frame_shift++;
	fresh.wanted = fr_device_wanted(e->netns, e->ifindex);
	/* What already waits in FILL is read as new; what was consumed before is history nobody saw. */
	fresh.taken = BPF_CORE_READ(pool, fq, cached_cons);
	fresh.invalid = (__u32)BPF_CORE_READ(pool, fq, invalid_descs);
	fresh.fill.seen_prod = fresh.taken;
	fresh.comp.seen_prod = xsk_producer(&fresh.comp);
	fresh.comp.seen_cons = xsk_consumer(&fresh.comp);
	e->type = FR_OBJECT_QUEUE;
	bpf_map_update_elem(&xsk_pools, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&xsk_pools, &key);
}

/* Fills in what a socket has only once it is bound. */
static __noinline void xsk_socket_bound(struct xdp_sock *xs, struct xsk_socket_state *state)
{
	struct xsk_pool_state *pool;
	struct fr_object_entry *e, *q;
	struct xsk_buff_pool *kernel_pool = BPF_CORE_READ(xs, pool);

	if (!state || state->pool || !kernel_pool || !BPF_CORE_READ(xs, dev))
		return;
	pool = xsk_pool(kernel_pool);
	if (!pool)
		return;
	xsk_ring_open(&state->rx, BPF_CORE_READ(xs, rx));
	xsk_ring_open(&state->tx, BPF_CORE_READ(xs, tx));
	if (state->rx.ring) {
		state->rx.seen_prod = xsk_producer(&state->rx);
		state->rx.seen_cons = xsk_consumer(&state->rx);
	}
	if (state->tx.ring)
		state->tx.seen_prod = xsk_consumer(&state->tx);
	e = bpf_map_lookup_elem(&objects, &state->index);
	q = bpf_map_lookup_elem(&objects, &pool->index);
	if (e && q) {
		e->umem = q->umem;
		e->netns = q->netns;
		e->ifindex = q->ifindex;
		e->queue = q->queue;
		e->name = q->name;
		e->parent = pool->index;
	}
	state->pool = (__u64)kernel_pool;
}

/* In a system call of its owner, a socket of unknown owner can be matched with --pid and --comm. */
static __always_inline void xsk_own(struct xsk_socket_state *state)
{
	struct fr_object_entry *e = bpf_map_lookup_elem(&objects, &state->index);
	__u64 ids = bpf_get_current_pid_tgid();

	if (!e || e->tgid)
		return;
	e->tid = (__u32)ids;
	bpf_get_current_comm(&e->comm, sizeof(e->comm));
	e->tgid = ids >> 32;
	state->wanted = fr_task_wanted();
}

static __noinline struct xsk_socket_state *xsk_socket_new(struct xdp_sock *xs, int created)
{
	__u64 key = (__u64)xs;
	struct xsk_socket_state fresh = {}, *state;
	struct fr_object_entry *e = fr_object_new(&fresh.index);

	if (!e)
		return 0;
	e->umem = FR_NO_OBJECT;
	e->parent = FR_NO_OBJECT;
	e->netns = BPF_CORE_READ(xs, sk.__sk_common.skc_net.net, net_cookie);
	e->type = FR_OBJECT_SOCKET;
	fresh.wanted = !fr_only_tgid && !fr_only_comm_set;
	bpf_map_update_elem(&xsk_sockets, &key, &fresh, created ? BPF_ANY : BPF_NOEXIST);
	state = bpf_map_lookup_elem(&xsk_sockets, &key);
	if (state && created)
		xsk_own(state);
	return state;
}

/* The socket's state if it is wanted and bound, with its queue's; made when first seen. */
static __always_inline struct xsk_socket_state *xsk_socket(struct xdp_sock *xs, struct xsk_pool_state **pool,
							   int in_owners_call)
{
	__u64 key = (__u64)xs;
	struct xsk_socket_state *state = bpf_map_lookup_elem(&xsk_sockets, &key);

	if (!state)
		state = xsk_socket_new(xs, 0);
	if (!state)
		return 0;
	if (in_owners_call)
		xsk_own(state);
	if (!state->wanted)
		return 0;
	if (!state->pool)
		xsk_socket_bound(xs, state);
	key = state->pool;
	*pool = bpf_map_lookup_elem(&xsk_pools, &key);
	if (!*pool || !(*pool)->wanted)
		return 0;
	return state;
}

#endif
