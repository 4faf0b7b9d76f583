/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fields of xfrm's structures that its probes read (include/net/xfrm.h). Of an algorithm only its name
 * and the length of its key: the key itself is declared nowhere here, so nothing can read it. */
#ifndef FR_XFRM_KERNEL_BPF_H
#define FR_XFRM_KERNEL_BPF_H

#include <linux/errno.h>
#include <bpf/bpf_endian.h>
#include "recorder.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* A union like the kernel's: CO-RE matches fields of like kind only. */
typedef union {
	__u8 bytes[16];
} xfrm_address_t;
struct in6_addr {
	__u8 bytes[16];
};
struct xfrm_id {
	xfrm_address_t daddr;
	__be32 spi;
	__u8 proto;
};
struct xfrm_mark {
	__u32 v;
	__u32 m;
};
struct xfrm_selector {
	xfrm_address_t daddr;
	xfrm_address_t saddr;
	__be16 dport;
	__be16 dport_mask;
	__be16 sport;
	__be16 sport_mask;
	__u16 family;
	__u8 prefixlen_d;
	__u8 prefixlen_s;
	__u8 proto;
};
struct xfrm_lifetime_cur {
	__u64 bytes;
	__u64 packets;
};
struct xfrm_state_walk {
	__u8 state;
};
struct xfrm_algo {
	char alg_name[64];
	unsigned int alg_key_len;
};
struct xfrm_algo_auth {
	char alg_name[64];
	unsigned int alg_key_len;
};
struct xfrm_algo_aead {
	char alg_name[64];
	unsigned int alg_key_len;
};
struct xfrm_state {
	possible_net_t xs_net;
	struct xfrm_id id;
	struct xfrm_mark mark;
	__u32 if_id;
	struct xfrm_state_walk km;
	struct {
		__u32 reqid;
		__u8 mode;
		__u16 family;
		xfrm_address_t saddr;
	} props;
	struct xfrm_algo_auth *aalg;
	struct xfrm_algo *ealg;
	struct xfrm_algo_aead *aead;
	struct xfrm_lifetime_cur curlft;
};
struct xfrm_tmpl {
	struct xfrm_id id;
	xfrm_address_t saddr;
	unsigned short encap_family;
	__u32 reqid;
	__u8 mode;
	__u8 optional;
};
struct xfrm_policy {
	possible_net_t xp_net;
	__u32 priority;
	__u32 index;
	__u32 if_id;
	struct xfrm_mark mark;
	struct xfrm_selector selector;
	__u8 action;
	__u8 xfrm_nr;
	__u16 family;
	struct xfrm_tmpl xfrm_vec[6];
};
struct dst_ops {
	unsigned short family;
};
struct dst_entry {
	struct dst_ops *ops;
	struct xfrm_state *xfrm;
};
struct flowi_common {
	__u32 flowic_mark;
	__u8 flowic_proto;
};
struct flowi4 {
	struct flowi_common __fl_common;
	__be32 saddr;
	__be32 daddr;
};
struct flowi6 {
	struct flowi_common __fl_common;
	struct in6_addr daddr;
	struct in6_addr saddr;
};
struct flowi {
	union {
		struct flowi_common __fl_common;
		struct flowi4 ip4;
		struct flowi6 ip6;
	} u;
};
struct netns_xfrm {
	unsigned int policy_count[6];
};
struct net___xfrm {
	struct netns_xfrm xfrm;
};

#pragma clang attribute pop

/* include/uapi/linux/xfrm.h: messages of NETLINK_XFRM, and the offsets of what is read of their fixed parts.
 * Keys come after these, in attributes, of which only XFRMA_MARK is read. */
#define XFRM_MSG_NEWSA 0x10
#define XFRM_MSG_DELSA 0x11
#define XFRM_MSG_NEWPOLICY 0x13
#define XFRM_MSG_DELPOLICY 0x14
#define XFRM_MSG_ALLOCSPI 0x16
#define XFRM_MSG_UPDPOLICY 0x19
#define XFRM_MSG_UPDSA 0x1a
#define XFRM_MSG_FLUSHSA 0x1c
#define XFRM_MSG_FLUSHPOLICY 0x1d
#define XFRMA_MARK 21

/* The wire form of struct xfrm_selector (56 bytes): daddr 0, saddr 16, family 40, proto 44. */
#define XFRM_SELECTOR_SADDR 16
#define XFRM_SELECTOR_FAMILY 40
#define XFRM_SELECTOR_PROTO 44
/* struct xfrm_usersa_info: its selector, then the id (daddr, spi, proto), then saddr; family after lifetimes.
 */
#define XFRM_USERSA_INFO_ID 56
#define XFRM_USERSA_INFO_SADDR 80
#define XFRM_USERSA_INFO_FAMILY 212
/* struct xfrm_usersa_id: daddr 0, spi 16, family 20, proto 22. */
#define XFRM_USERSA_ID_SPI 16
#define XFRM_USERSA_ID_FAMILY 20
#define XFRM_USERSA_ID_PROTO 22
#define XFRM_USERSA_ID_BYTES 24
/* struct xfrm_userpolicy_info: selector, lifetimes, priority, index, dir. */
#define XFRM_USERPOLICY_INFO_INDEX 156
#define XFRM_USERPOLICY_INFO_DIR 160
/* struct xfrm_userpolicy_id: selector, index, dir. */
#define XFRM_USERPOLICY_ID_INDEX 56
#define XFRM_USERPOLICY_ID_DIR 60
#define XFRM_USERPOLICY_ID_BYTES 64

/* enum in include/net/xfrm.h. */
#define XFRM_STATE_ACQ 1
#define XFRM_STATE_EXPIRED 4
#define XFRM_STATE_DEAD 5
#define XFRM_POLICY_OUT 1

#endif
