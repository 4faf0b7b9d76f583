/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_XDP: sockets, umems and queues; a frame's way through FILL, RX, TX and COMP; polling. What the application writes
 * into the shared rings is read there, at every hook, as what has changed since the last look (net/xdp/xsk_queue.h).
 */
#include "recorder.bpf.h"
#include "../tripwires/umem-address.bpf.h"

/* Entries read in one look; what remains is read at the next hook. */
#define XSK_LOOK_MAX 64

#define XSK_FROM_FREE_LIST FR_OWN_FLAG /* xsk_fill_take: a dropped frame handed out again, not a FILL entry */
#define XSK_LOOK_TIMER (FR_OWN_FLAG << 1) /* seen by the timer, not by a hook in the kernel's path */

#define XSK_DROP_RX_FULL 1
#define XSK_DROP_FILL_EMPTY 2
#define XSK_DROP_FILL_INVALID 3

#define XSK_WAKE_SENDTO 1
#define XSK_WAKE_RECVFROM 2
#define XSK_WAKE_POLL 3

#define XSK_HAS_RX 1
#define XSK_HAS_TX 2
#define XSK_HAS_FILL 4
#define XSK_HAS_COMP 8
#define XSK_HAS_UMEM 16

/* The application put a frame into FILL, some time between `since` and now. */
RECORD(xsk_fill_submit)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes pad0;
	fr_u32 pad1;
	fr_ns since;
};

/* The kernel took a frame to write a packet into. */
RECORD(xsk_fill_take)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_u64 pad0;
	fr_u64 pad1;
};

/* XDP redirected a packet of this length to the socket. */
RECORD(xsk_redirect)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position pad0;
	fr_u64 pad1;
	fr_bytes len;
	fr_u32 pad2;
	fr_u64 pad3;
};

/* A receive is about to reserve the RX entry at `position`. */
RECORD(xsk_rx_reserve)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_u64 pad0;
	fr_bytes len;
	fr_u32 pad1;
	fr_u64 pad2;
};

/* The RX entry at `position` is written; the application can't see it yet. */
RECORD(xsk_rx_write)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The RX entry at `position` became visible to the application, with what it holds at that moment. */
RECORD(xsk_rx_publish)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The application released `count` RX entries up to `position`, some time between `since` and now. */
RECORD(xsk_rx_consume)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 count;
	fr_ns since;
};

RECORD(xsk_drop)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_reason reason;
	fr_u64 pad0;
	fr_bytes len;
	fr_u32 count;
	fr_u64 pad1;
};

/* The application put a packet into TX, some time between `since` and now. */
RECORD(xsk_tx_submit)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_ns since;
};

/* The kernel took a packet from TX and sends it. */
RECORD(xsk_tx_take)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position pad0;
	fr_umem_addr addr;
	fr_u64 pad1;
	fr_u64 pad2;
};

/* The kernel gave a sent frame back in COMP. */
RECORD(xsk_comp_submit)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_u64 pad0;
	fr_u64 pad1;
};

/* The application released `count` COMP entries up to `position`, some time between `since` and now. */
RECORD(xsk_comp_consume)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 count;
	fr_ns since;
};

/* The application entered the kernel to be served. */
RECORD(xsk_wakeup)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_reason reason;
	fr_u64 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
};

RECORD(xsk_socket_create)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_errno result;
	fr_netns netns;
	fr_u64 pad0;
	fr_u64 pad1;
};

RECORD(xsk_umem_register)
{
	struct fr_head head;
	fr_object object; /* umem */
	fr_bytes chunk_size;
	fr_u64 size;
	fr_bytes headroom;
	fr_bits umem_flags;
	fr_u64 pad0;
};

RECORD(xsk_bind)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_errno result;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_queue queue;
	fr_bits bind_flags;
	fr_s32 shared_fd;
	fr_object umem; /* the socket's own or, when sharing, the shared one */
	fr_bits has; /* XSK_HAS_*: what had been set up on this socket */
	fr_ifindex shared_ifindex; /* where the socket that is shared with is bound */
	fr_queue shared_queue;
	fr_netns shared_netns;
};

