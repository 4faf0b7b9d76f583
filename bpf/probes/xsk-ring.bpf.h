/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the rings that an application shares with the kernel: indices and entries. */
#ifndef FR_XSK_RING_BPF_H
#define FR_XSK_RING_BPF_H

#include "recorder.bpf.h"

/* A ring shared with an application, and how much of it was seen. */
struct xsk_ring {
	__u64 queue; /* struct xsk_queue *, for the kernel's private indices */
	__u64 ring;  /* struct xdp_ring * */
	__u32 mask;
	__u32 entries;
	__u32 seen_prod;
	__u32 seen_cons;
	__u64 looked; /* when, ns */
};

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

#endif
