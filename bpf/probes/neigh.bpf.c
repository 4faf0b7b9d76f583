/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Neighbour entries (net/core/neighbour.c): their changes by tracepoints alone, which needs neither fentry
 * nor kprobes; the requests behind them, and addresses announced by ARP and neighbour discovery, by
 * functions. */
#include "neigh-message.bpf.h"

/* NUD_VALID of include/net/neighbour.h: the entry has a MAC. */
#define NEIGH_VALID 0xde

/* Of the dump at the start: an entry there was. */
RECORD(neigh_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_u16 pad0;
	fr_ip ip;
	fr_mac mac;
	fr_u16 pad1;
};

/* An entry was made for an address, not resolved yet. */
RECORD(neigh_create)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_u16 pad0;
	fr_ip ip;
};

/* An entry is about to change: who asked, from what, to what. */
RECORD(neigh_update)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_nud new_nud;
	fr_u8 has_new_mac;
	fr_ip ip;
	fr_mac mac;
	fr_mac new_mac;
	fr_bits update_flags;
	fr_portid portid;
	fr_u32 pad0;
};

/* The change was made, or refused. */
RECORD(neigh_update_done)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_u16 pad0;
	fr_ip ip;
	fr_mac mac;
	fr_u16 pad1;
	fr_errno result;
	fr_u32 pad2;
};

/* The entry's timer ran; `nud` is the state after it. */
RECORD(neigh_timer)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_u16 pad0;
	fr_ip ip;
	fr_errno result;
	fr_u32 pad1;
};

/* The entry is gone from the table. */
RECORD(neigh_release)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_u16 pad0;
	fr_ip ip;
	fr_mac mac;
	fr_u16 pad1;
};

/* An entry was asked for, or its deletion, with this result: also what the kernel refused. */
RECORD(neigh_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_u8 operation;
	fr_u8 has_new_mac;
	fr_u8 pad0;
	fr_ip ip;
	fr_mac new_mac;
	fr_u16 pad1;
	fr_bits new_state; /* NUD_* asked for, 0 in a deletion */
	fr_bits nlmsg_flags;
	fr_bits entry_flags; /* NTF_* */
	fr_portid portid;
	fr_errno result;
	fr_u32 pad2;
};

/* Somebody told everybody that an address has a MAC: gratuitous ARP (RFC 5944, 4.6), or an unsolicited
 * neighbour advertisement (RFC 4861, 7.2.6). */
RECORD(neigh_announce_receive)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_u8 message;
	fr_u16 pad0;
	fr_ip ip;
	fr_mac mac;
	fr_u16 pad1;
};

/* The same, by this machine's kernel. */
RECORD(neigh_announce_send)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_u8 message;
	fr_u16 pad0;
	fr_ip ip;
	fr_mac mac;
	fr_u16 pad1;
};

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
