/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filters of the command line, evaluated before anything is written. */
#ifndef FR_WANTED_BPF_H
#define FR_WANTED_BPF_H

#include "control.bpf.h"
#include "running.bpf.h"

/* The current task passes --pid and --comm. Only for probes that run in the task's own system call. */
static __always_inline int fr_task_wanted(void)
{
	if (fr_only_tgid && fr_current_ids(bpf_get_smp_processor_id()) >> 32 != fr_only_tgid)
		return 0;
	if (fr_only_comm_set) {
		char comm[16];

		bpf_get_current_comm(comm, sizeof(comm));
#pragma unroll
		for (int i = 0; i < 16; i++) {
			if (comm[i] != fr_only_comm[i])
				return 0;
			if (!comm[i])
				break;
		}
	}
	return 1;
}

static __always_inline int fr_device_wanted(__u64 netns, __u32 ifindex)
{
	if (fr_only_netns && netns != fr_only_netns)
		return 0;
	if (fr_only_ifindex && ifindex != fr_only_ifindex)
		return 0;
	return 1;
}

#endif
