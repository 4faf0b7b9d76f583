/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Neighbour entries (net/core/neighbour.c), by tracepoints alone: needs neither fentry nor kprobes. */
#include "recorder.bpf.h"

/* NUD_VALID of include/net/neighbour.h: the entry has a MAC. */
#define NEIGH_VALID 0xde

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

/* An entry that was there before the recorder; written by user space. */
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

static __always_inline void neigh_read_ip(fr_ip *ip, __u8 family, const void *key)
{
	if (family == AF_INET6) {
		bpf_probe_read_kernel(ip->bytes, 16, key);
		return;
	}
	ip->bytes[10] = 0xff;
	ip->bytes[11] = 0xff;
	bpf_probe_read_kernel(&ip->bytes[12], 4, key);
}

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