RECORD(xsk_release)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};

/* Polling of the queue's NAPI context. */
RECORD(xsk_napi_schedule)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};
RECORD(xsk_napi_begin)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};
RECORD(xsk_napi_end)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 work;
	fr_u64 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
};
RECORD(xsk_napi_complete)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 work;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 completed; /* 1: another CPU may poll from now on */
	fr_u64 pad2;
};
/* All sockets that this CPU's poll delivered to are flushed. */
RECORD(xsk_flush)
{
	struct fr_head head;
	fr_object object; /* queue of the last redirect on this CPU */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};

/* A ring shared with an application, and how much of it was seen. */
struct xsk_ring {
	__u64 queue; /* struct xsk_queue *, for the kernel's private indices */
	__u64 ring; /* struct xdp_ring * */
	__u32 mask;
	__u32 entries;
	__u32 seen_prod;
	__u32 seen_cons;
	__u64 looked; /* when, ns */
};

/* One FILL and COMP ring: a device's queue (struct xsk_buff_pool). */
struct xsk_pool_state {
	__u32 index;
	__u32 wanted;
	__u64 umem_size;
	__u32 umem_flags;
	__u32 taken; /* kernel's consumer index of FILL after the last take */
	struct xsk_ring fill;
	struct xsk_ring comp;
};

struct xsk_socket_state {
	__u32 index;
	__u32 wanted; /* its owner passes the filters */
	__u64 pool; /* struct xsk_buff_pool *, 0 before bind */
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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* struct xdp_umem * */
	__type(value, __u32); /* object */
} xsk_umems SEC(".maps");

/* NAPI contexts that were seen delivering to a socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* napi_id */
	__type(value, __u32); /* queue object */
} xsk_napis SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* 1 + queue object of this CPU's last redirect since its last flush */
} xsk_redirected SEC(".maps");

static __always_inline __u32 xsk_read32(__u64 at)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline __u32 xsk_producer(const struct xsk_ring *r)
{
	return xsk_read32(r->ring + bpf_core_field_offset(struct xdp_ring, producer));
}

static __always_inline __u32 xsk_consumer(const struct xsk_ring *r)
{
	return xsk_read32(r->ring + bpf_core_field_offset(struct xdp_ring, consumer));
}

static __always_inline __u64 xsk_umem_entry(const struct xsk_ring *r, __u32 position)
{
	__u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr),
			      (void *)(r->ring + bpf_core_field_offset(struct xdp_umem_ring, desc) +
				       (position & r->mask) * 8ull));
	return addr;
}

static __always_inline void xsk_desc_entry(const struct xsk_ring *r, __u32 position, struct xdp_desc *desc)
{
	bpf_probe_read_kernel(desc, 16,
			      (void *)(r->ring + bpf_core_field_offset(struct xdp_rxtx_ring, desc) +
				       (position & r->mask) * 16ull));
}

/* How many of the entries from `seen` to `now` to read: a wild index set by the application reads nothing. */
static __always_inline __u32 xsk_fresh(const struct xsk_ring *r, __u32 seen, __u32 now)
{
	__u32 fresh = now - seen;

	return fresh > r->entries ? 0 : fresh;
}

/* An address that breaks a tripwire is urgent; returns the tripwire's number or -1. */
#define XSK_ADDR_FLAGS(broken) ((broken) >= 0 ? FR_URGENT : 0)

/*
 * Entries are emitted before the cursor moves on, and the cursor isn't locked: two CPUs that look at once both report an
 * entry, and no CPU can see the cursor behind an entry that isn't in a ring yet. Readers take each position once.
 */
