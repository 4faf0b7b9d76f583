/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading what an application did to the rings it shares with the kernel: what has changed since the last
 * look. */
#ifndef FR_XSK_LOOK_BPF_H
#define FR_XSK_LOOK_BPF_H

#include "xsk-state.bpf.h"
#include "../tripwires/umem-address.bpf.h"

/* Entries read in one look; what remains is read at the next hook. A zero-copy driver takes more at once. */
#define XSK_LOOK_MAX 64

/* An address that breaks a tripwire is urgent; `broken` is the tripwire's number or -1. */
#define XSK_ADDR_FLAGS(broken) ((broken) >= 0 ? FR_URGENT : 0)

/* One look at one ring, entry by entry: a loop by helper, so that the verifier reads its body once. */
struct xsk_glance {
	struct xsk_ring *ring;
	struct xsk_pool_state *pool;
	__u32 object;
	__u32 seen;
	__u32 fresh;
	__u32 flags;
	__u32 limit;
};

static __always_inline __u32 xsk_glance_end(const struct xsk_glance *g)
{
	return g->seen + (g->fresh > g->limit ? g->limit : g->fresh);
}

#define XSK_EACH(g, body) bpf_loop((g)->fresh > (g)->limit ? (g)->limit : (g)->fresh, body, g, 0)

static long xsk_fill_entry(__u32 i, struct xsk_glance *g)
{
	FR_RECORDING;
	__u64 addr = xsk_umem_entry(g->ring, g->seen + i);
	int broken = fr_umem_address_broken(addr, g->pool->umem_size, g->pool->umem_flags);
	struct rec_xsk_fill_submit *r =
	    fr_begin(xsk_fill_submit, g->flags | XSK_ADDR_FLAGS(broken) | xsk_frame_enters(g->pool, addr));

	if (!r)
		return 1;
	r->object = g->object;
	r->position = g->seen + i;
	r->addr = addr;
	r->since = g->ring->looked;
	if (broken >= 0)
		fr_trip(broken, fr_first);
	fr_end(r);
	return 0;
}

static long xsk_comp_entry(__u32 i, struct xsk_glance *g)
{
	FR_RECORDING;
	struct rec_xsk_comp_submit *r = fr_begin(xsk_comp_submit, g->flags);

	if (!r)
		return 1;
	r->object = g->object;
	r->position = g->seen + i;
	r->addr = xsk_umem_entry(g->ring, g->seen + i);
	xsk_frame_leaves(g->pool, r->addr);
	fr_end(r);
	return 0;
}

static long xsk_tx_entry(__u32 i, struct xsk_glance *g)
{
	FR_RECORDING;
	struct xdp_desc desc = {};
	struct rec_xsk_tx_submit *r;
	int broken;

	xsk_desc_entry(g->ring, g->seen + i, &desc);
	broken = fr_umem_address_broken(desc.addr, g->pool->umem_size, g->pool->umem_flags);
	r = fr_begin(xsk_tx_submit, g->flags | XSK_ADDR_FLAGS(broken) | xsk_frame_enters(g->pool, desc.addr));
	if (!r)
		return 1;
	r->object = g->object;
	r->position = g->seen + i;
	r->addr = desc.addr;
	r->len = desc.len;
	r->since = g->ring->looked;
	if (broken >= 0)
		fr_trip(broken, fr_first);
	fr_end(r);
	return 0;
}

static long xsk_rx_entry(__u32 i, struct xsk_glance *g)
{
	FR_RECORDING;
	struct xdp_desc desc = {};
	struct rec_xsk_rx_publish *r;
	int broken;

	xsk_desc_entry(g->ring, g->seen + i, &desc);
	broken = fr_umem_address_broken(desc.addr, g->pool->umem_size, g->pool->umem_flags);
	r = fr_begin(xsk_rx_publish, g->flags | XSK_ADDR_FLAGS(broken));
	if (!r)
		return 1;
	r->object = g->object;
	r->position = g->seen + i;
	r->addr = desc.addr;
	r->len = desc.len;
	if (broken >= 0)
		fr_trip(broken, fr_first);
	fr_end(r);
	return 0;
}

/*
 * Entries are emitted before the cursor moves on, and the cursor isn't locked: two CPUs that look at once
 * both report an entry, and no CPU can see the cursor behind an entry that isn't in a ring yet. Readers take
 * each position once.
 */
