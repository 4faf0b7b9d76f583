/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The record of one slot that is timed, in the share that its path has in the product. */
#ifndef BENCH_RECORD_BPF_H
#define BENCH_RECORD_BPF_H

#include "recorder.bpf.h"

RECORD(xsk_rx_publish)
{
	struct fr_head head;
	fr_object object;
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_u64 pad1;
};

#endif