static __noinline void xsk_look_fill(struct xsk_pool_state *pool, __u64 now, __u16 how)
{
	FR_RECORDING;
	__u32 prod, seen, fresh;

	if (!pool)
		return;
	prod = xsk_producer(&pool->fill);
	seen = pool->fill.seen_prod;
	fresh = xsk_fresh(&pool->fill, seen, prod);
	for (__u32 i = 0; i < XSK_LOOK_MAX; i++) {
		__u64 addr;
		int broken;
		struct rec_xsk_fill_submit *r;

		if (i >= fresh)
			break;
		addr = xsk_umem_entry(&pool->fill, seen + i);
		broken = fr_umem_address_broken(addr, pool->umem_size, pool->umem_flags);
		r = fr_begin(xsk_fill_submit, how | XSK_ADDR_FLAGS(broken));
		if (!r)
			return;
		r->object = pool->index;
		r->position = seen + i;
		r->addr = addr;
		r->pad0 = 0;
		r->pad1 = 0;
		r->since = pool->fill.looked;
		if (broken >= 0)
			fr_trip(broken, fr_first);
		fr_end(r);
	}
	if (fresh) {
		pool->fill.seen_prod = fresh > XSK_LOOK_MAX ? seen + XSK_LOOK_MAX : prod;
		/* The next entries were there as early as these. */
		if (fresh > XSK_LOOK_MAX)
			return;
	} else if (prod != seen) {
		pool->fill.seen_prod = prod;
	}
	pool->fill.looked = now;
}

static __noinline void xsk_look_comp(struct xsk_pool_state *pool, __u64 now, __u16 how)
{
	FR_RECORDING;
	__u32 prod, cons, seen, fresh;

	if (!pool)
		return;
	prod = xsk_producer(&pool->comp);
	seen = pool->comp.seen_prod;
	fresh = xsk_fresh(&pool->comp, seen, prod);
	for (__u32 i = 0; i < XSK_LOOK_MAX; i++) {
		struct rec_xsk_comp_submit *r;

		if (i >= fresh)
			break;
		r = fr_begin(xsk_comp_submit, how);
		if (!r)
			return;
		r->object = pool->index;
		r->position = seen + i;
		r->addr = xsk_umem_entry(&pool->comp, seen + i);
		r->pad0 = 0;
		r->pad1 = 0;
		fr_end(r);
	}
	pool->comp.seen_prod = fresh > XSK_LOOK_MAX ? seen + XSK_LOOK_MAX : prod;

	cons = xsk_consumer(&pool->comp);
	if (cons != pool->comp.seen_cons) {
		struct rec_xsk_comp_consume *r = fr_begin(xsk_comp_consume, how);

		if (!r)
			return;
		r->object = pool->index;
		r->position = cons;
		r->pad0 = 0;
		r->pad1 = 0;
		r->count = cons - pool->comp.seen_cons;
		r->since = pool->comp.looked;
		fr_end(r);
		pool->comp.seen_cons = cons;
	}
	pool->comp.looked = now;
}

static __noinline void xsk_look_tx(struct xsk_socket_state *xs, struct xsk_pool_state *pool, __u64 now, __u16 how)
{
	FR_RECORDING;
	__u32 prod, seen, fresh;

	if (!xs || !pool || !xs->tx.ring)
		return;
	prod = xsk_producer(&xs->tx);
	seen = xs->tx.seen_prod;
	fresh = xsk_fresh(&xs->tx, seen, prod);
	for (__u32 i = 0; i < XSK_LOOK_MAX; i++) {
		struct xdp_desc desc = {};
		int broken;
		struct rec_xsk_tx_submit *r;

		if (i >= fresh)
			break;
		xsk_desc_entry(&xs->tx, seen + i, &desc);
		broken = fr_umem_address_broken(desc.addr, pool->umem_size, pool->umem_flags);
		r = fr_begin(xsk_tx_submit, how | XSK_ADDR_FLAGS(broken));
		if (!r)
			return;
		r->object = xs->index;
		r->position = seen + i;
		r->addr = desc.addr;
		r->len = desc.len;
		r->pad0 = 0;
		r->since = xs->tx.looked;
		if (broken >= 0)
			fr_trip(broken, fr_first);
		fr_end(r);
	}
	if (fresh) {
		xs->tx.seen_prod = fresh > XSK_LOOK_MAX ? seen + XSK_LOOK_MAX : prod;
		if (fresh > XSK_LOOK_MAX)
			return;
	} else if (prod != seen) {
		xs->tx.seen_prod = prod;
	}
	xs->tx.looked = now;
}

