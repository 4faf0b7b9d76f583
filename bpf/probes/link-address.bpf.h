/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses and routes of devices, and the netlink requests about them that failed. */
#ifndef LINK_ADDRESS_BPF_H
#define LINK_ADDRESS_BPF_H

#include "link-kernel.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in_device___link {
	struct net_device *dev;
	int dead;
};
struct in_ifaddr___link {
	struct in_device___link *ifa_dev;
	__be32 ifa_local;
	unsigned char ifa_prefixlen;
	__u32 ifa_flags;
};
struct ipv6_devconf___link {
	__s32 disable_ipv6;
};
struct inet6_dev___link {
	struct net_device *dev;
	int dead;
	struct ipv6_devconf___link cnf;
};
struct in6_addr___link {
	__u8 bytes[16];
} __attribute__((packed));
struct inet6_ifaddr___link {
	struct in6_addr___link addr;
	__u32 prefix_len;
	__u32 flags;
	struct inet6_dev___link *idev;
};
struct fib_config___link {
	__u8 fc_dst_len;
	__u8 fc_gw_family;
	__u32 fc_table;
	__be32 fc_dst;
	__be32 fc_gw4;
	int fc_oif;
	__be32 fc_prefsrc;
};
struct nl_info___link {
	struct net *nl_net;
};
struct fib6_config___link {
	__u32 fc_table;
	int fc_dst_len;
	int fc_ifindex;
	struct in6_addr___link fc_dst;
	struct in6_addr___link fc_prefsrc;
	struct in6_addr___link fc_gateway;
	struct nl_info___link fc_nlinfo;
};

#pragma clang attribute pop

/* include/uapi/linux/rtnetlink.h */
#define LINK_RTM_NEWLINK 16
#define LINK_RTM_SETLINK 19
#define LINK_RTM_NEWADDR 20
#define LINK_RTM_DELADDR 21
#define LINK_RTM_NEWROUTE 24
#define LINK_RTM_DELROUTE 25
/* include/uapi/linux/if_addr.h */
#define LINK_IFA_DADFAILED 0x08

/* An address of 16 bytes, whose own fields have other names on other kernels. */
#define link_ipv6(to, from, field)                                                                           \
	bpf_probe_read_kernel((to)->bytes, 16, (void *)(from) + bpf_core_field_offset(typeof(*(from)), field))

static __always_inline __u32 link_gone_reason(struct net_device *dev)
{
	return fr_reg_state(dev) == LINK_REG_REGISTERED ? LINK_REASON_MOVED : LINK_REASON_DEVICE_GONE;
}

/* A notifier, so never inlined, and told of every address, secondary ones too (net/ipv4/devinet.c). */
FR_ENTRY(link_address4, fib_inetaddr_event, void *block, unsigned long what, struct in_ifaddr___link *ifa)
{
	struct net_device *dev = BPF_CORE_READ(ifa, ifa_dev, dev);
	struct rec_link_address_delete r = {};

	r.netns = link_netns(dev);
	r.ifindex = BPF_CORE_READ(dev, ifindex);
	if (!fr_device_wanted(r.netns, r.ifindex))
		return 0;
	r.prefix = BPF_CORE_READ(ifa, ifa_prefixlen);
	r.family = AF_INET;
	link_ipv4(&r.ip, BPF_CORE_READ(ifa, ifa_local));
	r.address_flags = BPF_CORE_READ(ifa, ifa_flags);
	if (what == LINK_NOTIFY_UP) {
		fr_write(link_address_add, &r, 0);
		return 0;
	}
	if (what != LINK_NOTIFY_DOWN)
		return 0;
	if (BPF_CORE_READ(ifa, ifa_dev, dead))
		r.reason = link_gone_reason(dev);
	else
		r.reason = link_is_kernel_thread() ? LINK_REASON_EXPIRED : LINK_REASON_REQUEST;
	fr_write(link_address_delete, &r, 0);
	return 0;
}

