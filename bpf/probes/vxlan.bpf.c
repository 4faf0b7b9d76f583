/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * VXLAN (drivers/net/vxlan): devices and their VNIs, forwarding entries (MAC to VTEP) with who asked for
 * them, and packets. Packets are counted by device, VNI and remote: the first of each is told at once, then
 * at most one event a second, and the rest when the device goes.
 */
#include "neigh-message.bpf.h"
#include "vxlan-records.bpf.h"
#include "vxlan-state.bpf.h"

FR_EXIT(vxlan_device_made, __vxlan_dev_create, struct net *net, struct net_device *dev,
	struct vxlan_config *conf, void *extack, int result)
{
	struct rec_vxlan_device_add r = {};

	r.netns = BPF_CORE_READ(dev, nd_net.net, net_cookie);
	r.ifindex = BPF_CORE_READ(dev, ifindex);
	if (!fr_device_wanted(r.netns, r.ifindex))
		return 0;
	r.link_netns = BPF_CORE_READ(net, net_cookie);
	r.vni = bpf_ntohl(BPF_CORE_READ(conf, vni));
	r.port = bpf_ntohs(BPF_CORE_READ(conf, dst_port));
	vxlan_read_local(&r.local, conf);
	vxlan_read_name(&r.device, dev);
	if (result) {
		struct rec_vxlan_device_refused refused;

		_Static_assert(sizeof(refused) == sizeof(r),
			       "a device that can't be made is told in the same words");
		__builtin_memcpy(&refused, &r, sizeof(refused));
		refused.result = result;
		fr_write(vxlan_device_refused, &refused, 0);
	} else {
		fr_write(vxlan_device_add, &r, 0);
	}
	return 0;
}

/* Every way a device goes leads here: a request, the end of its namespace, a failure after it was registered.
 */
FR_ENTRY(vxlan_device_gone, vxlan_uninit, struct net_device *dev)
{
	struct rec_vxlan_device_delete r = {};
	struct vxlan_dev *vxlan = vxlan_of(dev);
	struct vxlan_gone gone;

	if (!vxlan || !vxlan_identify(&r, vxlan))
		return 0;
	gone.netns = r.netns;
	gone.ifindex = r.ifindex;
	bpf_for_each_map_elem(&vxlan_flows, vxlan_tell_rest, &gone, 0);
	r.link_netns = vxlan_link_netns(vxlan);
	r.port = bpf_ntohs(BPF_CORE_READ(vxlan, cfg.dst_port));
	vxlan_read_local(&r.local, vxlan_config_of(vxlan));
	vxlan_read_name(&r.device, dev);
	fr_write(vxlan_device_delete, &r, 0);
	return 0;
}

static __always_inline int vxlan_is(struct net_device *dev)
{
	char kind[8] = {};
	const char *name = BPF_CORE_READ(dev, rtnl_link_ops, kind);

	return bpf_probe_read_kernel_str(kind, sizeof(kind), name) == 6 && kind[0] == 'v' && kind[1] == 'x' &&
	       kind[2] == 'l' && kind[3] == 'a' && kind[4] == 'n';
}

FR_ENTRY(vxlan_move_begin, __dev_change_net_namespace, struct net_device *dev, struct net *net)
{
	struct vxlan_moving from = {};
	__u32 thread = vxlan_thread();

	if (!vxlan_is(dev))
		return 0;
	from.netns = BPF_CORE_READ(dev, nd_net.net, net_cookie);
	from.ifindex = BPF_CORE_READ(dev, ifindex);
	bpf_map_update_elem(&vxlan_moves, &thread, &from, BPF_ANY);
	return 0;
}

FR_EXIT(vxlan_move_end, __dev_change_net_namespace, struct net_device *dev, struct net *net,
	const char *pattern, int new_ifindex, int result)
{
	struct rec_vxlan_device_move r = {};
	__u32 thread = vxlan_thread();
	struct vxlan_moving *from = bpf_map_lookup_elem(&vxlan_moves, &thread);
	struct vxlan_dev *vxlan;

	if (!from || !vxlan_is(dev))
		return 0;
	r.netns = from->netns;
	r.ifindex = from->ifindex;
	bpf_map_delete_elem(&vxlan_moves, &thread);
	vxlan = vxlan_of(dev);
	if (result || !vxlan || !fr_device_wanted(r.netns, r.ifindex))
		return 0;
	r.vni = bpf_ntohl(BPF_CORE_READ(vxlan, cfg.vni));
	r.to_netns = BPF_CORE_READ(net, net_cookie);
	r.to_ifindex = BPF_CORE_READ(dev, ifindex);
	r.link_netns = vxlan_link_netns(vxlan);
	vxlan_read_name(&r.device, dev);
	fr_write(vxlan_device_move, &r, 0);
	return 0;
}

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