static __noinline void xsk_look_rx(struct xsk_socket_state *xs, __u64 now, __u16 how)
{
	FR_RECORDING;
	__u32 cons;

	if (!xs || !xs->rx.ring)
		return;
	cons = xsk_consumer(&xs->rx);
	if (cons != xs->rx.seen_cons) {
		struct rec_xsk_rx_consume *r = fr_begin(xsk_rx_consume, how);

		if (!r)
			return;
		r->object = xs->index;
		r->position = cons;
		r->pad0 = 0;
		r->pad1 = 0;
		r->count = cons - xs->rx.seen_cons;
		r->since = xs->rx.looked;
		fr_end(r);
		xs->rx.seen_cons = cons;
	}
	xs->rx.looked = now;
}

/* Everything an application may have done to this socket and its queue since the last look. */
static __always_inline void xsk_look(struct xsk_socket_state *xs, struct xsk_pool_state *pool, __u16 how)
{
	__u64 now = bpf_ktime_get_ns();

	xsk_look_rx(xs, now, how);
	xsk_look_comp(pool, now, how);
	xsk_look_fill(pool, now, how);
	xsk_look_tx(xs, pool, now, how);
}

static __always_inline void xsk_ring_open(struct xsk_ring *r, struct xsk_queue *q)
{
	if (!q)
		return;
	r->queue = (__u64)q;
	r->ring = (__u64)BPF_CORE_READ(q, ring);
	r->mask = BPF_CORE_READ(q, ring_mask);
	r->entries = BPF_CORE_READ(q, nentries);
	r->looked = bpf_ktime_get_ns();
}

static __noinline __u32 xsk_umem_object(struct xdp_umem *umem, int fresh)
{
	__u64 key = (__u64)umem;
	__u32 *known, index = FR_NO_OBJECT;
	struct fr_object_entry *e;

	known = bpf_map_lookup_elem(&xsk_umems, &key);
	if (known && !fresh)
		return *known;
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
	bpf_map_update_elem(&xsk_umems, &key, &index, BPF_ANY);
	return index;
}

/* The state of a queue, made when it is first seen: at bind, or later for one that is older than the recorder. */
static __noinline struct xsk_pool_state *xsk_pool(struct xsk_buff_pool *pool)
{
	__u64 key = (__u64)pool;
	struct xsk_pool_state *known, fresh = {};
	struct fr_object_entry *e;
	struct net_device *dev;
	struct xdp_umem *umem;

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
	e->umem = xsk_umem_object(umem, 0);
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
	fresh.wanted = fr_device_wanted(e->netns, e->ifindex);
	/* What already waits in FILL is read as new; what was consumed before is history nobody saw. */
	fresh.taken = BPF_CORE_READ(pool, fq, cached_cons);
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
	r->pad0 = 0;
	r->pad1 = 0;
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
	r->pad0 = 0;
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
	FR_RECORDING;
	struct xdp_sock *xs = (struct xdp_sock *)BPF_CORE_READ(sock, sk);
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state;
	__u64 key = (__u64)xs, pool_key;

	state = bpf_map_lookup_elem(&xsk_sockets, &key);
	if (!state)
		return 0;
	if (state->wanted) {
		struct rec_xsk_release *r;

		pool_key = state->pool;
		pool = bpf_map_lookup_elem(&xsk_pools, &pool_key);
		if (pool && pool->wanted)
			xsk_look(state, pool, 0);
		r = fr_begin(xsk_release, 0);
		if (r) {
			r->object = state->index;
			r->pad0 = 0;
			r->pad1 = 0;
			r->pad2 = 0;
			r->pad3 = 0;
			fr_end(r);
		}
	}
	/* The rings are freed only after an RCU grace period, so no program still reads them through this state. */
	bpf_map_delete_elem(&xsk_sockets, &key);
	return 0;
}