#define link_identify_address6(r, ifp)                                                                       \
	({                                                                                                   \
		struct net_device *dev_ = BPF_CORE_READ(ifp, idev, dev);                                     \
		(r)->netns = link_netns(dev_);                                                               \
		(r)->ifindex = BPF_CORE_READ(dev_, ifindex);                                                 \
		(r)->prefix = BPF_CORE_READ(ifp, prefix_len);                                                \
		(r)->family = AF_INET6;                                                                      \
		link_ipv6(&(r)->ip, ifp, addr);                                                              \
		fr_device_wanted((r)->netns, (r)->ifindex);                                                  \
	})

FR_EXIT(link_address6_add, ipv6_add_addr, struct inet6_dev___link *idev, void *config, _Bool can_block,
	void *extack, struct inet6_ifaddr___link *ifp)
{
	struct rec_link_address_add r = {};

	/* An error comes as the last page's address. */
	if ((unsigned long)ifp >= -4095ul || !link_identify_address6(&r, ifp))
		return 0;
	r.address_flags = BPF_CORE_READ(ifp, flags);
	fr_write(link_address_add, &r, 0);
	return 0;
}

/* The address whose own deletion is under way, by thread: what isn't here goes because IPv6 is stopped. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} link_deletions SEC(".maps");

FR_ENTRY(link_address6_delete_begin, ipv6_del_addr, struct inet6_ifaddr___link *ifp)
{
	__u64 thread = bpf_get_current_pid_tgid(), address = (__u64)ifp;

	bpf_map_update_elem(&link_deletions, &thread, &address, BPF_ANY);
	return 0;
}

static __always_inline __u32 link_reason6(struct inet6_ifaddr___link *ifp)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *deleted = bpf_map_lookup_elem(&link_deletions, &thread);
	struct inet6_dev___link *idev = BPF_CORE_READ(ifp, idev);
	int one = deleted && *deleted == (__u64)ifp;

	if (deleted)
		bpf_map_delete_elem(&link_deletions, &thread);
	if (!one && BPF_CORE_READ(idev, dead))
		return link_gone_reason(BPF_CORE_READ(idev, dev));
	/* Set before the addresses are taken away (addrconf_disable_ipv6). */
	if (!one && BPF_CORE_READ(idev, cnf.disable_ipv6))
		return LINK_REASON_SYSCTL;
	if (!one && !(BPF_CORE_READ(idev, dev, flags) & LINK_IFF_UP))
		return LINK_REASON_DOWN;
	if (BPF_CORE_READ(ifp, flags) & LINK_IFA_DADFAILED)
		return LINK_REASON_DUPLICATE;
	return link_is_kernel_thread() ? LINK_REASON_EXPIRED : LINK_REASON_REQUEST;
}

FR_ENTRY(link_address6_delete, __ipv6_ifa_notify, int what, struct inet6_ifaddr___link *ifp)
{
	struct rec_link_address_delete r = {};

	if (what != LINK_RTM_DELADDR || !link_identify_address6(&r, ifp))
		return 0;
	r.address_flags = BPF_CORE_READ(ifp, flags);
	r.reason = link_reason6(ifp);
	fr_write(link_address_delete, &r, r.reason == LINK_REASON_SYSCTL ? FR_URGENT : 0);
	return 0;
}

FR_ENTRY(link_dad_failure, addrconf_dad_failure, struct sk_buff *skb, struct inet6_ifaddr___link *ifp)
{
	struct rec_link_dad_failure r = {};

	if (!link_identify_address6(&r, ifp))
		return 0;
	/* The sender, behind the receiver in the Ethernet header. */
	bpf_probe_read_kernel(r.mac.bytes, 6, BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, mac_header) + 6);
	fr_write(link_dad_failure, &r, 0);
	return 0;
}

