/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces and the threads in them: which thread is where, who put it there, and what it asks of
 * rtnetlink from there.
 *
 * All of it is control plane: one slot for each namespace made or gone, setns, thread made or ended and exec;
 * two for each rtnetlink request. Sockets are recorded only when they are netlink's or belong to another
 * namespace than the process's own, so that a host's connections cost a comparison each and no record.
 */
#include "netns-kernel.bpf.h"
#include "netns-socket.bpf.h"
#include "netns-request.bpf.h"

#define NETNS_CLONE_NEWNET 0x40000000
/* include/linux/sched/signal.h */
#define NETNS_GROUP_EXIT 0x00000004

FR_EXIT(netns_create, copy_net_ns, unsigned long flags, void *user_ns, struct net *old, struct net *made)
{
	FR_RECORDING;
	struct rec_netns_create *r;
	__u64 netns, creator;

	/* Without the flag it hands the old one back; errors are the last page of addresses. */
	if (!(flags & NETNS_CLONE_NEWNET) || (unsigned long)made >= -4095ul || !fr_task_wanted())
		return 0;
	netns = BPF_CORE_READ(made, net_cookie);
	creator = BPF_CORE_READ(old, net_cookie);
	if (!netns_wanted(netns, creator))
		return 0;
	r = fr_begin(netns_create, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->creator_netns = creator;
	r->inum = BPF_CORE_READ(made, ns.inum);
	fr_end(r);
	return 0;
}

FR_ENTRY(netns_destroy, __put_net, struct net *net)
{
	FR_RECORDING;
	struct rec_netns_destroy *r;
	__u64 netns = BPF_CORE_READ(net, net_cookie);

	if (!netns_wanted(netns, netns))
		return 0;
	r = fr_begin(netns_destroy, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->inum = BPF_CORE_READ(net, ns.inum);
	fr_end(r);
	return 0;
}

FR_ENTRY(netns_enter, switch_task_namespaces, struct task_struct *task, struct nsproxy *to)
{
	FR_RECORDING;
	struct rec_netns_enter *r;
	struct net *net, *old;
	__u64 netns, from;

	/* An exiting task goes nowhere. */
	if (!to || !fr_task_wanted())
		return 0;
	net = BPF_CORE_READ(to, net_ns);
	old = BPF_CORE_READ(task, nsproxy, net_ns);
	if (net == old)
		return 0;
	netns = BPF_CORE_READ(net, net_cookie);
	from = BPF_CORE_READ(old, net_cookie);
	if (!netns_wanted(netns, from))
		return 0;
	r = fr_begin(netns_enter, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->from = from;
	r->home = netns_home(task);
	r->threads = BPF_CORE_READ(netns_signal(task), nr_threads);
	fr_end(r);
	return 0;
}

/* kernel/fork.c: kernel_clone, before the new task first runs. */
FR_RAW(netns_fork, sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	FR_RECORDING;
	struct rec_netns_fork *r;
	__u64 netns, creator;

	if (!fr_task_wanted())
		return 0;
	netns = netns_cookie_of(child);
	creator = netns_cookie_of(parent);
	if (!netns_wanted(netns, creator))
		return 0;
	r = fr_begin(netns_fork, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->creator_netns = creator;
	r->home = netns_home(child);
	r->thread = BPF_CORE_READ(child, pid);
	r->process = BPF_CORE_READ(child, tgid);
	fr_end(r);
	return 0;
}

FR_RAW(netns_exec, sched_process_exec, struct task_struct *task)
{
	FR_RECORDING;
	struct rec_netns_exec *r;
	__u64 netns = netns_cookie_of(task);

	if (!netns_wanted(netns, netns) || !fr_task_wanted())
		return 0;
	r = fr_begin(netns_exec, 0);
	if (!r)
		return 0;
	r->netns = netns;
	fr_end(r);
	return 0;
}

/* kernel/exit.c: do_exit, before the task gives its namespaces up. */
FR_RAW(netns_thread_exit, sched_process_exit, struct task_struct *task)
{
	FR_RECORDING;
	struct rec_netns_thread_exit *r;
	struct signal_struct *signal;
	__u64 netns = netns_cookie_of(task);
	int ending;

	if (!netns_wanted(netns, netns) || !fr_task_wanted())
		return 0;
	signal = netns_signal(task);
	ending = BPF_CORE_READ(signal, flags) & NETNS_GROUP_EXIT;
	/* Exec ends all threads but its own (fs/exec.c: de_thread). */
	if (bpf_core_field_exists(signal->group_exec_task) && BPF_CORE_READ(signal, group_exec_task))
		ending = 1;
	r = fr_begin(netns_thread_exit, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->home = netns_home(task);
	r->threads = ending ? 0 : BPF_CORE_READ(signal, nr_threads);
	fr_end(r);
	return 0;
}
