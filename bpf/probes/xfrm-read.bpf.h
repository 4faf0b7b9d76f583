/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading states, policies and netlink requests into records: names and lengths of keys, never keys. */
#ifndef FR_XFRM_READ_BPF_H
#define FR_XFRM_READ_BPF_H

#include "xfrm-kernel.bpf.h"
#include "xfrm-records.bpf.h"

/* SAs and policies belong to a namespace and to no device. */
static __always_inline int xfrm_wanted(__u64 netns)
{
	return !fr_only_netns || netns == fr_only_netns;
}

/* xfrm_address_t and on the wire: the first 4 bytes, or all 16. */
static __always_inline void xfrm_read_ip(fr_ip *ip, __u16 family, const void *from)
{
	if (family == AF_INET6) {
		bpf_probe_read_kernel(ip->bytes, 16, from);
		return;
	}
	ip->bytes[10] = 0xff;
	ip->bytes[11] = 0xff;
	bpf_probe_read_kernel(&ip->bytes[12], 4, from);
}

/* The netlink request that a thread is in: what the kernel does meanwhile is done for it. */
struct xfrm_asked {
	__u32 portid;
	__u32 type;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct xfrm_asked);
} xfrm_asked SEC(".maps");

static __always_inline struct xfrm_asked xfrm_asked_now(void)
{
	struct xfrm_asked none = {};
	__u64 tid = (__u32)bpf_get_current_pid_tgid();
	struct xfrm_asked *asked = bpf_map_lookup_elem(&xfrm_asked, &tid);

	return asked ? *asked : none;
}

#define XFRM_NAME_BYTES 24

/* `cipher/authentication`, or the one algorithm there is. */
static __always_inline __u32 xfrm_read_algorithm(fr_text *text, struct xfrm_state *x)
{
	struct xfrm_algo_aead *aead = BPF_CORE_READ(x, aead);
	struct xfrm_algo *ealg = BPF_CORE_READ(x, ealg);
	struct xfrm_algo_auth *aalg = BPF_CORE_READ(x, aalg);
	__u32 bits = 0;
	__u32 at = XFRM_NAME_BYTES;

	if (aead) {
		bpf_probe_read_kernel_str(text->text, sizeof(text->text), &aead->alg_name);
		return BPF_CORE_READ(aead, alg_key_len);
	}
	if (ealg) {
		at = bpf_probe_read_kernel_str(text->text, XFRM_NAME_BYTES, &ealg->alg_name) - 1;
		bits = BPF_CORE_READ(ealg, alg_key_len);
	}
	if (!aalg)
		return bits;
	/* The verifier is to see the very number that is compared. */
	asm volatile("" : "+r"(at));
	if (at < XFRM_NAME_BYTES) {
		text->text[at] = '/';
		bpf_probe_read_kernel_str(&text->text[at + 1], sizeof(text->text) - XFRM_NAME_BYTES,
					  &aalg->alg_name);
	} else {
		bpf_probe_read_kernel_str(text->text, sizeof(text->text), &aalg->alg_name);
	}
	/* The null cipher has no key: the state's is that of its authentication. */
	return bits ? bits : BPF_CORE_READ(aalg, alg_key_len);
}

/* Fills a record of XFRM_STATE_FIELDS. A macro, because the records share these names and not a struct. */
#define xfrm_read_state(r, x)                                                                                \
	({                                                                                                   \
		(r)->netns = BPF_CORE_READ(x, xs_net.net, net_cookie);                                       \
		(r)->family = BPF_CORE_READ(x, props.family);                                                \
		xfrm_read_ip(&(r)->daddr, (r)->family, &(x)->id.daddr);                                      \
		xfrm_read_ip(&(r)->saddr, (r)->family, &(x)->props.saddr);                                   \
		(r)->spi = bpf_ntohl(BPF_CORE_READ(x, id.spi));                                              \
		(r)->reqid = BPF_CORE_READ(x, props.reqid);                                                  \
		(r)->mark = BPF_CORE_READ(x, mark.v);                                                        \
		(r)->mark_mask = BPF_CORE_READ(x, mark.m);                                                   \
		(r)->if_id = BPF_CORE_READ(x, if_id);                                                        \
		(r)->proto = BPF_CORE_READ(x, id.proto);                                                     \
		(r)->mode = BPF_CORE_READ(x, props.mode);                                                    \
		(r)->state = BPF_CORE_READ(x, km.state);                                                     \
		(r)->key_bits = xfrm_read_algorithm(&(r)->algorithm, x);                                     \
		xfrm_wanted((r)->netns);                                                                     \
	})

