/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of threads, so that no other event pays for one: learned when a thread is made, renamed or replaced
 * by exec. */
#include "recorder.bpf.h"

RECORD(task_comm)
{
	struct fr_head head;
	fr_tid thread;
	fr_pid process;
	fr_comm comm;
	fr_u64 pad0;
};

static __always_inline int task_named(struct task_struct *task, const char *comm)
{
	FR_RECORDING;
	struct rec_task_comm *r = fr_begin(task_comm, 0);

	if (!r)
		return 0;
	r->thread = BPF_CORE_READ(task, pid);
	r->process = BPF_CORE_READ(task, tgid);
	__builtin_memset(&r->comm, 0, sizeof(r->comm));
	bpf_probe_read_kernel_str(r->comm.text, sizeof(r->comm.text),
				  comm ? comm
				       : (void *)task + bpf_core_field_offset(struct task_struct, comm));
	fr_end(r);
	return 0;
}

FR_RAW(task_newtask, task_newtask, struct task_struct *task)
{
	return task_named(task, 0);
}

FR_RAW(task_rename, task_rename, struct task_struct *task, const char *comm)
{
	return task_named(task, comm);
}

/* Keeps the running task's ids where events find them without a helper call. */
FR_RAW(task_switch, sched_switch, int preempt, struct task_struct *prev, struct task_struct *next)
{
	fr_task_switched(next);
	return 0;
}

FR_RAW(task_exec, sched_process_exec, struct task_struct *task)
{
	fr_task_changed();
	return 0;
}
