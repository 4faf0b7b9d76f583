/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses announced by ARP and neighbour discovery, by others and by this machine's kernel. */
#ifndef NEIGH_ANNOUNCE_BPF_H
#define NEIGH_ANNOUNCE_BPF_H

#include "neigh-message.bpf.h"
#include "neigh-records.bpf.h"

enum { NEIGH_ARP_REQUEST = 1, NEIGH_ARP_REPLY = 2, NEIGH_ADVERTISEMENT = 136 };

/* Which device, and so whether it is wanted. */
#define neigh_identify_device(r, skb)                                                                        \
	({                                                                                                   \
		struct net_device *dev_ = BPF_CORE_READ(skb, dev);                                           \
		(r)->netns = BPF_CORE_READ(dev_, nd_net.net, net_cookie);                                    \
		(r)->ifindex = BPF_CORE_READ(dev_, ifindex);                                                 \
		fr_device_wanted((r)->netns, (r)->ifindex);                                                  \
	})

/* struct arphdr and the addresses behind it, of Ethernet: 1 if it is about its sender's own address. */
static __always_inline int neigh_read_arp(struct rec_neigh_announce_send *r, struct sk_buff *skb)
{
	struct {
		__be16 hardware, protocol;
		__u8 hardware_len, protocol_len;
		__be16 operation;
		__u8 source_mac[6], source_ip[4], target_mac[6], target_ip[4];
	} arp;
	const void *at = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);

	bpf_probe_read_kernel(&arp, sizeof(arp), at);
	if (arp.hardware_len != 6 || arp.protocol_len != 4 ||
	    __builtin_memcmp(arp.source_ip, arp.target_ip, 4) != 0)
		return 0;
	r->family = AF_INET;
	r->message = bpf_ntohs(arp.operation);
	r->ip.bytes[10] = 0xff;
	r->ip.bytes[11] = 0xff;
	__builtin_memcpy(&r->ip.bytes[12], arp.source_ip, 4);
	__builtin_memcpy(r->mac.bytes, arp.source_mac, 6);
	return 1;
}

/* An ICMPv6 neighbour advertisement that answers no solicitation (RFC 4861, 4.4), of Ethernet. */
static __always_inline int neigh_read_advertisement(struct rec_neigh_announce_send *r, struct sk_buff *skb)
{
	struct {
		__u8 type, code;
		__be16 checksum;
		__u8 flags, reserved[3];
		__u8 target[16];
		__u8 option, option_len, mac[6];
	} advertisement;
	const void *at = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header);

	bpf_probe_read_kernel(&advertisement, sizeof(advertisement), at);
	/* Without the option that carries its MAC it announces nothing. */
	if (advertisement.type != NEIGH_ADVERTISEMENT || advertisement.flags & 0x40 ||
	    advertisement.option != 2 || advertisement.option_len != 1)
		return 0;
	r->family = AF_INET6;
	r->message = NEIGH_ADVERTISEMENT;
	__builtin_memcpy(r->ip.bytes, advertisement.target, 16);
	__builtin_memcpy(r->mac.bytes, advertisement.mac, 6);
	return 1;
}

static __always_inline int neigh_announced(struct rec_neigh_announce_send *sent)
{
	struct rec_neigh_announce_receive r;

	_Static_assert(sizeof(r) == sizeof(*sent), "announcements are told in the same words both ways");
	__builtin_memcpy(&r, sent, sizeof(r));
	fr_write(neigh_announce_receive, &r, 0);
	return 0;
}

FR_ENTRY(neigh_arp_receive, arp_process, struct net *net, void *sk, struct sk_buff *skb)
{
	struct rec_neigh_announce_send r = {};

	return neigh_identify_device(&r, skb) && neigh_read_arp(&r, skb) ? neigh_announced(&r) : 0;
}

FR_ENTRY(neigh_arp_send, arp_xmit, struct sk_buff *skb)
{
	struct rec_neigh_announce_send r = {};

	if (neigh_identify_device(&r, skb) && neigh_read_arp(&r, skb))
		fr_write(neigh_announce_send, &r, 0);
	return 0;
}

FR_ENTRY(neigh_na_receive, ndisc_recv_na, struct sk_buff *skb)
{
	struct rec_neigh_announce_send r = {};

	return neigh_identify_device(&r, skb) && neigh_read_advertisement(&r, skb) ? neigh_announced(&r) : 0;
}

FR_ENTRY(neigh_na_send, ndisc_send_skb, struct sk_buff *skb)
{
	struct rec_neigh_announce_send r = {};

	if (neigh_identify_device(&r, skb) && neigh_read_advertisement(&r, skb))
		fr_write(neigh_announce_send, &r, 0);
	return 0;
}

#endif
