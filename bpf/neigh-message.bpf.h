/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RTM_NEWNEIGH and RTM_DELNEIGH as they are asked for: neighbour and forwarding entries share one message
 * (include/uapi/linux/neighbour.h). */
#ifndef FR_NEIGH_MESSAGE_BPF_H
#define FR_NEIGH_MESSAGE_BPF_H

#include <bpf/bpf_endian.h>
#include "recorder.bpf.h"

#define RTM_NEWNEIGH 28
#define RTM_DELNEIGH 29
#define NDA_DST 1
#define NDA_LLADDR 2
#define NDA_PORT 6
#define NDA_VNI 7
#define NDA_SRC_VNI 11

/* The kernel knows 16 attributes; more than that are repeated or unknown ones. */
#define NEIGH_ATTRIBUTES_MAX 16

struct neigh_message {
	struct {
		__u8 family, pad1;
		__u16 pad2;
		__u32 ifindex;
		__u16 state;
		__u8 flags, type;
	} head; /* struct ndmsg */
	__u16 nlmsg_flags;
	__u8 has_ip, has_mac;
	fr_ip ip;
	fr_mac mac;
	__u16 port;
	__u32 vni;
};

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

/* The request is the kernel's own copy; the attributes may still be anything. */
static __always_inline void neigh_read_message(struct neigh_message *m, struct nlmsghdr *nlh)
{
	struct nlmsghdr header;
	const void *at = (void *)nlh + sizeof(header) + sizeof(m->head);
	__u32 left;

	bpf_probe_read_kernel(&header, sizeof(header), nlh);
	bpf_probe_read_kernel(&m->head, sizeof(m->head), (void *)nlh + sizeof(header));
	m->nlmsg_flags = header.nlmsg_flags;
	left = header.nlmsg_len - sizeof(header) - sizeof(m->head);
	for (int i = 0; i < NEIGH_ATTRIBUTES_MAX; i++) {
		struct {
			__u16 len, type;
		} attribute;
		__u32 step;

		if (left < sizeof(attribute) || left > 4096)
			break;
		bpf_probe_read_kernel(&attribute, sizeof(attribute), at);
		if (attribute.len < sizeof(attribute) || attribute.len > left)
			break;
		switch (attribute.type & 0x3fff) {
		case NDA_DST:
			m->has_ip = 1;
			neigh_read_ip(&m->ip, attribute.len == 20 ? AF_INET6 : AF_INET, at + 4);
			break;
		case NDA_LLADDR:
			if (attribute.len == 10) {
				m->has_mac = 1;
				bpf_probe_read_kernel(m->mac.bytes, 6, at + 4);
			}
			break;
		case NDA_PORT:
			bpf_probe_read_kernel(&m->port, 2, at + 4);
			m->port = bpf_ntohs(m->port);
			break;
		case NDA_VNI:
		case NDA_SRC_VNI:
			/* The one number here in host order (drivers/net/vxlan: vxlan_fdb_parse). */
			bpf_probe_read_kernel(&m->vni, 4, at + 4);
			break;
		}
		step = (attribute.len + 3) & ~3;
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
}

/* Of a request handled for `skb`: the port it came from, and the sender's namespace. */
static __always_inline struct netlink_skb_parms *neigh_sender(struct sk_buff *skb)
{
	return (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
}

#endif
