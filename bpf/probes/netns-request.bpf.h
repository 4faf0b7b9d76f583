/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What threads ask of rtnetlink, and in which namespace it acts. */
#ifndef NETNS_REQUEST_BPF_H
#define NETNS_REQUEST_BPF_H

#include "netns-kernel.bpf.h"

/* net/netlink/af_netlink.c: what a dump that was started returns, so that no acknowledgement follows. */
#define NETNS_DUMP_STARTED -4 /* -EINTR */

/* include/uapi/linux/rtnetlink.h, if_link.h */
#define NETNS_RTM_NEWLINK 16
#define NETNS_RTM_SETLINK 19
#define NETNS_IFLA_IFNAME 3
#define NETNS_IFLA_ALT_IFNAME 53
#define NETNS_NLA_TYPE_MASK 0x3fff
#define NETNS_LINK_HEADER 16 /* struct ifinfomsg */
#define NETNS_ATTRIBUTES 4

struct netns_attribute {
	__u16 len;
	__u16 type;
};

/* The interface a link request names, if it does so in its first attributes. */
static __always_inline void netns_read_name(struct rec_netns_request *r, const void *message, __u32 len)
{
	__u32 at = sizeof(struct nlmsghdr) + NETNS_LINK_HEADER;
	struct netns_attribute attribute;

#pragma unroll
	for (int i = 0; i < NETNS_ATTRIBUTES; i++) {
		if (at + sizeof(attribute) > len ||
		    bpf_probe_read_kernel(&attribute, sizeof(attribute), message + at) ||
		    attribute.len < sizeof(attribute))
			return;
		attribute.type &= NETNS_NLA_TYPE_MASK;
		if (attribute.type == NETNS_IFLA_IFNAME || attribute.type == NETNS_IFLA_ALT_IFNAME) {
			bpf_probe_read_kernel_str(r->name.text, sizeof(r->name.text),
						  message + at + sizeof(attribute));
			return;
		}
		at += (attribute.len + 3) & ~3;
	}
}

FR_EXIT(netns_request, rtnetlink_rcv_msg, struct sk_buff *skb, struct nlmsghdr *message, void *extack,
	int result)
{
	struct rec_netns_request r = {};
	struct netlink_skb_parms *sender = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct task_struct *task;
	__u32 len;

	if (!fr_task_wanted())
		return 0;
	task = (void *)bpf_get_current_task();
	r.netns = netns_cookie_of(task);
	r.socket_netns = BPF_CORE_READ(sender, sk, __sk_common.skc_net.net, net_cookie);
	if (!netns_wanted(r.netns, r.socket_netns))
		return 0;
	r.home = netns_home(task);
	r.portid = BPF_CORE_READ(sender, portid);
	bpf_probe_read_kernel(&r.request, 4, &message->nlmsg_type);
	bpf_probe_read_kernel(&len, sizeof(len), &message->nlmsg_len);
	bpf_probe_read_kernel(&r.request_family, 1, (void *)message + sizeof(*message));
	r.result = result == NETNS_DUMP_STARTED ? 0 : result;
	if (r.request >= NETNS_RTM_NEWLINK && r.request <= NETNS_RTM_SETLINK) {
		/* struct ifinfomsg.ifi_index */
		bpf_probe_read_kernel(&r.ifindex, 4, (void *)message + sizeof(*message) + 4);
		netns_read_name(&r, message, len);
	}
	fr_write(netns_request, &r, 0);
	return 0;
}

#endif
