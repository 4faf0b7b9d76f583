/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets that belong to another namespace than the process's own, and those of netlink. */
#ifndef NETNS_SOCKET_BPF_H
#define NETNS_SOCKET_BPF_H

#include "netns-kernel.bpf.h"

#define NETNS_AF_UNIX 1
#define NETNS_AF_NETLINK 16

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

#endif