FR_ENTRY(xsk_pool_gone, xp_destroy, struct xsk_buff_pool *pool)
{
	__u64 key = (__u64)pool;

	bpf_map_delete_elem(&xsk_pools, &key);
	return 0;
}

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
	r->pad0 = 0;
	r->pad1 = 0;
	r->pad2 = 0;
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
	r->pad0 = 0;
	r->pad1 = 0;
	r->len = (__u64)BPF_CORE_READ(xdp, data_end) - (__u64)BPF_CORE_READ(xdp, data);
	r->pad2 = 0;
	r->pad3 = 0;
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
	r->pad0 = 0;
	r->len = len;
	r->count = count;
	r->pad1 = 0;
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
	r->pad0 = 0;
	r->pad1 = 0;
	fr_end(r);
	return 0;
}

FR_ENTRY(xsk_rcv_begin, __xsk_rcv_zc, struct xdp_sock *xs, void *xdp, __u32 len)
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
	r->pad0 = 0;
	r->len = len;
	r->pad1 = 0;
	r->pad2 = 0;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_rcv_end, __xsk_rcv_zc, struct xdp_sock *xs, void *xdp, __u32 len, int ret)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state = xsk_socket(xs, &pool, 0);
	struct xdp_desc desc = {};
	struct rec_xsk_rx_write *r;
	__u32 position;

	if (!state || !state->rx.queue)
		return 0;
	if (ret) {
		xsk_dropped(pool->index, XSK_DROP_RX_FULL, 1, len);
		return 0;
	}
	position = xsk_read32(state->rx.queue + bpf_core_field_offset(struct xsk_queue, cached_prod)) - 1;
	xsk_desc_entry(&state->rx, position, &desc);
	r = fr_begin(xsk_rx_write, 0);
	if (!r)
		return 0;
	r->object = state->index;
	r->position = position;
	r->addr = desc.addr;
	r->len = desc.len;
	r->pad0 = 0;
	r->pad1 = 0;
	fr_end(r);
	return 0;
}

/* Called right after the producer index of an RX ring was stored (xsk_flush is inlined everywhere). */
FR_ENTRY(xsk_readable, sock_def_readable, struct sock *sk)
{
	FR_RECORDING;
	struct xsk_pool_state *pool = 0;
	struct xsk_socket_state *state;
	__u32 prod, seen, fresh;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_XDP)
		return 0;
	state = xsk_socket((struct xdp_sock *)sk, &pool, 0);
	if (!state || !state->rx.ring)
		return 0;
	prod = xsk_producer(&state->rx);
	seen = state->rx.seen_prod;
	fresh = xsk_fresh(&state->rx, seen, prod);
	for (__u32 i = 0; i < XSK_LOOK_MAX; i++) {
		struct xdp_desc desc = {};
		struct rec_xsk_rx_publish *r;
		int broken;

		if (i >= fresh)
			break;
		xsk_desc_entry(&state->rx, seen + i, &desc);
		broken = fr_umem_address_broken(desc.addr, pool->umem_size, pool->umem_flags);
		r = fr_begin(xsk_rx_publish, XSK_ADDR_FLAGS(broken));
		if (!r)
			return 0;
		r->object = state->index;
		r->position = seen + i;
		r->addr = desc.addr;
		r->len = desc.len;
		r->pad0 = 0;
		r->pad1 = 0;
		if (broken >= 0)
			fr_trip(broken, fr_first);
		fr_end(r);
	}
	state->rx.seen_prod = fresh > XSK_LOOK_MAX ? seen + XSK_LOOK_MAX : prod;
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
	r->pad0 = 0;
	r->addr = addr;
	r->pad1 = 0;
	r->pad2 = 0;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_destruct_skb, xsk_destruct_skb, struct sk_buff *skb, long nothing)
{
	__u64 key = (__u64)BPF_CORE_READ(skb, sk);
	struct xsk_socket_state *state = bpf_map_lookup_elem(&xsk_sockets, &key);
	struct xsk_pool_state *pool;

	if (!state || !state->wanted)
		return 0;
	key = state->pool;
	pool = bpf_map_lookup_elem(&xsk_pools, &key);
	if (pool && pool->wanted)
		xsk_look_comp(pool, bpf_ktime_get_ns(), 0);
	return 0;
}