/* The same for XFRM_POLICY_FIELDS; of its templates the first. */
#define xfrm_read_policy(r, p, dir)                                                                          \
	({                                                                                                   \
		__u16 tmpl_family_ = BPF_CORE_READ(p, xfrm_vec[0].encap_family);                             \
		(r)->netns = BPF_CORE_READ(p, xp_net.net, net_cookie);                                       \
		(r)->family = BPF_CORE_READ(p, family);                                                      \
		xfrm_read_ip(&(r)->daddr, (r)->family, &(p)->selector.daddr);                                \
		xfrm_read_ip(&(r)->saddr, (r)->family, &(p)->selector.saddr);                                \
		(r)->daddr_prefix = BPF_CORE_READ(p, selector.prefixlen_d);                                  \
		(r)->saddr_prefix = BPF_CORE_READ(p, selector.prefixlen_s);                                  \
		(r)->sel_proto = BPF_CORE_READ(p, selector.proto);                                           \
		if (BPF_CORE_READ(p, selector.sport_mask))                                                   \
			(r)->sport = bpf_ntohs(BPF_CORE_READ(p, selector.sport));                            \
		if (BPF_CORE_READ(p, selector.dport_mask))                                                   \
			(r)->dport = bpf_ntohs(BPF_CORE_READ(p, selector.dport));                            \
		(r)->index = BPF_CORE_READ(p, index);                                                        \
		(r)->priority = BPF_CORE_READ(p, priority);                                                  \
		(r)->mark = BPF_CORE_READ(p, mark.v);                                                        \
		(r)->mark_mask = BPF_CORE_READ(p, mark.m);                                                   \
		(r)->if_id = BPF_CORE_READ(p, if_id);                                                        \
		(r)->direction = dir;                                                                        \
		(r)->action = BPF_CORE_READ(p, action);                                                      \
		if (BPF_CORE_READ(p, xfrm_nr)) {                                                             \
			xfrm_read_ip(&(r)->tmpl_daddr, tmpl_family_, &(p)->xfrm_vec[0].id.daddr);            \
			xfrm_read_ip(&(r)->tmpl_saddr, tmpl_family_, &(p)->xfrm_vec[0].saddr);               \
			(r)->tmpl_spi = bpf_ntohl(BPF_CORE_READ(p, xfrm_vec[0].id.spi));                     \
			(r)->reqid = BPF_CORE_READ(p, xfrm_vec[0].reqid);                                    \
			(r)->proto = BPF_CORE_READ(p, xfrm_vec[0].id.proto);                                 \
			(r)->mode = BPF_CORE_READ(p, xfrm_vec[0].mode);                                      \
		}                                                                                            \
		xfrm_wanted((r)->netns);                                                                     \
	})

struct xfrm_walk {
	const void *at;
	__u32 left;
	__u32 mark[2];
};

/* One attribute of a request: its head, and the value of a mark; other values, keys among them, are not read.
 */
static long xfrm_walk_attribute(__u32 i, struct xfrm_walk *walk)
{
	struct {
		__u16 length;
		__u16 type;
	} attribute;
	__u32 step;

	if (walk->left < sizeof(attribute) || bpf_probe_read_kernel(&attribute, sizeof(attribute), walk->at))
		return 1;
	step = (attribute.length + 3u) & ~3u;
	if (attribute.length < sizeof(attribute) || step > walk->left)
		return 1;
	if (attribute.type == XFRMA_MARK && attribute.length >= sizeof(attribute) + sizeof(walk->mark)) {
		bpf_probe_read_kernel(walk->mark, sizeof(walk->mark), walk->at + sizeof(attribute));
		return 1;
	}
	walk->at += step;
	walk->left -= step;
	return 0;
}

