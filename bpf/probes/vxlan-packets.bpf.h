/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets that are sent, dropped for want of a remote, or not learned from. */
#ifndef VXLAN_PACKETS_BPF_H
#define VXLAN_PACKETS_BPF_H

#include "vxlan-flows.bpf.h"
#include "vxlan-state.bpf.h"

/* include/net/vxlan.h, and include/uapi/linux/if_ether.h as it lies in memory */
#define VXLAN_F_PROXY 0x10
#define ETH_P_ARP_BE 0x0608
#define ETH_P_IPV6_BE 0xdd86

FR_ENTRY(vxlan_snoop_begin, vxlan_snoop, struct net_device *dev)
{
	struct vxlan_here *here = vxlan_here();

	if (here)
		here->learning = 1;
	return 0;
}

FR_EXIT(vxlan_snoop_end, vxlan_snoop, struct net_device *dev, void *address, const unsigned char *mac,
	int ifindex, int dropped)
{
	struct vxlan_here *here = vxlan_here();
	struct vxlan_flow flow = {};
	struct vxlan_dev *vxlan;

	if (here)
		here->learning = 0;
	/* bool, or since Linux 6.12 a reason below 256. */
	if (!(dropped & 0xff))
		return 0;
	vxlan = vxlan_of(dev);
	if (!vxlan || !vxlan_identify(&flow, vxlan))
		return 0;
	flow.what = VXLAN_REFUSED;
	vxlan_read_ip(&flow.remote, address);
	bpf_probe_read_kernel(flow.mac.bytes, 6, mac);
	vxlan_count(&flow, 0);
	return 0;
}

FR_ENTRY(vxlan_xmit_begin, vxlan_xmit, struct sk_buff *skb, struct net_device *dev)
{
	struct vxlan_here *here = vxlan_here();
	struct vxlan_dev *vxlan;
	__u16 protocol;

	if (!here)
		return 0;
	here->sent = 0;
	protocol = BPF_CORE_READ(skb, protocol);
	here->answered = 0;
	if (protocol == ETH_P_ARP_BE || protocol == ETH_P_IPV6_BE) {
		vxlan = vxlan_of(dev);
		here->answered = !vxlan || BPF_CORE_READ(vxlan, cfg.flags) & VXLAN_F_PROXY;
	}
	bpf_probe_read_kernel(here->mac.bytes, 6, BPF_CORE_READ(skb, data)); /* h_dest */
	return 0;
}

FR_ENTRY(vxlan_xmit_one, vxlan_xmit_one, struct sk_buff *skb, struct net_device *dev, __be32 vni,
	 struct vxlan_rdst *remote)
{
	struct vxlan_here *here = vxlan_here();
	struct vxlan_dev *vxlan = vxlan_of(dev);
	struct vxlan_flow flow = {};
	__be32 remote_vni;

	if (here)
		here->sent = 1;
	/* Without a remote the packet itself says where to (external mode). */
	if (!vxlan || !remote || !vxlan_identify(&flow, vxlan))
		return 0;
	remote_vni = BPF_CORE_READ(remote, remote_vni);
	if (remote_vni || vni)
		flow.vni = bpf_ntohl(remote_vni ? remote_vni : vni);
	vxlan_read_remote(&flow.remote, remote);
	if (vxlan_is_unspecified(&flow.remote)) {
		flow.what = VXLAN_NO_REMOTE;
		if (here)
			flow.mac = here->mac;
		vxlan_count(&flow, 0);
		return 0;
	}
	flow.what = VXLAN_SENT;
	flow.link_netns = vxlan_link_netns(vxlan);
	vxlan_read_local(&flow.local, vxlan_config_of(vxlan));
	vxlan_count(&flow, BPF_CORE_READ(skb, len));
	return 0;
}

FR_EXIT(vxlan_xmit_end, vxlan_xmit, struct sk_buff *skb, struct net_device *dev, int result)
{
	struct vxlan_here *here = vxlan_here();
	struct vxlan_flow flow = {};
	struct vxlan_dev *vxlan;
	__u8 sent;

	if (!here)
		return 0;
	sent = here->sent;
	/* Of a tunnel in a tunnel this is the inner one: the outer one did send. */
	here->sent = 1;
	if (sent || here->answered)
		return 0;
	vxlan = vxlan_of(dev);
	if (!vxlan || !vxlan_identify(&flow, vxlan))
		return 0;
	flow.what = VXLAN_NO_REMOTE;
	flow.mac = here->mac;
	vxlan_count(&flow, 0);
	return 0;
}

#endif
