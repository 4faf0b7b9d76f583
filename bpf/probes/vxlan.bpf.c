/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * VXLAN (drivers/net/vxlan): devices and their VNIs, forwarding entries (MAC to VTEP) with who asked for
 * them, and packets. Packets are counted by device, VNI and remote: the first of each is told at once, then
 * at most one event a second, and the rest when the device goes.
 */
#include "vxlan-fdb.bpf.h"
#include "vxlan-packets.bpf.h"

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

/* By thread: where a device was that is being moved. */
struct vxlan_moving {
	__u64 netns;
	__u32 ifindex;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct vxlan_moving);
} vxlan_moves SEC(".maps");

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
