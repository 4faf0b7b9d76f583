/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets counted by device, VNI and remote, or MAC: the first is told at once, then at most one event a
 * second. */
#ifndef VXLAN_FLOWS_BPF_H
#define VXLAN_FLOWS_BPF_H

#include "vxlan-kernel.bpf.h"
#include "vxlan-records.bpf.h"

/* Told at once, and then no oftener than this. */
#define VXLAN_TELL_NS 1000000000ull

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
