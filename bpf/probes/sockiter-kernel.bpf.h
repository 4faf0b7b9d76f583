/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The fields of sockets and of iterators over them that the probes read. */
#ifndef SOCKITER_KERNEL_BPF_H
#define SOCKITER_KERNEL_BPF_H

#include "sockiter-records.bpf.h"

#define SOCKITER_TCP 6
#define SOCKITER_UDP 17
/* include/net/tcp_states.h */
#define SOCKITER_SYN_SENT 2
#define SOCKITER_NEW_SYN_RECV 12 /* a request, not a socket yet */

/* Struct flavours: libbpf ignores what follows the three underscores. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct hlist_node___sockiter {
	void *next;
	void **pprev;
};
struct sock_common___sockiter {
	__u16 skc_num;
	__u16 skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct {
		__s64 counter;
	} skc_cookie;
	struct hlist_node___sockiter skc_node;
};
struct sock___sockiter {
	struct sock_common___sockiter __sk_common;
	__u16 sk_protocol;
};
struct seq_file {
	unsigned long size;
	unsigned long count;
	__s64 index;
	void *private;
};
struct bpf_iter_reg {
	const char *target;
};
struct bpf_iter_target_info {
	const struct bpf_iter_reg *reg_info;
};
struct bpf_iter_priv_data {
	struct bpf_iter_target_info *tinfo;
	__u64 session_id;
	_Bool done_stop;
	__u8 target_private[0];
};
struct seq_net_private {
	struct net *net;
};
struct udp_iter_state {
	struct seq_net_private p;
	int bucket;
};
/* 6.6 to 6.15; later ones remember the cookies of the sockets still to be shown. */
struct bpf_udp_iter_state {
	struct udp_iter_state state;
	int offset;
};
enum tcp_seq_states { TCP_SEQ_STATE_LISTENING, TCP_SEQ_STATE_ESTABLISHED };
struct tcp_iter_state {
	struct seq_net_private p;
	enum tcp_seq_states state;
	int bucket, offset;
};
#pragma clang attribute pop

static __always_inline int sockiter_netns_wanted(__u64 netns)
{
	return !fr_only_netns || netns == fr_only_netns;
}

#endif