static __always_inline void xfrm_read_mark(struct rec_xfrm_request *r, const struct nlmsghdr *nlh,
					   __u32 fixed)
{
	struct xfrm_walk walk = {.at = (const void *)(nlh + 1) + fixed};
	__u32 length = 0;

	bpf_probe_read_kernel(&length, sizeof(length), &nlh->nlmsg_len);
	if (length <= sizeof(*nlh) + fixed)
		return;
	walk.left = length - sizeof(*nlh) - fixed;
	bpf_loop(32, xfrm_walk_attribute, &walk, 0);
	r->mark = walk.mark[0];
	r->mark_mask = walk.mark[1];
}

#define XFRM_NO_DIRECTION 0xff /* of a state */

/* What a request is about; false for those that change nothing. */
static __always_inline int xfrm_read_request(struct rec_xfrm_request *r, const struct nlmsghdr *nlh)
{
	const void *body = nlh + 1;
	__be32 spi = 0;
	__u16 family = 0, type = 0;

	bpf_probe_read_kernel(&type, sizeof(type), &nlh->nlmsg_type);
	r->request = type;
	r->direction = XFRM_NO_DIRECTION;
	switch (type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_ALLOCSPI:
		/* struct xfrm_userspi_info begins with struct xfrm_usersa_info. */
		bpf_probe_read_kernel(&family, sizeof(family), body + XFRM_USERSA_INFO_FAMILY);
		bpf_probe_read_kernel(&spi, sizeof(spi), body + XFRM_USERSA_INFO_ID + XFRM_USERSA_ID_SPI);
		bpf_probe_read_kernel(&r->proto, 1, body + XFRM_USERSA_INFO_ID + 20);
		xfrm_read_ip(&r->daddr, family, body + XFRM_USERSA_INFO_ID);
		xfrm_read_ip(&r->saddr, family, body + XFRM_USERSA_INFO_SADDR);
		break;
	case XFRM_MSG_DELSA:
		bpf_probe_read_kernel(&family, sizeof(family), body + XFRM_USERSA_ID_FAMILY);
		bpf_probe_read_kernel(&spi, sizeof(spi), body + XFRM_USERSA_ID_SPI);
		bpf_probe_read_kernel(&r->proto, 1, body + XFRM_USERSA_ID_PROTO);
		xfrm_read_ip(&r->daddr, family, body);
		xfrm_read_mark(r, nlh, XFRM_USERSA_ID_BYTES);
		break;
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
	case XFRM_MSG_DELPOLICY:
		bpf_probe_read_kernel(&family, sizeof(family), body + XFRM_SELECTOR_FAMILY);
		bpf_probe_read_kernel(&r->proto, 1, body + XFRM_SELECTOR_PROTO);
		xfrm_read_ip(&r->daddr, family, body);
		xfrm_read_ip(&r->saddr, family, body + XFRM_SELECTOR_SADDR);
		if (type == XFRM_MSG_DELPOLICY) {
			bpf_probe_read_kernel(&r->index, 4, body + XFRM_USERPOLICY_ID_INDEX);
			bpf_probe_read_kernel(&r->direction, 1, body + XFRM_USERPOLICY_ID_DIR);
			xfrm_read_mark(r, nlh, XFRM_USERPOLICY_ID_BYTES);
		} else {
			bpf_probe_read_kernel(&r->index, 4, body + XFRM_USERPOLICY_INFO_INDEX);
			bpf_probe_read_kernel(&r->direction, 1, body + XFRM_USERPOLICY_INFO_DIR);
		}
		break;
	case XFRM_MSG_FLUSHSA:
		bpf_probe_read_kernel(&r->proto, 1, body);
		break;
	case XFRM_MSG_FLUSHPOLICY:
		break;
	default:
		return 0;
	}
	r->family = family;
	r->spi = bpf_ntohl(spi);
	return 1;
}

#endif
