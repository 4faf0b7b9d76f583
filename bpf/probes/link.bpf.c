/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network devices: their lives, addresses, routes and ports, and what they tell their neighbours of
 * themselves. */
#include "recorder.bpf.h"
#include "link-kernel.bpf.h"
#include "link-address.bpf.h"
#include "link-advertise.bpf.h"

/* Which device: netns, ifindex, device_flags and name of a record; false if it isn't wanted. */
#define link_identify(r, dev)                                                                                \
	({                                                                                                   \
		(r)->netns = link_netns(dev);                                                                \
		(r)->ifindex = BPF_CORE_READ(dev, ifindex);                                                  \
		fr_device_wanted((r)->netns, (r)->ifindex);                                                  \
	})

FR_EXIT(link_register, register_netdevice, struct net_device *dev, int result)
{
	struct rec_link_register r = {};

	if (result || !link_identify(&r, dev))
		return 0;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r.name, dev);
	link_read_kind(&r.device_kind, dev);
	link_read_mac(&r.mac, dev);
	fr_write(link_register, &r, 0);
	return 0;
}

static __always_inline void link_went_up(struct net_device *dev)
{
	struct net_device *peer = link_peer(dev);
	struct rec_link_up r = {};

	if (!link_identify(&r, dev))
		return;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r.name, dev);
	link_read_mac(&r.mac, dev);
	r.carrier = link_carrier(dev);
	if (peer) {
		r.peer_netns = link_netns(peer);
		r.peer_ifindex = BPF_CORE_READ(peer, ifindex);
	}
	link_port_state(peer ?: dev, &r.bridge);
	fr_write(link_up, &r, 0);
}

static __always_inline void link_went_down(struct net_device *dev)
{
	FR_RECORDING;
	__u64 netns = link_netns(dev);
	__u32 ifindex = BPF_CORE_READ(dev, ifindex);
	struct rec_link_down *r;

	if (!fr_device_wanted(netns, ifindex))
		return;
	r = fr_begin(link_down, 0);
	if (!r)
		return;
	r->netns = netns;
	r->ifindex = ifindex;
	r->device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r->name, dev);
	fr_end(r);
}

static __always_inline void link_changed(struct net_device *dev)
{
	FR_RECORDING;
	__u64 netns = link_netns(dev);
	__u32 ifindex = BPF_CORE_READ(dev, ifindex);
	struct rec_link_change *r;

	if (!fr_device_wanted(netns, ifindex))
		return;
	r = fr_begin(link_change, 0);
	if (!r)
		return;
	r->netns = netns;
	r->ifindex = ifindex;
	r->device_flags = BPF_CORE_READ(dev, flags);
	r->operstate = BPF_CORE_READ_BITFIELD_PROBED((struct net_device___link *)dev, operstate);
	r->carrier = link_carrier(dev);
	fr_end(r);
}

/* A device that is moved is unregistered for its old namespace, too, but stays registered. */
static __always_inline void link_unregistered(struct net_device *dev)
{
	FR_RECORDING;
	__u64 netns = link_netns(dev);
	__u32 ifindex = BPF_CORE_READ(dev, ifindex);
	struct rec_link_unregister *r;

	if (!fr_device_wanted(netns, ifindex) || fr_reg_state(dev) == LINK_REG_REGISTERED)
		return;
	r = fr_begin(link_unregister, 0);
	if (!r)
		return;
	r->netns = netns;
	r->ifindex = ifindex;
	r->device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r->name, dev);
	fr_end(r);
}

static __always_inline void link_mac_changed(struct net_device *dev)
{
	struct link_matter key = {(__u64)dev, LINK_ADDRESSED};
	struct link_before *before = bpf_map_lookup_elem(&link_befores, &key);
	struct rec_link_mac_change r = {};

	if (!link_identify(&r, dev))
		return;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r.name, dev);
	if (before)
		r.mac = before->mac;
	link_read_mac(&r.new_mac, dev);
	bpf_map_delete_elem(&link_befores, &key);
	fr_write(link_mac_change, &r, 0);
}

static __always_inline void link_got_master(struct netdev_notifier_changeupper_info___link *info)
{
	FR_RECORDING;
	struct net_device *dev = BPF_CORE_READ(info, info.dev);
	__u64 netns = link_netns(dev);
	__u32 ifindex = BPF_CORE_READ(dev, ifindex);
	struct rec_link_master *r;

	if (!BPF_CORE_READ(info, master) || !fr_device_wanted(netns, ifindex))
		return;
	r = fr_begin(link_master, 0);
	if (!r)
		return;
	r->netns = netns;
	r->ifindex = ifindex;
	if (BPF_CORE_READ(info, linking))
		r->master = BPF_CORE_READ(info, upper_dev, ifindex);
	link_read_name(&r->name, dev);
	fr_end(r);
}

