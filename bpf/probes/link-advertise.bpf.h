/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What devices tell their neighbours: gratuitous ARP and unsolicited neighbour advertisements. Container
 * engines and VRRP daemons send them through packet sockets, past the kernel's own ARP and ND, so they are
 * looked for where every packet passes on its way out. Of all other packets this reads the protocol, and of
 * IPv6 the next header, and nothing is written. A packet that came in by another device and is only forwarded
 * is none of the device's own.
 */
#ifndef LINK_ADVERTISE_BPF_H
#define LINK_ADVERTISE_BPF_H

#include "link-kernel.bpf.h"

#define LINK_ETH_P_ARP 0x0806
#define LINK_ETH_P_IPV6 0x86dd
#define LINK_ARPHRD_ETHER 1
#define LINK_ICMPV6 58
#define LINK_NEIGHBOUR_ADVERTISEMENT 136
#define LINK_TARGET_MAC 2
/* include/uapi/linux/if_bridge.h: BR_STATE_*. */
#define LINK_FORWARDING 3
#define LINK_BLOCKING 4

/* RFC 826, for IPv4 over Ethernet. */
struct link_arp {
	__be16 hardware, protocol;
	__u8 hardware_length, protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender_ip[4];
	__u8 target_mac[6];
	__u8 target_ip[4];
};

/* RFC 4861, 4.4, with the option that tells a MAC. */
struct link_advertisement {
	__u8 type, code;
	__be16 checksum;
	__u8 flags; /* R, S, O */
	__u8 reserved[3];
	__u8 target[16];
	__u8 option, option_length;
	__u8 mac[6];
};
#define LINK_SOLICITED 0x40

static __always_inline int link_is_gratuitous(struct rec_link_advertise *r, const void *network)
{
	struct link_arp arp = {};
	__u32 sender, target;

	bpf_probe_read_kernel(&arp, sizeof(arp), network);
	__builtin_memcpy(&sender, arp.sender_ip, 4);
	__builtin_memcpy(&target, arp.target_ip, 4);
	if (!sender || sender != target)
		return 0;
	r->family = AF_INET;
	link_ipv4(&r->ip, sender);
	__builtin_memcpy(r->mac.bytes, arp.sender_mac, 6);
	return 1;
}

static __always_inline int link_is_unsolicited(struct rec_link_advertise *r, const void *network)
{
	struct link_advertisement na = {};
	__u8 next;

	bpf_probe_read_kernel(&next, 1, network + 6);
	if (next != LINK_ICMPV6)
		return 0;
	bpf_probe_read_kernel(&na, sizeof(na), network + 40);
	if (na.type != LINK_NEIGHBOUR_ADVERTISEMENT || na.flags & LINK_SOLICITED ||
	    na.option != LINK_TARGET_MAC)
		return 0;
	r->family = AF_INET6;
	__builtin_memcpy(r->ip.bytes, na.target, 16);
	__builtin_memcpy(r->mac.bytes, na.mac, 6);
	return 1;
}

static __always_inline int link_macs_differ(const fr_mac *a, const fr_mac *b)
{
	__u8 differ = 0;

#pragma unroll
	for (int i = 0; i < 6; i++)
		differ |= a->bytes[i] ^ b->bytes[i];
	return differ != 0;
}

/* Before the queue, which throws away what comes while there is no carrier. */
FR_RAW(link_advertise, net_dev_queue, struct sk_buff *skb)
{
	__u16 protocol = __builtin_bswap16(BPF_CORE_READ(skb, protocol));
	struct rec_link_advertise r = {};
	struct net_device *dev, *peer;
	const void *network;
	int suspicious;

	if (protocol != LINK_ETH_P_ARP && protocol != LINK_ETH_P_IPV6)
		return 0;
	network = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	if (protocol == LINK_ETH_P_ARP ? !link_is_gratuitous(&r, network) : !link_is_unsolicited(&r, network))
		return 0;
	dev = BPF_CORE_READ(skb, dev);
	if (BPF_CORE_READ(dev, type) != LINK_ARPHRD_ETHER ||
	    BPF_CORE_READ((struct sk_buff___link *)skb, skb_iif))
		return 0;
	r.netns = link_netns(dev);
	r.ifindex = BPF_CORE_READ(dev, ifindex);
	if (!fr_device_wanted(r.netns, r.ifindex))
		return 0;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_mac(&r.device_mac, dev);
	r.operstate = BPF_CORE_READ_BITFIELD_PROBED((struct net_device___link *)dev, operstate);
	r.carrier = link_carrier(dev);
	link_read_name(&r.name, dev);
	peer = link_peer(dev);
	if (peer) {
		r.peer_netns = link_netns(peer);
		r.peer_ifindex = BPF_CORE_READ(peer, ifindex);
		link_read_name(&r.peer_name, peer);
	}
	r.port_state = link_port_state(peer ?: dev, &r.bridge);
	suspicious = !r.carrier || r.port_state < LINK_FORWARDING || r.port_state == LINK_BLOCKING ||
		     link_macs_differ(&r.mac, &r.device_mac);
	fr_write(link_advertise, &r, suspicious ? FR_URGENT : 0);
	return 0;
}

#endif
