/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's structures that the link path reads, and how it finds a veth's other end and a bridge port's
 * state. */
#ifndef LINK_KERNEL_BPF_H
#define LINK_KERNEL_BPF_H

#include "link-records.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Further fields of structures of kernel.bpf.h: libbpf looks up the name before the three underscores. */
struct net_device___link {
	unsigned long state;
	/* Of one byte on older kernels, or a bit-field: read by BPF_CORE_READ_BITFIELD_PROBED. */
	unsigned int operstate;
	unsigned int priv_flags;
	void *rx_handler_data;
};
struct sock___link {
	__u16 sk_protocol;
};
struct sk_buff___link {
	int skb_iif;
};
struct task_struct___link {
	unsigned int flags;
};
struct netdev_notifier_info___link {
	struct net_device *dev;
};
struct netdev_notifier_changeupper_info___link {
	struct netdev_notifier_info___link info;
	struct net_device *upper_dev;
	_Bool master;
	_Bool linking;
};
struct veth_priv___link {
	struct net_device *peer;
};
struct net_bridge___link {
	struct net_device *dev;
};
struct net_bridge_port___link {
	struct net_bridge___link *br;
	struct net_device *dev;
	__u8 state;
};

#pragma clang attribute pop

/* Only their names count: the numbers are the running kernel's. */
enum netdev_cmd___link {
	NETDEV_CHANGEUPPER___link = 21,
	NETDEV_PRE_CHANGEADDR___link = 9,
};
enum netdev_priv_flags___link {
	IFF_BRIDGE_PORT___link = 1 << 9,
};

/* include/linux/netdevice.h: these have had their numbers since they were made. */
#define LINK_NOTIFY_UP 1
#define LINK_NOTIFY_DOWN 2
#define LINK_NOTIFY_CHANGE 4
#define LINK_NOTIFY_UNREGISTER 6
#define LINK_NOTIFY_CHANGEADDR 8
#define LINK_REG_REGISTERED 1
#define LINK_IFF_UP 1
#define LINK_NOCARRIER (1ul << 2)
/* NETDEV_ALIGN: a driver's own part of a device lies behind it, so aligned. */
#define LINK_PRIV_ALIGN 32
/* include/linux/sched.h */
#define LINK_PF_KTHREAD 0x00200000

#define link_netns(dev) BPF_CORE_READ(dev, nd_net.net, net_cookie)
#define link_read_name(to, dev) BPF_CORE_READ_STR_INTO(to, dev, name)

static __always_inline void link_read_mac(fr_mac *to, struct net_device *dev)
{
	bpf_probe_read_kernel(to->bytes, 6, BPF_CORE_READ(dev, dev_addr));
}

static __always_inline void link_read_kind(fr_name *to, struct net_device *dev)
{
	const char *kind = BPF_CORE_READ(dev, rtnl_link_ops, kind);

	if (kind)
		bpf_probe_read_kernel_str(to->text, sizeof(to->text), kind);
}

static __always_inline int link_is_kernel_thread(void)
{
	struct task_struct___link *task = (void *)bpf_get_current_task();

	return (BPF_CORE_READ(task, flags) & LINK_PF_KTHREAD) != 0;
}

static __always_inline void link_ipv4(fr_ip *ip, __be32 address)
{
	if (!address)
		return;
	ip->bytes[10] = 0xff;
	ip->bytes[11] = 0xff;
	__builtin_memcpy(&ip->bytes[12], &address, 4);
}

static __always_inline struct net_device *link_peer(struct net_device *dev)
{
	__u32 size = bpf_core_type_size(struct net_device), at = 0;
	struct net_device *peer = 0;
	fr_name kind = {};

	link_read_kind(&kind, dev);
	if (*(__u32 *)kind.text != *(__u32 *)"veth" || kind.text[4])
		return 0;
	/* First in veth_priv on every kernel; asked of those that have veth's types at hand. */
	if (bpf_core_field_exists(((struct veth_priv___link *)0)->peer))
		at = bpf_core_field_offset(((struct veth_priv___link *)0)->peer);
	size = (size + LINK_PRIV_ALIGN - 1) & ~(LINK_PRIV_ALIGN - 1);
	bpf_probe_read_kernel(&peer, sizeof(peer), (void *)dev + size + at);
	return peer;
}

/* The state of the port that a device is, and the bridge it belongs to. */
static __always_inline __u8 link_port_state(struct net_device *dev, fr_ifindex *bridge)
{
	struct net_device___link *d = (void *)dev;
	struct net_bridge_port___link *port;

	if (!(BPF_CORE_READ_BITFIELD_PROBED(d, priv_flags) &
	      bpf_core_enum_value(enum netdev_priv_flags___link, IFF_BRIDGE_PORT___link)))
		return LINK_NO_PORT;
	if (!bpf_core_type_exists(struct net_bridge_port___link))
		return LINK_PORT_UNKNOWN;
	port = BPF_CORE_READ(d, rx_handler_data);
	*bridge = BPF_CORE_READ(port, br, dev, ifindex);
	return BPF_CORE_READ(port, state);
}

#define link_carrier(dev) (!(BPF_CORE_READ((struct net_device___link *)(dev), state) & LINK_NOCARRIER))

/* What a probe of a function's entry leaves for the one of its end, by device and matter. */
struct link_before {
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
	fr_mac mac;
	fr_u16 pad;
};
struct link_matter {
	__u64 device;
	__u64 matter;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct link_matter);
	__type(value, struct link_before);
} link_befores SEC(".maps");

#define LINK_RENAMED 1
#define LINK_MOVED 2
#define LINK_ADDRESSED 3

static __always_inline void link_remember(struct net_device *dev, __u64 matter)
{
	struct link_matter key = {(__u64)dev, matter};
	struct link_before before = {};

	before.netns = link_netns(dev);
	before.ifindex = BPF_CORE_READ(dev, ifindex);
	before.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&before.name, dev);
	link_read_mac(&before.mac, dev);
	bpf_map_update_elem(&link_befores, &key, &before, BPF_ANY);
}

#endif
