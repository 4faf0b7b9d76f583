/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is kept between events: whose request a thread serves, and how far a CPU is with its packet. */
#ifndef VXLAN_STATE_BPF_H
#define VXLAN_STATE_BPF_H

#include "recorder.bpf.h"

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

static __always_inline struct vxlan_here *vxlan_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&vxlan_cpu, &zero);
}

static __always_inline __u32 vxlan_thread(void)
{
	return (__u32)bpf_get_current_pid_tgid();
}

#endif
