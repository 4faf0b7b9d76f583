/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The structures of drivers/net/vxlan, and how a device, its namespace and its addresses are read. */
#ifndef VXLAN_KERNEL_BPF_H
#define VXLAN_KERNEL_BPF_H

#include "neigh-message.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union vxlan_addr {
	unsigned short family; /* struct sockaddr_in or sockaddr_in6, read by neigh_read_ip */
};
struct vxlan_config {
	union vxlan_addr saddr;
	__be32 vni;
	__be16 dst_port;
	__u32 flags;
};
struct vxlan_dev {
	struct net_device *dev;
	struct net *net;
	struct vxlan_config cfg;
};
struct vxlan_rdst {
	union vxlan_addr remote_ip;
	__be16 remote_port;
	__be32 remote_vni;
};
struct vxlan_fdb {
	unsigned char eth_addr[6];
	__u16 state;
	__be32 vni;
	__u16 flags;
};
/* Since Linux 6.16: MAC and VNI are the key of a hash table. */
struct vxlan_fdb_key {
	unsigned char eth_addr[6];
	__be32 vni;
};
struct vxlan_fdb___keyed {
	struct vxlan_fdb_key key;
	__u16 state;
	__u16 flags;
};
/* The private part of a device follows it, since Linux 6.9 as a member. */
struct net_device___priv {
	unsigned char priv[0];
};

#pragma clang attribute pop

/* The VXLAN part of a device, or 0 if it can't be where it must be. */
static __always_inline struct vxlan_dev *vxlan_of(struct net_device *dev)
{
	__u32 size = bpf_core_type_size(struct net_device);
	struct vxlan_dev *vxlan;

	vxlan = (void *)dev + ((size + 31) & ~31); /* NETDEV_ALIGN */
	return BPF_CORE_READ(vxlan, dev) == dev ? vxlan : 0;
}

static __always_inline void vxlan_read_ip(fr_ip *ip, const void *address)
{
	__u16 family = 0;

	bpf_probe_read_kernel(&family, sizeof(family), address);
	if (family == AF_INET)
		neigh_read_ip(ip, AF_INET, address + 4); /* sin_addr */
	else if (family == AF_INET6)
		neigh_read_ip(ip, AF_INET6, address + 8); /* sin6_addr */
}

static __always_inline int vxlan_is_unspecified(const fr_ip *ip)
{
	const __u32 *words = (const __u32 *)ip->bytes;

	return !words[0] && !words[1] && !words[3];
}

#define vxlan_read_local(to, config)                                                                         \
	vxlan_read_ip(to, (void *)(config) + bpf_core_field_offset(struct vxlan_config, saddr))
#define vxlan_read_remote(to, rdst)                                                                          \
	vxlan_read_ip(to, (void *)(rdst) + bpf_core_field_offset(struct vxlan_rdst, remote_ip))
#define vxlan_config_of(vxlan) ((void *)(vxlan) + bpf_core_field_offset(struct vxlan_dev, cfg))

/* Which device: false if it isn't wanted. A macro, because the records share these names and not a struct. */
#define vxlan_identify(r, vxlan)                                                                             \
	({                                                                                                   \
		struct net_device *dev_ = BPF_CORE_READ(vxlan, dev);                                         \
		(r)->netns = BPF_CORE_READ(dev_, nd_net.net, net_cookie);                                    \
		(r)->ifindex = BPF_CORE_READ(dev_, ifindex);                                                 \
		(r)->vni = bpf_ntohl(BPF_CORE_READ(vxlan, cfg.vni));                                         \
		fr_device_wanted((r)->netns, (r)->ifindex);                                                  \
	})
#define vxlan_link_netns(vxlan) BPF_CORE_READ(vxlan, net, net_cookie)
#define vxlan_read_name(to, dev)                                                                             \
	bpf_probe_read_kernel((to)->text, 16, (void *)(dev) + bpf_core_field_offset(struct net_device, name))

#endif