/* Every change of a device is told to the rest of the kernel here, on all kernels (net/core/dev.c). */
FR_ENTRY(link_notify, call_netdevice_notifiers_info, unsigned long what,
	 struct netdev_notifier_info___link *info)
{
	struct net_device *dev = BPF_CORE_READ(info, dev);

	if (what == LINK_NOTIFY_UP)
		link_went_up(dev);
	else if (what == LINK_NOTIFY_DOWN)
		link_went_down(dev);
	else if (what == LINK_NOTIFY_CHANGE)
		link_changed(dev);
	else if (what == LINK_NOTIFY_UNREGISTER)
		link_unregistered(dev);
	else if (what == LINK_NOTIFY_CHANGEADDR)
		link_mac_changed(dev);
	else if (what == bpf_core_enum_value(enum netdev_cmd___link, NETDEV_PRE_CHANGEADDR___link))
		link_remember(dev, LINK_ADDRESSED);
	else if (what == bpf_core_enum_value(enum netdev_cmd___link, NETDEV_CHANGEUPPER___link))
		link_got_master((void *)info);
	return 0;
}

static __always_inline int link_renamed(struct net_device *dev, const char *name, int result)
{
	struct link_matter key = {(__u64)dev, LINK_RENAMED};
	struct link_before *before = bpf_map_lookup_elem(&link_befores, &key);
	struct rec_link_rename r = {};

	if (!before || !link_identify(&r, dev))
		return 0;
	r.device_flags = before->device_flags;
	r.name = before->name;
	/* The name that was asked for may be a pattern. */
	if (result)
		bpf_probe_read_kernel_str(r.new_name.text, sizeof(r.new_name.text), name);
	else
		link_read_name(&r.new_name, dev);
	r.result = result;
	bpf_map_delete_elem(&link_befores, &key);
	fr_write(link_rename, &r, r.device_flags & LINK_IFF_UP ? FR_URGENT : 0);
	return 0;
}

FR_ENTRY(link_rename_begin, dev_change_name, struct net_device *dev, const char *name)
{
	link_remember(dev, LINK_RENAMED);
	return 0;
}

FR_EXIT(link_rename, dev_change_name, struct net_device *dev, const char *name, int result)
{
	return link_renamed(dev, name, result);
}

/* Where the work is done since 6.18. */
FR_ENTRY(link_rename_begin_netif, netif_change_name, struct net_device *dev, const char *name)
{
	link_remember(dev, LINK_RENAMED);
	return 0;
}

FR_EXIT(link_rename_netif, netif_change_name, struct net_device *dev, const char *name, int result)
{
	return link_renamed(dev, name, result);
}

FR_ENTRY(link_move, __dev_change_net_namespace, struct net_device *dev, struct net *net)
{
	struct rec_link_move r = {};

	link_remember(dev, LINK_MOVED);
	r.new_netns = BPF_CORE_READ(net, net_cookie);
	if (!link_identify(&r, dev) && !fr_device_wanted(r.new_netns, r.ifindex))
		return 0;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r.name, dev);
	fr_write(link_move, &r, r.device_flags & LINK_IFF_UP ? FR_URGENT : 0);
	return 0;
}

FR_EXIT(link_move_done, __dev_change_net_namespace, struct net_device *dev, struct net *net,
	const char *pattern, int new_ifindex, int result)
{
	struct link_matter key = {(__u64)dev, LINK_MOVED};
	struct link_before *before = bpf_map_lookup_elem(&link_befores, &key);
	struct rec_link_move_done r = {};

	if (!before)
		return 0;
	r.old_netns = before->netns;
	r.old_ifindex = before->ifindex;
	if (!link_identify(&r, dev) && !fr_device_wanted(r.old_netns, r.old_ifindex))
		return 0;
	r.device_flags = BPF_CORE_READ(dev, flags);
	link_read_name(&r.name, dev);
	link_read_kind(&r.device_kind, dev);
	link_read_mac(&r.mac, dev);
	r.result = result;
	bpf_map_delete_elem(&link_befores, &key);
	fr_write(link_move_done, &r, 0);
	return 0;
}

FR_ENTRY(link_port_state, br_set_state, struct net_bridge_port___link *port, unsigned int state)
{
	struct net_device *dev = BPF_CORE_READ(port, dev);
	struct rec_link_port_state r = {};

	if (!link_identify(&r, dev))
		return 0;
	r.bridge = BPF_CORE_READ(port, br, dev, ifindex);
	link_read_name(&r.name, dev);
	r.old_state = BPF_CORE_READ(port, state);
	r.port_state = state;
	fr_write(link_port_state, &r, 0);
	return 0;
}
