/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The structures of drivers/net/vxlan, and what is kept between events: whose request is served, and packets
 * counted. */
#ifndef FR_VXLAN_STATE_BPF_H
#define FR_VXLAN_STATE_BPF_H

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

/* include/net/vxlan.h, and include/uapi/linux/if_ether.h as it lies in memory */
#define VXLAN_F_PROXY 0x10
#define ETH_P_ARP_BE 0x0608
#define ETH_P_IPV6_BE 0xdd86

/* Told at once, and then no oftener than this. */
#define VXLAN_TELL_NS 1000000000ull

/* By thread: the request for a forwarding entry that it serves. */
struct vxlan_asked {
	struct net_device *dev; /* the VXLAN device, if the request got there */
	__u32 portid;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct vxlan_asked);
} vxlan_requests SEC(".maps");

/* By thread: where a device was that is being moved. */
struct vxlan_moving {
	__u64 netns;
	__u32 ifindex;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct vxlan_moving);
} vxlan_moves SEC(".maps");

/* Of the packet that a CPU sends or learns from; softirqs stay on their CPU. */
struct vxlan_here {
	fr_mac mac;
	__u8 learning;
	__u8 sent;
	__u8 answered; /* by the device itself, perhaps: ARP and neighbour solicitations */
	__u8 pad[7];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vxlan_here);
} vxlan_cpu SEC(".maps");

enum { VXLAN_SENT = 1, VXLAN_NO_REMOTE = 2, VXLAN_REFUSED = 3 };

/* What is counted together: packets of a device to a remote, or with a MAC. */
struct vxlan_flow {
	__u64 netns;
	__u64 link_netns;
	fr_ip local;
	fr_ip remote;
	__u32 ifindex;
	__u32 vni;
	fr_mac mac;
	__u16 what;
};
struct vxlan_counted {
	__u64 told;
	__u64 packets;
	__u64 bytes;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct vxlan_flow);
	__type(value, struct vxlan_counted);
} vxlan_flows SEC(".maps");

static __always_inline struct vxlan_here *vxlan_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&vxlan_cpu, &zero);
}

static __always_inline __u32 vxlan_thread(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

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

/* Writes what was counted of a flow. */
static __always_inline void vxlan_tell(const struct vxlan_flow *flow, __u64 packets, __u64 bytes)
{
	if (flow->what == VXLAN_SENT) {
		struct rec_vxlan_packets r = {
		    .netns = flow->netns,
		    .ifindex = flow->ifindex,
		    .vni = flow->vni,
		    .link_netns = flow->link_netns,
		    .local = flow->local,
		    .remote = flow->remote,
		    .packets = packets,
		    .bytes = bytes,
		};

		fr_write(vxlan_packets, &r, 0);
	} else if (flow->what == VXLAN_NO_REMOTE) {
		struct rec_vxlan_no_remote r = {
		    .netns = flow->netns,
		    .ifindex = flow->ifindex,
		    .vni = flow->vni,
		    .mac = flow->mac,
		    .packets = packets,
		};

		fr_write(vxlan_no_remote, &r, 0);
	} else {
		struct rec_vxlan_learn_refused r = {
		    .netns = flow->netns,
		    .ifindex = flow->ifindex,
		    .vni = flow->vni,
		    .remote = flow->remote,
		    .mac = flow->mac,
		    .packets = packets,
		};

		fr_write(vxlan_learn_refused, &r, 0);
	}
}

/* Counts one packet; tells of the first at once. */
static __always_inline void vxlan_count(const struct vxlan_flow *flow, __u64 bytes)
{
	struct vxlan_counted *counted = bpf_map_lookup_elem(&vxlan_flows, flow);
	__u64 now = bpf_ktime_get_ns();
	__u64 packets = 1, told;

	if (!counted) {
		struct vxlan_counted first = {.told = now};

		bpf_map_update_elem(&vxlan_flows, flow, &first, BPF_ANY);
	} else {
		told = counted->told;
		if (now - told < VXLAN_TELL_NS ||
		    __sync_val_compare_and_swap(&counted->told, told, now) != told) {
			__sync_fetch_and_add(&counted->packets, 1);
			__sync_fetch_and_add(&counted->bytes, bytes);
			return;
		}
		packets += __sync_lock_test_and_set(&counted->packets, 0);
		bytes += __sync_lock_test_and_set(&counted->bytes, 0);
	}
	vxlan_tell(flow, packets, bytes);
}

/* The device of which the rest is told. */
struct vxlan_gone {
	__u64 netns;
	__u32 ifindex;
};

static long vxlan_tell_rest(void *map, struct vxlan_flow *flow, struct vxlan_counted *counted,
			    struct vxlan_gone *gone)
{
	struct vxlan_flow copy;
	__u64 packets, bytes;

	if (flow->netns != gone->netns || flow->ifindex != gone->ifindex)
		return 0;
	copy = *flow;
	packets = counted->packets;
	bytes = counted->bytes;
	bpf_map_delete_elem(&vxlan_flows, &copy);
	if (packets)
		vxlan_tell(&copy, packets, bytes);
	return 0;
}

#endif
