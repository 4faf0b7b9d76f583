/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Neighbour entries (net/core/neighbour.c): their changes by tracepoints alone, which needs neither fentry
 * nor kprobes; the requests behind them, and addresses announced by ARP and neighbour discovery, by
 * functions. */
#include "neigh-message.bpf.h"
#include "neigh-records.bpf.h"
#include "neigh-announce.bpf.h"

/* NUD_VALID of include/net/neighbour.h: the entry has a MAC. */
#define NEIGH_VALID 0xde

/* Which entry: false if it isn't wanted. A macro, because the records share these names and not a struct. */
#define neigh_identify(r, n)                                                                                 \
	({                                                                                                   \
		struct net_device *dev_ = BPF_CORE_READ(n, dev);                                             \
		(r)->netns = BPF_CORE_READ(dev_, nd_net.net, net_cookie);                                    \
		(r)->ifindex = BPF_CORE_READ(dev_, ifindex);                                                 \
		(r)->family = BPF_CORE_READ(n, tbl, family);                                                 \
		(r)->nud = BPF_CORE_READ(n, nud_state);                                                      \
		neigh_read_ip(&(r)->ip, (r)->family,                                                         \
			      (void *)n + bpf_core_field_offset(struct neighbour, primary_key));             \
		fr_device_wanted((r)->netns, (r)->ifindex) &&                                                \
		    ((r)->family == AF_INET || (r)->family == AF_INET6);                                     \
	})

#define neigh_read_mac(to, n)                                                                                \
	bpf_probe_read_kernel((to)->bytes, 6, (void *)n + bpf_core_field_offset(struct neighbour, ha))

static __always_inline int neigh_macs_differ(const fr_mac *a, const fr_mac *b)
{
	__u8 differ = 0;

#pragma unroll
	for (int i = 0; i < 6; i++)
		differ |= a->bytes[i] ^ b->bytes[i];
	return differ != 0;
}

FR_RAW(neigh_create, neigh_create, struct neigh_table *tbl, struct net_device *dev, const void *key,
       struct neighbour *n)
{
	struct rec_neigh_create r = {};

	/* The entry isn't filled in yet: its parts come from the arguments. */
	r.netns = BPF_CORE_READ(dev, nd_net.net, net_cookie);
	r.ifindex = BPF_CORE_READ(dev, ifindex);
	r.family = BPF_CORE_READ(tbl, family);
	if (!fr_device_wanted(r.netns, r.ifindex) || (r.family != AF_INET && r.family != AF_INET6))
		return 0;
	neigh_read_ip(&r.ip, r.family, key);
	fr_write(neigh_create, &r, 0);
	return 0;
}

FR_RAW(neigh_update, neigh_update, struct neighbour *n, const void *lladdr, __u8 new_nud, __u32 flags,
       __u32 portid)
{
	struct rec_neigh_update r = {};
	int replaced;

	if (!neigh_identify(&r, n))
		return 0;
	r.new_nud = new_nud;
	neigh_read_mac(&r.mac, n);
	if (lladdr) {
		r.has_new_mac = 1;
		bpf_probe_read_kernel(r.new_mac.bytes, 6, lladdr);
	}
	r.update_flags = flags;
	r.portid = portid;
	/* Somebody programs another MAC over a valid one: worth a look at once. */
	replaced = portid && lladdr && r.nud & NEIGH_VALID && neigh_macs_differ(&r.mac, &r.new_mac);
	fr_write(neigh_update, &r, replaced ? FR_URGENT : 0);
	return 0;
}

FR_RAW(neigh_update_done, neigh_update_done, struct neighbour *n, int result)
{
	struct rec_neigh_update_done r = {};

	if (!neigh_identify(&r, n))
		return 0;
	neigh_read_mac(&r.mac, n);
	r.result = result;
	fr_write(neigh_update_done, &r, 0);
	return 0;
}

FR_RAW(neigh_timer, neigh_timer_handler, struct neighbour *n, int result)
{
	struct rec_neigh_timer r = {};

	if (!neigh_identify(&r, n))
		return 0;
	r.result = result;
	fr_write(neigh_timer, &r, 0);
	return 0;
}

FR_RAW(neigh_release, neigh_cleanup_and_release, struct neighbour *n, int result)
{
	struct rec_neigh_release r = {};

	if (!neigh_identify(&r, n))
		return 0;
	neigh_read_mac(&r.mac, n);
	fr_write(neigh_release, &r, 0);
	return 0;
}

static __always_inline int neigh_requested(struct sk_buff *skb, struct nlmsghdr *nlh, __u8 operation,
					   int result)
{
	struct rec_neigh_request r = {};
	struct neigh_message m = {};
	struct netlink_skb_parms *sender = neigh_sender(skb);

	if (!fr_task_wanted())
		return 0;
	neigh_read_message(&m, nlh);
	r.netns = BPF_CORE_READ(sender, sk, __sk_common.skc_net.net, net_cookie);
	r.ifindex = m.head.ifindex;
	r.family = m.head.family;
	if (!fr_device_wanted(r.netns, r.ifindex) || (r.family != AF_INET && r.family != AF_INET6))
		return 0;
	r.operation = operation;
	r.ip = m.ip;
	r.has_new_mac = m.has_mac;
	r.new_mac = m.mac;
	r.new_state = m.head.state;
	r.nlmsg_flags = m.nlmsg_flags;
	r.entry_flags = m.head.flags;
	r.portid = BPF_CORE_READ(sender, portid);
	r.result = result;
	fr_write(neigh_request, &r, result ? FR_URGENT : 0);
	return 0;
}

FR_EXIT(neigh_request_add, neigh_add, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	return neigh_requested(skb, nlh, RTM_NEWNEIGH, result);
}

FR_EXIT(neigh_request_delete, neigh_delete, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack,
	int result)
{
	return neigh_requested(skb, nlh, RTM_DELNEIGH, result);
}
