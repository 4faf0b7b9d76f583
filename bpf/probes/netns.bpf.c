/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Network namespaces and the threads in them: which thread is where, who put it there, and what it asks of
 * rtnetlink from there.
 *
 * All of it is control plane: one slot for each namespace made or gone, setns, thread made or ended and exec;
 * two for each rtnetlink request. Sockets are recorded only when they are netlink's or belong to another
 * namespace than the process's own, so that a host's connections cost a comparison each and no record.
 */
#include "recorder.bpf.h"

#define NETNS_CLONE_NEWNET 0x40000000
#define NETNS_AF_UNIX 1
#define NETNS_AF_NETLINK 16
/* include/linux/sched/signal.h */
#define NETNS_GROUP_EXIT 0x00000004
/* net/netlink/af_netlink.c: what a dump that was started returns, so that no acknowledgement follows. */
#define NETNS_DUMP_STARTED -4 /* -EINTR */

/* A namespace was made, by unshare or clone of this thread. */
RECORD(netns_create)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns creator_netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The last user of a namespace is gone; from when the kernel has cleaned it up its inode number is free. */
RECORD(netns_destroy)
{
	struct fr_head head;
	fr_netns netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1[2];
};

/*
 * This thread goes from a namespace to another: setns, or unshare if it has just made it. `home` is where its
 * process's leader is, before it if that is this one.
 */
RECORD(netns_enter)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns from;
	fr_netns home;
	fr_u32 threads;
	fr_u32 pad0;
};

/* This thread made a thread or a process; `netns` is where the new one is, `home` where its process's leader
 * is. */
RECORD(netns_fork)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns creator_netns;
	fr_netns home;
	fr_tid thread;
	fr_pid process;
};

/* This thread runs another program; it is its process's only one now. */
RECORD(netns_exec)
{
	struct fr_head head;
	fr_netns netns;
	fr_u64 pad0[3];
};

/* This thread ends; `threads` are those of its process with it, 0 if the whole process ends. */
RECORD(netns_thread_exit)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns home;
	fr_u32 threads;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* This thread made a socket. */
RECORD(netns_socket)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns thread_netns;
	fr_netns home;
	fr_u16 family;
	fr_u16 netlink; /* NETLINK_*, of netlink sockets */
	fr_u32 pad0;
};

/* rtnetlink has handled a request of this thread; it acts where its socket is. */
RECORD(netns_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns socket_netns;
	fr_netns home;
	fr_portid portid;
	fr_u16 request;
	fr_u16 request_flags;
	fr_errno result;
	fr_ifindex ifindex;
	fr_name name;
	fr_u8 request_family;
	fr_u8 pad0[7];
};

/* Written by user space from a dump. */
RECORD(netns_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1[2];
};

/* Written by user space from a dump, for each thread: `home` is where its process's leader is. */
RECORD(netns_task_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns home;
	fr_u64 pad0[2];
};

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

static __always_inline int netns_socket_made(struct net *net, struct net *home, __u16 family, __u16 netlink)
{
	FR_RECORDING;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct rec_netns_socket *r;
	__u64 netns = BPF_CORE_READ(net, net_cookie);

	if (!netns_wanted(netns, netns) || !fr_task_wanted())
		return 0;
	r = fr_begin(netns_socket, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->thread_netns = netns_cookie_of(task);
	r->home = home ? BPF_CORE_READ(home, net_cookie) : 0;
	r->family = family;
	r->netlink = netlink;
	fr_end(r);
	return 0;
}

static __always_inline struct net *netns_home_of_current(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader, nsproxy, net_ns);
}

FR_ENTRY(netns_socket, sk_alloc, struct net *net, int family, int priority, void *prot, int kern)
{
	struct net *home;

	if (kern || family == NETNS_AF_UNIX || family == NETNS_AF_NETLINK)
		return 0;
	home = netns_home_of_current();
	return net == home ? 0 : netns_socket_made(net, home, family, 0xffff);
}

FR_ENTRY(netns_netlink_socket, netlink_create, struct net *net, void *sock, int protocol, int kern)
{
	return kern ? 0 : netns_socket_made(net, netns_home_of_current(), NETNS_AF_NETLINK, protocol);
}

/* include/uapi/linux/rtnetlink.h, if_link.h */
#define NETNS_RTM_NEWLINK 16
#define NETNS_RTM_SETLINK 19
#define NETNS_IFLA_IFNAME 3
#define NETNS_IFLA_ALT_IFNAME 53
#define NETNS_NLA_TYPE_MASK 0x3fff
#define NETNS_LINK_HEADER 16 /* struct ifinfomsg */
#define NETNS_ATTRIBUTES 4

struct netns_attribute {
	__u16 len;
	__u16 type;
};

/* The interface a link request names, if it does so in its first attributes. */
static __always_inline void netns_read_name(struct rec_netns_request *r, const void *message, __u32 len)
{
	__u32 at = sizeof(struct nlmsghdr) + NETNS_LINK_HEADER;
	struct netns_attribute attribute;

#pragma unroll
	for (int i = 0; i < NETNS_ATTRIBUTES; i++) {
		if (at + sizeof(attribute) > len ||
		    bpf_probe_read_kernel(&attribute, sizeof(attribute), message + at) ||
		    attribute.len < sizeof(attribute))
			return;
		attribute.type &= NETNS_NLA_TYPE_MASK;
		if (attribute.type == NETNS_IFLA_IFNAME || attribute.type == NETNS_IFLA_ALT_IFNAME) {
			bpf_probe_read_kernel_str(r->name.text, sizeof(r->name.text),
						  message + at + sizeof(attribute));
			return;
		}
		at += (attribute.len + 3) & ~3;
	}
}

FR_EXIT(netns_request, rtnetlink_rcv_msg, struct sk_buff *skb, struct nlmsghdr *message, void *extack,
	int result)
{
	struct rec_netns_request r = {};
	struct netlink_skb_parms *sender = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct task_struct *task;
	__u32 len;

	if (!fr_task_wanted())
		return 0;
	task = (void *)bpf_get_current_task();
	r.netns = netns_cookie_of(task);
	r.socket_netns = BPF_CORE_READ(sender, sk, __sk_common.skc_net.net, net_cookie);
	if (!netns_wanted(r.netns, r.socket_netns))
		return 0;
	r.home = netns_home(task);
	r.portid = BPF_CORE_READ(sender, portid);
	bpf_probe_read_kernel(&r.request, 4, &message->nlmsg_type);
	bpf_probe_read_kernel(&len, sizeof(len), &message->nlmsg_len);
	bpf_probe_read_kernel(&r.request_family, 1, (void *)message + sizeof(*message));
	r.result = result == NETNS_DUMP_STARTED ? 0 : result;
	if (r.request >= NETNS_RTM_NEWLINK && r.request <= NETNS_RTM_SETLINK) {
		/* struct ifinfomsg.ifi_index */
		bpf_probe_read_kernel(&r.ifindex, 4, (void *)message + sizeof(*message) + 4);
		netns_read_name(&r, message, len);
	}
	fr_write(netns_request, &r, 0);
	return 0;
}
