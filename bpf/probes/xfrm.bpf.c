/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IPsec (net/xfrm): states and policies and who asked for them, what they did to packets, and VXLAN packets
 * that left in the clear. Packets are added up per state, drop or destination: an event at the first, then at
 * most one a second. */
#include "xfrm-packets.bpf.h"

FR_ENTRY(xfrm_request_begin, xfrm_user_rcv_msg, struct sk_buff *skb, struct nlmsghdr *nlh)
{
	__u64 tid = (__u32)bpf_get_current_pid_tgid();
	struct netlink_skb_parms *cb = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct xfrm_asked asked = {.portid = BPF_CORE_READ(cb, portid)};
	__u16 type = 0;

	bpf_probe_read_kernel(&type, sizeof(type), &nlh->nlmsg_type);
	asked.type = type;
	bpf_map_update_elem(&xfrm_asked, &tid, &asked, BPF_ANY);
	return 0;
}

FR_EXIT(xfrm_request, xfrm_user_rcv_msg, struct sk_buff *skb, struct nlmsghdr *nlh, void *extack, int result)
{
	__u64 tid = (__u32)bpf_get_current_pid_tgid();
	struct netlink_skb_parms *cb = (void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	struct rec_xfrm_request r = {};

	bpf_map_delete_elem(&xfrm_asked, &tid);
	r.netns = BPF_CORE_READ(skb, sk, __sk_common.skc_net.net, net_cookie);
	if (!xfrm_wanted(r.netns) || !xfrm_read_request(&r, nlh))
		return 0;
	r.result = result;
	r.portid = BPF_CORE_READ(cb, portid);
	fr_write(xfrm_request, &r,
		 result == -EEXIST || result == -ESRCH || result == -ENOENT ? FR_URGENT : 0);
	return 0;
}

FR_EXIT(xfrm_state_add, xfrm_state_add, struct xfrm_state *x, int result)
{
	struct rec_xfrm_state_add r = {};

	if (!xfrm_read_state(&r, x))
		return 0;
	r.result = result;
	r.portid = xfrm_asked_now().portid;
	fr_write(xfrm_state_add, &r, result == -EEXIST ? FR_URGENT : 0);
	return 0;
}

FR_EXIT(xfrm_state_update, xfrm_state_update, struct xfrm_state *x, int result)
{
	struct rec_xfrm_state_update r = {};

	if (!xfrm_read_state(&r, x))
		return 0;
	r.result = result;
	r.portid = xfrm_asked_now().portid;
	fr_write(xfrm_state_update, &r, 0);
	return 0;
}

static __always_inline __u32 xfrm_cause(__u32 type)
{
	switch (type) {
	case 0:
		return XFRM_CAUSE_KERNEL;
	case XFRM_MSG_DELSA:
	case XFRM_MSG_DELPOLICY:
		return XFRM_CAUSE_REQUEST;
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_FLUSHPOLICY:
		return XFRM_CAUSE_FLUSH;
	default:
		return XFRM_CAUSE_REPLACED;
	}
}

/* Every way a state ends comes through here; a state that is dead already is only looked at again. */
FR_ENTRY(xfrm_state_delete, __xfrm_state_delete, struct xfrm_state *x)
{
	struct rec_xfrm_state_delete r = {};
	struct xfrm_asked asked = xfrm_asked_now();

	if (!xfrm_read_state(&r, x) || r.state == XFRM_STATE_DEAD)
		return 0;
	xfrm_tell_rest(x);
	/* A timer's softirq may have interrupted a thread that asks for something else. */
	if (r.state == XFRM_STATE_EXPIRED) {
		r.cause = XFRM_CAUSE_EXPIRED;
	} else {
		r.cause = xfrm_cause(asked.type);
		r.portid = asked.portid;
	}
	if (r.state != XFRM_STATE_ACQ)
		xfrm_ended(&r.daddr, 1);
	fr_write(xfrm_state_delete, &r, 0);
	return 0;
}

FR_EXIT(xfrm_state_flush, xfrm_state_flush, struct net *net, __u8 proto, __u8 task_valid, int result)
{
	FR_RECORDING;
	__u64 netns = BPF_CORE_READ(net, net_cookie);
	struct rec_xfrm_state_flush *r;

	if (!xfrm_wanted(netns))
		return 0;
	r = fr_begin(xfrm_state_flush, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->result = result;
	r->portid = xfrm_asked_now().portid;
	r->proto = proto;
	fr_end(r);
	return 0;
}

FR_EXIT(xfrm_policy_add, xfrm_policy_insert, int dir, struct xfrm_policy *policy, int excl, int result)
{
	struct rec_xfrm_policy_add r = {};

	if (!xfrm_read_policy(&r, policy, dir))
		return 0;
	r.result = result;
	r.portid = xfrm_asked_now().portid;
	fr_write(xfrm_policy_add, &r, result == -EEXIST ? FR_URGENT : 0);
	return 0;
}

/* Every way a policy ends comes through here, also that of one whose place another takes
 * (xfrm_policy_insert). */
FR_ENTRY(xfrm_policy_delete, xfrm_policy_kill, struct xfrm_policy *policy)
{
	struct rec_xfrm_policy_delete r = {};
	struct xfrm_asked asked = xfrm_asked_now();

	/* xfrm_policy_id2dir */
	if (!xfrm_read_policy(&r, policy, r.index & 7))
		return 0;
	r.cause = xfrm_cause(asked.type);
	r.portid = asked.portid;
	xfrm_ended(&r.daddr, r.daddr_prefix == (r.family == AF_INET6 ? 128 : 32));
	fr_write(xfrm_policy_delete, &r, 0);
	return 0;
}

FR_EXIT(xfrm_policy_flush, xfrm_policy_flush, struct net *net, __u8 type, __u8 task_valid, int result)
{
	FR_RECORDING;
	__u64 netns = BPF_CORE_READ(net, net_cookie);
	struct rec_xfrm_policy_flush *r;

	if (!xfrm_wanted(netns))
		return 0;
	r = fr_begin(xfrm_policy_flush, 0);
	if (!r)
		return 0;
	r->netns = netns;
	r->result = result;
	r->portid = xfrm_asked_now().portid;
	fr_end(r);
	return 0;
}

FR_ENTRY(xfrm_output, xfrm_output, struct sock *sk, struct sk_buff *skb)
{
	struct dst_entry *dst = (void *)(BPF_CORE_READ(skb, _skb_refdst) & ~1ul);
	struct xfrm_state *x = BPF_CORE_READ(dst, xfrm);
	__u64 key = (__u64)x;
	__be32 spi = BPF_CORE_READ(x, id.spi);
	struct xfrm_flow_vni seen = {.state = key, .spi = spi};
	struct xfrm_vxlan inner = {};
	struct xfrm_tally *tally;
	int has_vni, tell = 0;
	__u8 one = 1;

	if (!x)
		return 0;
	tally = xfrm_tally_of(&xfrm_flows, &key, spi);
	if (!tally)
		return 0;
	tally->direction = XFRM_POLICY_OUT;
	__sync_fetch_and_add(&tally->packets, 1);
	__sync_fetch_and_add(&tally->bytes, BPF_CORE_READ(skb, len));
	has_vni = xfrm_read_vxlan(&inner, xfrm_ip_header(skb));
	if (has_vni) {
		seen.vni = inner.vni;
		tell = !bpf_map_lookup_elem(&xfrm_flow_vnis, &seen);
		if (tell)
			bpf_map_update_elem(&xfrm_flow_vnis, &seen, &one, BPF_ANY);
	}
	if (xfrm_due(tally) || tell)
		xfrm_tell_traffic(x, tally, XFRM_POLICY_OUT, has_vni ? &inner : 0);
	return 0;
}

/* A packet came in and was found authentic and new. */
FR_ENTRY(xfrm_input, xfrm_replay_advance, struct xfrm_state *x)
{
	__u64 key = (__u64)x;
	struct xfrm_tally *tally = xfrm_tally_of(&xfrm_flows, &key, BPF_CORE_READ(x, id.spi));

	if (!tally)
		return 0;
	__sync_fetch_and_add(&tally->packets, 1);
	xfrm_add_received(x, tally);
	if (xfrm_due(tally))
		xfrm_tell_traffic(x, tally, 0, 0);
	return 0;
}

FR_ENTRY(xfrm_drop_no_state, xfrm_audit_state_notfound, struct sk_buff *skb, __u16 family, __be32 spi)
{
	xfrm_drop_skb(BPF_CORE_READ(skb, dev, nd_net.net), skb, XFRM_REASON_IN_NO_STATE, spi);
	return 0;
}

FR_ENTRY(xfrm_drop_no_spi, xfrm_audit_state_notfound_simple, struct sk_buff *skb)
{
	xfrm_drop_skb(BPF_CORE_READ(skb, dev, nd_net.net), skb, XFRM_REASON_IN_NO_STATE, 0);
	return 0;
}

FR_ENTRY(xfrm_drop_replay, xfrm_audit_state_replay, struct xfrm_state *x, struct sk_buff *skb)
{
	xfrm_drop_skb(BPF_CORE_READ(x, xs_net.net), skb, XFRM_REASON_IN_REPLAY, BPF_CORE_READ(x, id.spi));
	return 0;
}

FR_ENTRY(xfrm_drop_icv, xfrm_audit_state_icvfail, struct xfrm_state *x, struct sk_buff *skb)
{
	xfrm_drop_skb(BPF_CORE_READ(x, xs_net.net), skb, XFRM_REASON_IN_ICV, BPF_CORE_READ(x, id.spi));
	return 0;
}

FR_ENTRY(xfrm_drop_overflow, xfrm_audit_state_replay_overflow, struct xfrm_state *x, struct sk_buff *skb)
{
	xfrm_drop_skb(BPF_CORE_READ(x, xs_net.net), skb, XFRM_REASON_OUT_SEQ_OVERFLOW,
		      BPF_CORE_READ(x, id.spi));
	return 0;
}

FR_EXIT(xfrm_drop_policy, __xfrm_policy_check, struct sock *sk, int dir, struct sk_buff *skb, __u16 family,
	int passed)
{
	if (!passed)
		xfrm_drop_skb(BPF_CORE_READ(skb, dev, nd_net.net), skb, XFRM_REASON_IN_POLICY, 0);
	return 0;
}

FR_EXIT(xfrm_drop_lookup, xfrm_lookup_with_ifid, struct net *net, struct dst_entry *dst, struct flowi *fl,
	void *sk, int flags, long result)
{
	struct xfrm_drop_key key = {.reason = XFRM_REASON_OUT_LOOKUP, .result = result};
	struct xfrm_drop_facts facts = {};

	/* IS_ERR */
	if ((unsigned long)result < (unsigned long)-4095)
		return 0;
	key.netns = BPF_CORE_READ(net, net_cookie);
	if (!xfrm_wanted(key.netns))
		return 0;
	facts.family = BPF_CORE_READ(dst, ops, family);
	facts.proto = BPF_CORE_READ(fl, u.__fl_common.flowic_proto);
	key.mark = BPF_CORE_READ(fl, u.__fl_common.flowic_mark);
	if (facts.family == AF_INET6) {
		xfrm_read_ip(&key.daddr, AF_INET6, &fl->u.ip6.daddr);
		xfrm_read_ip(&facts.saddr, AF_INET6, &fl->u.ip6.saddr);
	} else {
		xfrm_read_ip(&key.daddr, AF_INET, &fl->u.ip4.daddr);
		xfrm_read_ip(&facts.saddr, AF_INET, &fl->u.ip4.saddr);
	}
	xfrm_count_drop(&key, &facts);
	return 0;
}

/* Of all packets of all devices: it must cost next to nothing where nobody ever asked for encryption. */
FR_RAW(xfrm_wire, net_dev_start_xmit, struct sk_buff *skb, struct net_device *dev)
{
	struct net *net = BPF_CORE_READ(dev, nd_net.net);
	struct xfrm_wire_key key = {};
	struct xfrm_vxlan outer = {};
	struct rec_xfrm_wire r = {};
	struct xfrm_tally *tally;
	__u32 *endings, version = xfrm_all_endings;
	__be16 protocol;

	if (!version && bpf_core_field_exists(((struct net___xfrm *)0)->xfrm.policy_count) &&
	    !BPF_CORE_READ((struct net___xfrm *)net, xfrm.policy_count[XFRM_POLICY_OUT]))
		return 0;
	protocol = BPF_CORE_READ(skb, protocol);
	if (protocol != bpf_htons(ETH_P_IP) && protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	if (!xfrm_read_vxlan(&outer, xfrm_ip_header(skb)))
		return 0;
	key.netns = BPF_CORE_READ(net, net_cookie);
	key.ifindex = BPF_CORE_READ(dev, ifindex);
	if (!fr_device_wanted(key.netns, key.ifindex))
		return 0;
	key.vni = outer.vni;
	key.src = outer.src;
	key.dst = outer.dst;
	key.mark = BPF_CORE_READ(skb, mark);
	key.dport = outer.dport;
	endings = bpf_map_lookup_elem(&xfrm_endings, &key.dst);
	if (endings)
		version += *endings;
	tally = xfrm_tally_of(&xfrm_wires, &key, version);
	if (!tally)
		return 0;
	__sync_fetch_and_add(&tally->packets, 1);
	if (!xfrm_due(tally))
		return 0;
	r.netns = key.netns;
	r.ifindex = key.ifindex;
	r.vni = key.vni;
	r.src = key.src;
	r.dst = key.dst;
	r.mark = key.mark;
	r.dport = key.dport;
	r.family = outer.family;
	r.packets = __sync_lock_test_and_set(&tally->packets, 0);
	bpf_probe_read_kernel(&r.device, sizeof(r.device), &dev->name);
	fr_write(xfrm_wire, &r, 0);
	return 0;
}
