/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Forwarding entries (MAC to VTEP), who asked for them, and what was refused. */
#ifndef VXLAN_FDB_BPF_H
#define VXLAN_FDB_BPF_H

#include "vxlan-kernel.bpf.h"
#include "vxlan-records.bpf.h"
#include "vxlan-state.bpf.h"

#define vxlan_read_fdb(r, fdb)                                                                               \
	do {                                                                                                 \
		__be32 vni_;                                                                                 \
		if (bpf_core_field_exists(((struct vxlan_fdb___keyed *)0)->key)) {                           \
			struct vxlan_fdb___keyed *keyed_ = (void *)(fdb);                                    \
			bpf_core_read((r)->mac.bytes, 6, &keyed_->key.eth_addr);                             \
			vni_ = BPF_CORE_READ(keyed_, key.vni);                                               \
			(r)->fdb_state = BPF_CORE_READ(keyed_, state);                                       \
			(r)->fdb_flags = BPF_CORE_READ(keyed_, flags);                                       \
		} else {                                                                                     \
			bpf_core_read((r)->mac.bytes, 6, &(fdb)->eth_addr);                                  \
			vni_ = BPF_CORE_READ(fdb, vni);                                                      \
			(r)->fdb_state = BPF_CORE_READ(fdb, state);                                          \
			(r)->fdb_flags = BPF_CORE_READ(fdb, flags);                                          \
		}                                                                                            \
		if (vni_)                                                                                    \
			(r)->vni = bpf_ntohl(vni_);                                                          \
	} while (0)

/* Every change of every entry comes by here, whatever caused it. */
FR_ENTRY(vxlan_fdb_changed, __vxlan_fdb_notify, struct vxlan_dev *vxlan, struct vxlan_fdb *fdb,
	 struct vxlan_rdst *remote, int type)
{
	struct rec_vxlan_fdb_update r = {};
	struct vxlan_here *here = vxlan_here();
	__u32 thread = vxlan_thread();
	struct vxlan_asked *asked;
	__u16 flags = 0;

	if (!vxlan_identify(&r, vxlan))
		return 0;
	vxlan_read_fdb(&r, fdb);
	/* None: the entry goes to a nexthop group. */
	if (remote) {
		vxlan_read_remote(&r.remote, remote);
		r.port = bpf_ntohs(BPF_CORE_READ(remote, remote_port));
		r.remote_vni = bpf_ntohl(BPF_CORE_READ(remote, remote_vni));
	}
	r.link_netns = vxlan_link_netns(vxlan);
	vxlan_read_name(&r.device, BPF_CORE_READ(vxlan, dev));
	/* A packet may be received while the thread's request is being served. */
	if (here && here->learning)
		flags = VXLAN_LEARNED;
	else if ((asked = bpf_map_lookup_elem(&vxlan_requests, &thread)))
		r.portid = asked->portid;
	if (type == RTM_DELNEIGH) {
		struct rec_vxlan_fdb_delete gone;

		_Static_assert(sizeof(gone) == sizeof(r), "an entry is told in the same words when it goes");
		__builtin_memcpy(&gone, &r, sizeof(gone));
		fr_write(vxlan_fdb_delete, &gone, flags);
	} else {
		fr_write(vxlan_fdb_update, &r, flags);
	}
	return 0;
}

FR_ENTRY(vxlan_flush_begin, vxlan_flush, struct vxlan_dev *vxlan)
{
	FR_RECORDING;
	struct rec_vxlan_flush at, *r;
	__u32 thread = vxlan_thread();
	struct vxlan_asked *asked = bpf_map_lookup_elem(&vxlan_requests, &thread);

	if (!vxlan_identify(&at, vxlan))
		return 0;
	r = fr_begin(vxlan_flush, 0);
	if (!r)
		return 0;
	r->netns = at.netns;
	r->ifindex = at.ifindex;
	r->vni = at.vni;
	if (asked)
		r->portid = asked->portid;
	fr_end(r);
	return 0;
}

static __always_inline int vxlan_request_begin(struct sk_buff *skb)
{
	struct vxlan_asked asked = {};
	__u32 thread = vxlan_thread();

	asked.portid = BPF_CORE_READ(neigh_sender(skb), portid);
	bpf_map_update_elem(&vxlan_requests, &thread, &asked, BPF_ANY);
	return 0;
}

FR_ENTRY(vxlan_add_begin, rtnl_fdb_add, struct sk_buff *skb)
{
	return vxlan_request_begin(skb);
}

FR_ENTRY(vxlan_del_begin, rtnl_fdb_del, struct sk_buff *skb)
{
	return vxlan_request_begin(skb);
}

static __always_inline int vxlan_request_reached(struct net_device *dev)
{
	__u32 thread = vxlan_thread();
	struct vxlan_asked *asked = bpf_map_lookup_elem(&vxlan_requests, &thread);

	if (asked)
		asked->dev = dev;
	return 0;
}

FR_ENTRY(vxlan_add_reached, vxlan_fdb_add, void *ndm, void *tb, struct net_device *dev)
{
	return vxlan_request_reached(dev);
}

FR_ENTRY(vxlan_del_reached, vxlan_fdb_delete, void *ndm, void *tb, struct net_device *dev)
{
	return vxlan_request_reached(dev);
}

/* rtnetlink serves bridges and other devices by the same functions: those requests are left out, unless they
 * name a remote but no device could be found. */
static __always_inline int vxlan_request_end(struct sk_buff *skb, struct nlmsghdr *nlh, __u8 operation,
					     int result)
{
	struct rec_vxlan_fdb_request r = {};
	struct neigh_message m = {};
	struct net_device *dev = 0;
	__u32 thread = vxlan_thread();
	struct vxlan_asked *asked = bpf_map_lookup_elem(&vxlan_requests, &thread);
	struct vxlan_dev *vxlan;

	if (asked) {
		dev = asked->dev;
		bpf_map_delete_elem(&vxlan_requests, &thread);
	}
	neigh_read_message(&m, nlh);
	if (!dev && !m.has_ip)
		return 0;
	r.netns = BPF_CORE_READ(neigh_sender(skb), sk, __sk_common.skc_net.net, net_cookie);
	r.ifindex = m.head.ifindex;
	if (!fr_device_wanted(r.netns, r.ifindex) || !fr_task_wanted())
		return 0;
	r.vni = m.vni;
	if (dev && (vxlan = vxlan_of(dev)))
		r.vni = bpf_ntohl(BPF_CORE_READ(vxlan, cfg.vni));
	r.remote = m.ip;
	r.mac = m.mac;
	r.operation = operation;
	r.fdb_state = m.head.state;
	r.fdb_flags = m.head.flags;
	r.nlmsg_flags = m.nlmsg_flags;
	r.portid = BPF_CORE_READ(neigh_sender(skb), portid);
	r.result = result;
	fr_write(vxlan_fdb_request, &r, 0);
	return 0;
}

FR_EXIT(vxlan_add_end, rtnl_fdb_add, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	return vxlan_request_end(skb, nlh, RTM_NEWNEIGH, result);
}

FR_EXIT(vxlan_del_end, rtnl_fdb_del, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	return vxlan_request_end(skb, nlh, RTM_DELNEIGH, result);
}

#endif