/* The queue of a NAPI context that delivers to AF_XDP, or 0. */
static __always_inline __u32 *xsk_napi_queue(struct napi_struct *napi)
{
	__u32 napi_id = BPF_CORE_READ(napi, napi_id);

	return napi_id ? bpf_map_lookup_elem(&xsk_napis, &napi_id) : 0;
}

FR_ENTRY(xsk_napi_scheduled, __napi_schedule, struct napi_struct *napi)
{
	FR_RECORDING;
	__u32 *queue = xsk_napi_queue(napi);
	struct rec_xsk_napi_schedule *r;

	if (!queue)
		return 0;
	r = fr_begin(xsk_napi_schedule, 0);
	if (!r)
		return 0;
	r->object = *queue;
	r->pad0 = 0;
	r->pad1 = 0;
	r->pad2 = 0;
	r->pad3 = 0;
	fr_end(r);
	return 0;
}

FR_ENTRY(xsk_napi_poll_begin, __napi_poll, struct napi_struct *napi)
{
	FR_RECORDING;
	__u32 *queue = xsk_napi_queue(napi);
	struct rec_xsk_napi_begin *r;

	if (!queue)
		return 0;
	r = fr_begin(xsk_napi_begin, 0);
	if (!r)
		return 0;
	r->object = *queue;
	r->pad0 = 0;
	r->pad1 = 0;
	r->pad2 = 0;
	r->pad3 = 0;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_napi_poll_end, __napi_poll, struct napi_struct *napi, void *repoll, int work)
{
	FR_RECORDING;
	__u32 *queue = xsk_napi_queue(napi);
	struct rec_xsk_napi_end *r;

	if (!queue)
		return 0;
	r = fr_begin(xsk_napi_end, 0);
	if (!r)
		return 0;
	r->object = *queue;
	r->work = work;
	r->pad0 = 0;
	r->pad1 = 0;
	r->pad2 = 0;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_napi_completed, napi_complete_done, struct napi_struct *napi, int work, unsigned long ret)
{
	FR_RECORDING;
	__u32 *queue = xsk_napi_queue(napi);
	struct rec_xsk_napi_complete *r;

	if (!queue)
		return 0;
	r = fr_begin(xsk_napi_complete, 0);
	if (!r)
		return 0;
	r->object = *queue;
	r->work = work;
	r->pad0 = 0;
	r->pad1 = 0;
	r->completed = ret & 1;
	r->pad2 = 0;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_map_flush, __xsk_map_flush, long nothing)
{
	FR_RECORDING;
	__u32 zero = 0, *last = bpf_map_lookup_elem(&xsk_redirected, &zero);
	struct rec_xsk_flush *r;

	if (!last || !*last)
		return 0;
	r = fr_begin(xsk_flush, 0);
	if (!r)
		return 0;
	r->object = *last - 1;
	r->pad0 = 0;
	r->pad1 = 0;
	r->pad2 = 0;
	r->pad3 = 0;
	fr_end(r);
	*last = 0;
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
