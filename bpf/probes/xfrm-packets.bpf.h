/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets by state, by drop and by VXLAN destination, added up in maps so that no event is written for each.
 */
#ifndef FR_XFRM_PACKETS_BPF_H
#define FR_XFRM_PACKETS_BPF_H

#include "xfrm-read.bpf.h"

#define XFRM_TELL_NS 1000000000ull
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define IPPROTO_UDP 17
#define IP_OFFSET 0x1fff /* of a fragment */

/* The UDP ports that carry VXLAN: IANA's, and Linux's own older default. A knob; 0 is no port. */
const volatile __u16 xfrm_vxlan_ports[4] = {4789, 8472};

struct xfrm_tally {
	__u64 told;
	__u64 packets;
	__u64 bytes;
	__u64 curlft_bytes; /* of the state when last looked at */
	__u32 version;	    /* SPI of the state, or generation of the destination: another one begins anew */
	__u32 direction;
};

/* States, by their address in the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct xfrm_tally);
} xfrm_flows SEC(".maps");

struct xfrm_flow_vni {
	__u64 state;
	__u32 spi;
	__u32 vni;
};
/* The VNIs that each state was seen to encrypt. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct xfrm_flow_vni);
	__type(value, __u8);
} xfrm_flow_vnis SEC(".maps");

struct xfrm_drop_key {
	__u64 netns;
	fr_ip daddr;
	__u32 spi;
	__u32 reason;
	__s32 result;
	__u32 mark;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct xfrm_drop_key);
	__type(value, struct xfrm_tally);
} xfrm_drops SEC(".maps");

struct xfrm_wire_key {
	__u64 netns;
	__u32 ifindex;
	__u32 vni;
	fr_ip src;
	fr_ip dst;
	__u32 mark;
	__u32 dport;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct xfrm_wire_key);
	__type(value, struct xfrm_tally);
} xfrm_wires SEC(".maps");

/* How many states and policies have ended: per destination, and of those that are for no single one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, fr_ip);
	__type(value, __u32);
} xfrm_endings SEC(".maps");
__u32 xfrm_all_endings;

static __always_inline void xfrm_ended(const fr_ip *daddr, int one_destination)
{
	__u32 one = 1, *count = one_destination ? bpf_map_lookup_elem(&xfrm_endings, daddr) : 0;

	if (count)
		__sync_fetch_and_add(count, 1);
	else if (one_destination)
		bpf_map_update_elem(&xfrm_endings, daddr, &one, BPF_ANY);
	if (!one_destination || !xfrm_all_endings)
		__sync_fetch_and_add(&xfrm_all_endings, 1);
}

/* Of the CPUs that find the second over, one tells. */
static __always_inline int xfrm_due(struct xfrm_tally *tally)
{
	__u64 told = tally->told, now = bpf_ktime_get_ns();

	return now - told >= XFRM_TELL_NS && __sync_val_compare_and_swap(&tally->told, told, now) == told;
}

