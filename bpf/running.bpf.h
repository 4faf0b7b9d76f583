/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who runs on each CPU. */
#ifndef FR_RUNNING_BPF_H
#define FR_RUNNING_BPF_H

#include "types.bpf.h"
#include "kernel.bpf.h"
#include "control.bpf.h"

/*
 * The ids of the task that runs on each CPU, as sched_switch told them, with FR_RUNNING_KNOWN set. A helper
 * call for them would cost as much as all else but the clock (bench/README.md, emit).
 */
#define FR_RUNNING_KNOWN (1ull << 63)
#define FR_RUNNING_CPUS 1024
struct fr_running {
	__u64 ids; /* tgid << 32 | tid */
	__u64 pad[7];
} fr_running[FR_RUNNING_CPUS] __attribute__((aligned(64)));

/* To be called at sched_switch with the task that is switched to; without it the helper is called for every
 * event. */
static __always_inline void fr_task_switched(struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id(), ids[2];

	/* pid and tgid lie side by side: one read for both. */
	bpf_probe_read_kernel(ids, sizeof(ids), &next->pid);
	fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids = FR_RUNNING_KNOWN | (__u64)ids[1] << 32 | ids[0];
}

/* To be called when the current task may have got other ids: exec by another thread than the first
 * (fs/exec.c). */
static __always_inline void fr_task_changed(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids = 0;
}

static __always_inline __u64 fr_current_ids(__u32 cpu)
{
	/* On a machine with more CPUs two would share an entry. */
	__u64 ids = fr_cpus > FR_RUNNING_CPUS ? 0 : fr_running[cpu & (FR_RUNNING_CPUS - 1)].ids;

	return ids & FR_RUNNING_KNOWN ? ids & ~FR_RUNNING_KNOWN : bpf_get_current_pid_tgid();
}

#endif