static __always_inline int link_route4(struct rec_link_route_add *r, struct net *net,
				       struct fib_config___link *config, int result)
{
	r->netns = BPF_CORE_READ(net, net_cookie);
	r->ifindex = BPF_CORE_READ(config, fc_oif);
	r->prefix = BPF_CORE_READ(config, fc_dst_len);
	r->family = AF_INET;
	link_ipv4(&r->destination, BPF_CORE_READ(config, fc_dst));
	if (BPF_CORE_READ(config, fc_gw_family) == AF_INET)
		link_ipv4(&r->gateway, BPF_CORE_READ(config, fc_gw4));
	link_ipv4(&r->source, BPF_CORE_READ(config, fc_prefsrc));
	r->table = BPF_CORE_READ(config, fc_table);
	r->result = result;
	return fr_device_wanted(r->netns, r->ifindex);
}

FR_EXIT(link_route4_add, fib_table_insert, struct net *net, void *table, struct fib_config___link *config,
	void *extack, int result)
{
	struct rec_link_route_add r = {};

	if (link_route4(&r, net, config, result))
		fr_write(link_route_add, &r, 0);
	return 0;
}

FR_EXIT(link_route4_delete, fib_table_delete, struct net *net, void *table, struct fib_config___link *config,
	void *extack, int result)
{
	struct rec_link_route_add r = {};

	if (link_route4(&r, net, config, result))
		fr_write(link_route_delete, &r, 0);
	return 0;
}

static __always_inline int link_route6(struct rec_link_route_add *r, struct fib6_config___link *config,
				       int result)
{
	r->netns = BPF_CORE_READ(config, fc_nlinfo.nl_net, net_cookie);
	r->ifindex = BPF_CORE_READ(config, fc_ifindex);
	r->prefix = BPF_CORE_READ(config, fc_dst_len);
	r->family = AF_INET6;
	link_ipv6(&r->destination, config, fc_dst);
	link_ipv6(&r->gateway, config, fc_gateway);
	link_ipv6(&r->source, config, fc_prefsrc);
	r->table = BPF_CORE_READ(config, fc_table);
	r->result = result;
	return fr_device_wanted(r->netns, r->ifindex);
}

FR_EXIT(link_route6_add, ip6_route_add, struct fib6_config___link *config, __u64 gfp, void *extack,
	int result)
{
	struct rec_link_route_add r = {};

	if (link_route6(&r, config, result))
		fr_write(link_route_add, &r, 0);
	return 0;
}

FR_EXIT(link_route6_delete, ip6_route_del, struct fib6_config___link *config, void *extack, int result)
{
	struct rec_link_route_add r = {};

	if (link_route6(&r, config, result))
		fr_write(link_route_delete, &r, 0);
	return 0;
}

/* Every answer to a netlink request; in the requester's own system call (net/netlink/af_netlink.c). */
FR_ENTRY(link_request, netlink_ack, struct sk_buff *skb, struct nlmsghdr *request, int result)
{
	FR_RECORDING;
	struct netlink_skb_parms *parms = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct rec_link_request_failed *r;
	__u32 portid, ifindex = 0;
	struct sock *sk;
	__u64 netns;
	__u16 type;

	if (!result)
		return 0;
	bpf_probe_read_kernel(&type, sizeof(type), &request->nlmsg_type);
	if (type < LINK_RTM_NEWLINK || type > LINK_RTM_DELROUTE)
		return 0;
	sk = BPF_CORE_READ(parms, sk);
	/* NETLINK_ROUTE is 0. */
	if (BPF_CORE_READ((struct sock___link *)sk, sk_protocol) != 0)
		return 0;
	netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	portid = BPF_CORE_READ(parms, portid);
	/* ifi_index and ifa_index are both the second word of what follows the header; a route's device isn't
	 * there. */
	if (type < LINK_RTM_NEWROUTE)
		bpf_probe_read_kernel(&ifindex, sizeof(ifindex), (void *)request + sizeof(*request) + 4);
	if (!fr_device_wanted(netns, ifindex))
		return 0;
	r = fr_begin(link_request_failed, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->ifindex = ifindex;
	r->result = result;
	r->portid = portid;
	r->request = type;
	fr_end(r);
	return 0;
}

#endif
