/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs on polling: which CPU is inside a queue's poll, and when what it delivered is flushed. */
#ifndef FR_XSK_NAPI_BPF_H
#define FR_XSK_NAPI_BPF_H

#include "xsk-look.bpf.h"

/* The queue of a NAPI context that delivers to AF_XDP, or 0. */
static __always_inline __u32 *xsk_napi_queue(struct napi_struct *napi)
{
	__u32 napi_id = BPF_CORE_READ(napi, napi_id);

	return napi_id ? bpf_map_lookup_elem(&xsk_napis, &napi_id) : 0;
}

FR_ENTRY(xsk_napi_scheduled, __napi_schedule, struct napi_struct *napi)
{
	__u32 *queue = xsk_napi_queue(napi);

	if (queue)
		xsk_emit(xsk_napi_schedule, *queue);
	return 0;
}

FR_ENTRY(xsk_napi_poll_begin, __napi_poll, struct napi_struct *napi)
{
	__u32 *queue = xsk_napi_queue(napi);

	if (queue)
		xsk_emit(xsk_napi_begin, *queue);
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
	r->completed = ret & 1;
	fr_end(r);
	return 0;
}

FR_EXIT(xsk_map_flush, __xsk_map_flush, long nothing)
{
	__u32 zero = 0, *last = bpf_map_lookup_elem(&xsk_redirected, &zero);

	if (!last || !*last)
		return 0;
	xsk_emit(xsk_flush, *last - 1);
	*last = 0;
	return 0;
}

#endif