/* The tally of a key, begun anew if it belongs to an earlier version. */
static __always_inline struct xfrm_tally *xfrm_tally_of(void *map, const void *key, __u32 version)
{
	struct xfrm_tally *tally = bpf_map_lookup_elem(map, key);

	if (tally && tally->version == version)
		return tally;
	struct xfrm_tally fresh = {.version = version};

	if (tally)
		fresh.packets = tally->packets;
	bpf_map_update_elem(map, key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(map, key);
}

struct xfrm_vxlan {
	fr_ip src;
	fr_ip dst;
	__u32 vni;
	__u16 dport;
	__u8 family;
};

/* Whether the packet whose IP header is here is UDP to a VXLAN port (RFC 7348), and its addresses and VNI. */
static __always_inline int xfrm_read_vxlan(struct xfrm_vxlan *v, const unsigned char *ip)
{
	struct {
		__be16 sport, dport, len, check;
		__u8 flags, reserved[3];
		__be32 vni;
	} udp;
	struct {
		__u8 version_ihl, tos;
		__be16 len, id, frag;
		__u8 ttl, protocol;
		__be16 check;
	} ip4;
	__u8 next = 0;

	if (bpf_probe_read_kernel(&ip4, sizeof(ip4), ip))
		return 0;
	if (ip4.version_ihl >> 4 == 4) {
		if (ip4.protocol != IPPROTO_UDP || ip4.frag & bpf_htons(IP_OFFSET))
			return 0;
		v->family = AF_INET;
		if (bpf_probe_read_kernel(&udp, sizeof(udp), ip + (ip4.version_ihl & 15) * 4))
			return 0;
	} else {
		if (ip4.version_ihl >> 4 != 6)
			return 0;
		bpf_probe_read_kernel(&next, 1, ip + 6);
		if (next != IPPROTO_UDP || bpf_probe_read_kernel(&udp, sizeof(udp), ip + 40))
			return 0;
		v->family = AF_INET6;
	}
	v->dport = bpf_ntohs(udp.dport);
	if (!v->dport || !(udp.flags & 8))
		return 0;
	if (v->dport != xfrm_vxlan_ports[0] && v->dport != xfrm_vxlan_ports[1] &&
	    v->dport != xfrm_vxlan_ports[2] && v->dport != xfrm_vxlan_ports[3])
		return 0;
	v->vni = bpf_ntohl(udp.vni) >> 8;
	xfrm_read_ip(&v->src, v->family, ip + (v->family == AF_INET ? 12 : 8));
	xfrm_read_ip(&v->dst, v->family, ip + (v->family == AF_INET ? 16 : 24));
	return 1;
}

static __always_inline const unsigned char *xfrm_ip_header(struct sk_buff *skb)
{
	return BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
}

static __always_inline void xfrm_tell_traffic(struct xfrm_state *x, struct xfrm_tally *tally, __u32 direction,
					      const struct xfrm_vxlan *inner)
{
	struct rec_xfrm_traffic r = {};

	r.netns = BPF_CORE_READ(x, xs_net.net, net_cookie);
	if (!xfrm_wanted(r.netns))
		return;
	r.family = BPF_CORE_READ(x, props.family);
	xfrm_read_ip(&r.daddr, r.family, &x->id.daddr);
	xfrm_read_ip(&r.saddr, r.family, &x->props.saddr);
	r.spi = bpf_ntohl(BPF_CORE_READ(x, id.spi));
	r.proto = BPF_CORE_READ(x, id.proto);
	r.mark = BPF_CORE_READ(x, mark.v);
	r.reqid = BPF_CORE_READ(x, props.reqid);
	r.direction = direction;
	if (inner) {
		r.has_vni = 1;
		r.vni = inner->vni;
	}
	r.packets = __sync_lock_test_and_set(&tally->packets, 0);
	r.bytes = __sync_lock_test_and_set(&tally->bytes, 0);
	fr_write(xfrm_traffic, &r, 0);
}

/* What the kernel has counted since the last look: of an incoming packet the length is known only afterwards.
 */
static __always_inline void xfrm_add_received(struct xfrm_state *x, struct xfrm_tally *tally)
{
	__u64 bytes = BPF_CORE_READ(x, curlft.bytes);

	__sync_fetch_and_add(&tally->bytes, bytes - tally->curlft_bytes);
	tally->curlft_bytes = bytes;
}

/* A state ends: what was not told yet. */
static __always_inline void xfrm_tell_rest(struct xfrm_state *x)
{
	__u64 key = (__u64)x;
	struct xfrm_tally *tally = bpf_map_lookup_elem(&xfrm_flows, &key);

	if (!tally)
		return;
	if (tally->version == BPF_CORE_READ(x, id.spi)) {
		if (tally->direction == 0)
			xfrm_add_received(x, tally);
		if (tally->packets || tally->bytes)
			xfrm_tell_traffic(x, tally, tally->direction, 0);
	}
	bpf_map_delete_elem(&xfrm_flows, &key);
}

struct xfrm_drop_facts {
	fr_ip saddr;
	__u8 family;
	__u8 proto;
};

static __always_inline void xfrm_count_drop(const struct xfrm_drop_key *key,
					    const struct xfrm_drop_facts *facts)
{
	struct xfrm_tally *tally = xfrm_tally_of(&xfrm_drops, key, 0);
	struct rec_xfrm_drop r = {};

	if (!tally)
		return;
	__sync_fetch_and_add(&tally->packets, 1);
	if (!xfrm_due(tally))
		return;
	r.netns = key->netns;
	r.daddr = key->daddr;
	r.saddr = facts->saddr;
	r.spi = key->spi;
	r.mark = key->mark;
	r.reason = key->reason;
	r.result = key->result;
	r.family = facts->family;
	r.proto = facts->proto;
	r.packets = __sync_lock_test_and_set(&tally->packets, 0);
	fr_write(xfrm_drop, &r, 0);
}

/* A packet that is refused, by its own headers. */
static __always_inline void xfrm_drop_skb(struct net *net, struct sk_buff *skb, __u32 reason, __be32 spi)
{
	const unsigned char *ip = xfrm_ip_header(skb);
	struct xfrm_drop_key key = {.reason = reason, .spi = bpf_ntohl(spi)};
	struct xfrm_drop_facts facts = {};
	__u8 version = 0;

	key.netns = BPF_CORE_READ(net, net_cookie);
	if (!xfrm_wanted(key.netns))
		return;
	key.mark = BPF_CORE_READ(skb, mark);
	bpf_probe_read_kernel(&version, 1, ip);
	facts.family = version >> 4 == 6 ? AF_INET6 : AF_INET;
	xfrm_read_ip(&facts.saddr, facts.family, ip + (facts.family == AF_INET ? 12 : 8));
	xfrm_read_ip(&key.daddr, facts.family, ip + (facts.family == AF_INET ? 16 : 24));
	bpf_probe_read_kernel(&facts.proto, 1, ip + (facts.family == AF_INET ? 9 : 6));
	xfrm_count_drop(&key, &facts);
}

#endif