static __always_inline void xsk_look_fill(struct xsk_pool_state *pool, __u64 now, __u16 how, __u32 limit)
{
	struct xsk_glance g = {
	    .ring = &pool->fill, .pool = pool, .object = pool->index, .flags = how, .limit = limit};

	g.seen = pool->fill.seen_prod;
	g.fresh = xsk_fresh(&pool->fill, g.seen, xsk_producer(&pool->fill));
	if (g.fresh) {
		XSK_EACH(&g, xsk_fill_entry);
		pool->fill.seen_prod = xsk_glance_end(&g);
	}
	/* What is left over was there as early as what was read. */
	if (g.fresh <= limit)
		pool->fill.looked = now;
}

static __always_inline void xsk_look_comp(struct xsk_pool_state *pool, __u64 now, __u16 how, __u32 limit)
{
	FR_RECORDING;
	struct xsk_glance g = {
	    .ring = &pool->comp, .pool = pool, .object = pool->index, .flags = how, .limit = limit};
	__u32 cons;

	g.seen = pool->comp.seen_prod;
	g.fresh = xsk_fresh(&pool->comp, g.seen, xsk_producer(&pool->comp));
	if (g.fresh) {
		XSK_EACH(&g, xsk_comp_entry);
		pool->comp.seen_prod = xsk_glance_end(&g);
	}
	cons = xsk_consumer(&pool->comp);
	if (cons != pool->comp.seen_cons) {
		struct rec_xsk_comp_consume *r = fr_begin(xsk_comp_consume, how);

		if (!r)
			return;
		r->object = pool->index;
		r->position = cons;
		r->count = cons - pool->comp.seen_cons;
		r->since = pool->comp.looked;
		fr_end(r);
		pool->comp.seen_cons = cons;
	}
	pool->comp.looked = now;
}

/* What one look at all queues of a umem passes to each. */
struct xsk_survey {
	__u64 now;
	__u32 umem;
	__u32 how;
};

static long xsk_fill_of_umem(void *map, __u64 *key, struct xsk_pool_state *pool, struct xsk_survey *survey)
{
	if (pool->umem == survey->umem && pool->wanted)
		xsk_look_fill(pool, survey->now, survey->how, XSK_LOOK_MAX);
	return 0;
}

static __always_inline void xsk_look_tx(struct xsk_socket_state *xs, struct xsk_pool_state *pool, __u64 now,
					__u16 how, __u32 limit)
{
	struct xsk_glance g = {
	    .ring = &xs->tx, .pool = pool, .object = xs->index, .flags = how, .limit = limit};
	__u32 producer;

	if (!xs->tx.ring)
		return;
	g.seen = xs->tx.seen_prod;
	producer = xsk_producer(&xs->tx);
	g.fresh = xsk_fresh(&xs->tx, g.seen, producer);
	if (g.fresh || producer != xsk_consumer(&xs->tx)) {
		struct xsk_survey survey = {.now = now, .umem = pool->umem, .how = how};

		/*
		 * Something waits to be sent, or a zero-copy driver has just taken it. A frame that was put
		 * into another queue's FILL before this call must be seen there before it is sent: once it
		 * has come back in COMP, finding it in FILL would look right.
		 */
		bpf_for_each_map_elem(&xsk_pools, xsk_fill_of_umem, &survey, 0);
	}
	if (g.fresh) {
		XSK_EACH(&g, xsk_tx_entry);
		xs->tx.seen_prod = xsk_glance_end(&g);
	}
	if (g.fresh <= limit)
		xs->tx.looked = now;
}

static __always_inline void xsk_look_rx(struct xsk_socket_state *xs, __u64 now, __u16 how)
{
	FR_RECORDING;
	__u32 cons;

	if (!xs->rx.ring)
		return;
	cons = xsk_consumer(&xs->rx);
	if (cons != xs->rx.seen_cons) {
		struct rec_xsk_rx_consume *r = fr_begin(xsk_rx_consume, how);

		if (!r)
			return;
		r->object = xs->index;
		r->position = cons;
		r->count = cons - xs->rx.seen_cons;
		r->since = xs->rx.looked;
		fr_end(r);
		xs->rx.seen_cons = cons;
	}
	xs->rx.looked = now;
}

/* Everything an application may have done to this socket and its queue since the last look. */
static __noinline int xsk_look(struct xsk_socket_state *xs, struct xsk_pool_state *pool, __u16 how)
{
	__u64 now = bpf_ktime_get_ns();

	if (!xs || !pool)
		return 0;
	xsk_look_rx(xs, now, how);
	xsk_look_comp(pool, now, how, XSK_LOOK_MAX);
	xsk_look_fill(pool, now, how, XSK_LOOK_MAX);
	xsk_look_tx(xs, pool, now, how, XSK_LOOK_MAX);
	return 0;
}

#endif
