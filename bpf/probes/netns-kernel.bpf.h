/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a thread is, and where its process is at home. */
#ifndef NETNS_KERNEL_BPF_H
#define NETNS_KERNEL_BPF_H

#include "netns-records.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct signal_struct {
	int nr_threads;
	unsigned int flags;
	struct task_struct *group_exec_task;
};
struct task_struct___netns {
	struct signal_struct *signal;
};
#pragma clang attribute pop

#define netns_cookie_of(task) BPF_CORE_READ(task, nsproxy, net_ns, net_cookie)

static __always_inline struct signal_struct *netns_signal(struct task_struct *task)
{
	struct task_struct___netns *local = (void *)task;

	return BPF_CORE_READ(local, signal);
}

static __always_inline __u64 netns_home(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, nsproxy, net_ns, net_cookie);
}

/* --netns keeps what touches the namespace from either side. */
static __always_inline int netns_wanted(__u64 one, __u64 other)
{
	return !fr_only_netns || one == fr_only_netns || other == fr_only_netns;
}

#endif
