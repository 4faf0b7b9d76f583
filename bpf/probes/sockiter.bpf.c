/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * BPF iterators over TCP and UDP sockets: no data path.
 *
 * An iterator is known by its session id (kernel/bpf/bpf_iter.c: bpf_iter_priv_data), which is never reused.
 * Its reads are seen at bpf_seq_read, which serves BPF iterators only, and what it shows at
 * bpf_iter_*_seq_show: readers of /proc/net/udp and tcp use neither, though on 6.1 they share udp_seq_start,
 * udp_seq_next and udp_seq_stop.
 */
#include "sockiter-kernel.bpf.h"
#include "sockiter-tables.bpf.h"

static __always_inline struct bpf_iter_priv_data *sockiter_priv(struct seq_file *seq)
{
	return BPF_CORE_READ(seq, private) - bpf_core_field_offset(struct bpf_iter_priv_data, target_private);
}

/* What an iterator walks, by the name it is registered under; 0: neither TCP nor UDP sockets. */
static __always_inline __u8 sockiter_proto(struct bpf_iter_priv_data *priv)
{
	const char *target = BPF_CORE_READ(priv, tinfo, reg_info, target);
	char name[4] = {};

	bpf_probe_read_kernel(name, sizeof(name), target);
	if (name[1] == 'c' && name[2] == 'p' && !name[3] && name[0] == 't')
		return SOCKITER_TCP;
	return name[1] == 'd' && name[2] == 'p' && !name[3] && name[0] == 'u' ? SOCKITER_UDP : 0;
}

/* Only sockets of the namespace that the iterator was opened in are shown: it begins both states. */
static __always_inline __u64 sockiter_netns(struct seq_file *seq)
{
	struct seq_net_private *p = BPF_CORE_READ(seq, private);

	return BPF_CORE_READ(p, net, net_cookie);
}

static __always_inline __u32 sockiter_bucket(struct seq_file *seq, __u8 proto)
{
	void *state = BPF_CORE_READ(seq, private);

	return proto == SOCKITER_TCP ? BPF_CORE_READ((struct tcp_iter_state *)state, bucket)
				     : BPF_CORE_READ((struct udp_iter_state *)state, bucket);
}

/* Sockets of the bucket that were passed; 0 on kernels that count differently. */
static __always_inline __u32 sockiter_offset(struct seq_file *seq, __u8 proto)
{
	void *state = BPF_CORE_READ(seq, private);

	if (proto == SOCKITER_TCP)
		return BPF_CORE_READ((struct tcp_iter_state *)state, offset);
	if (bpf_core_field_exists(struct bpf_udp_iter_state, offset))
		return BPF_CORE_READ((struct bpf_udp_iter_state *)state, offset);
	return 0;
}

/* 0 while a TCP iterator walks the listening sockets, 1 in the established ones. */
static __always_inline __u8 sockiter_phase(struct seq_file *seq, __u8 proto)
{
	struct tcp_iter_state *state = BPF_CORE_READ(seq, private);

	return proto == SOCKITER_TCP ? BPF_CORE_READ(state, state) : 0;
}

FR_ENTRY(sockiter_start, bpf_seq_read, struct file *file)
{
	struct seq_file *seq = BPF_CORE_READ(file, private_data);
	struct bpf_iter_priv_data *priv = sockiter_priv(seq);
	struct rec_sockiter_start r = {};

	r.proto = sockiter_proto(priv);
	/* What an earlier read has left over is handed out first, without a walk. */
	if (!r.proto || BPF_CORE_READ(seq, count))
		return 0;
	r.netns = sockiter_netns(seq);
	if (!sockiter_netns_wanted(r.netns))
		return 0;
	r.iterator = BPF_CORE_READ(priv, session_id);
	r.seq = (__u64)seq;
	r.position = BPF_CORE_READ(seq, index);
	r.bucket = sockiter_bucket(seq, r.proto);
	r.offset = sockiter_offset(seq, r.proto);
	r.phase = sockiter_phase(seq, r.proto);
	fr_write(sockiter_start, &r, r.position == 0 ? SOCKITER_FIRST : 0);
	return 0;
}

static __always_inline int sockiter_show(struct seq_file *seq, struct sock___sockiter *sk, int result,
					 __u8 proto)
{
	struct rec_sockiter_show r = {};
	int discarded;

	/* The start token is no socket. */
	if ((__u64)sk <= 1)
		return 0;
	r.netns = sockiter_netns(seq);
	r.tcp_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (!sockiter_netns_wanted(r.netns) ||
	    (proto == SOCKITER_TCP && r.tcp_state == SOCKITER_NEW_SYN_RECV))
		return 0;
	r.iterator = BPF_CORE_READ(sockiter_priv(seq), session_id);
	r.socket = (__u64)sk;
	r.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	r.position = BPF_CORE_READ(seq, index);
	r.bucket = sockiter_bucket(seq, proto);
	r.result = result;
	r.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r.proto = proto;
	r.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	r.phase = sockiter_phase(seq, proto);
	/* include/linux/seq_file.h: seq_has_overflowed; then bpf_seq_read asks for the same socket again. */
	discarded = result < 0 || BPF_CORE_READ(seq, count) == BPF_CORE_READ(seq, size);
	fr_write(sockiter_show, &r, discarded ? SOCKITER_DISCARDED : 0);
	return 0;
}

FR_EXIT(sockiter_udp_show, bpf_iter_udp_seq_show, struct seq_file *seq, void *v, int result)
{
	return sockiter_show(seq, v, result, SOCKITER_UDP);
}

FR_EXIT(sockiter_tcp_show, bpf_iter_tcp_seq_show, struct seq_file *seq, void *v, int result)
{
	return sockiter_show(seq, v, result, SOCKITER_TCP);
}

static __always_inline int sockiter_stop(struct seq_file *seq, __u64 next, __u8 proto)
{
	struct rec_sockiter_stop r = {};

	r.netns = sockiter_netns(seq);
	if (!sockiter_netns_wanted(r.netns))
		return 0;
	r.iterator = BPF_CORE_READ(sockiter_priv(seq), session_id);
	r.next = next <= 1 ? 0 : next;
	r.position = BPF_CORE_READ(seq, index);
	r.bucket = sockiter_bucket(seq, proto);
	r.offset = sockiter_offset(seq, proto);
	r.proto = proto;
	r.phase = sockiter_phase(seq, proto);
	fr_write(sockiter_stop, &r, 0);
	return 0;
}

FR_ENTRY(sockiter_udp_stop, bpf_iter_udp_seq_stop, struct seq_file *seq, void *v)
{
	return sockiter_stop(seq, (__u64)v, SOCKITER_UDP);
}

FR_ENTRY(sockiter_tcp_stop, bpf_iter_tcp_seq_stop, struct seq_file *seq, void *v)
{
	return sockiter_stop(seq, (__u64)v, SOCKITER_TCP);
}

FR_EXIT(sockiter_end, bpf_seq_read, struct file *file, long bytes)
{
	struct seq_file *seq = BPF_CORE_READ(file, private_data);
	struct bpf_iter_priv_data *priv = sockiter_priv(seq);
	__u8 proto = sockiter_proto(priv);
	FR_RECORDING;
	struct rec_sockiter_end *r;
	__u64 netns;

	/* A failed walk stops without a next socket, too: only done_stop tells the end. */
	if (!proto || bytes < 0 || !BPF_CORE_READ(priv, done_stop))
		return 0;
	netns = sockiter_netns(seq);
	if (!sockiter_netns_wanted(netns))
		return 0;
	r = fr_begin(sockiter_end, 0);
	if (!r)
		return 0;
	r->iterator = BPF_CORE_READ(priv, session_id);
	r->netns = netns;
	r->position = BPF_CORE_READ(seq, index);
	r->bytes = bytes;
	r->proto = proto;
	fr_end(r);
	return 0;
}

FR_ENTRY(sockiter_release, iter_release, void *inode, struct file *file)
{
	struct seq_file *seq = BPF_CORE_READ(file, private_data);
	struct bpf_iter_priv_data *priv = sockiter_priv(seq);
	__u8 proto = sockiter_proto(priv);
	FR_RECORDING;
	struct rec_sockiter_release *r;
	__u64 netns;

	if (!seq || !proto)
		return 0;
	netns = sockiter_netns(seq);
	if (!sockiter_netns_wanted(netns))
		return 0;
	r = fr_begin(sockiter_release, 0);
	if (!r)
		return 0;
	r->iterator = BPF_CORE_READ(priv, session_id);
	r->netns = netns;
	r->position = BPF_CORE_READ(seq, index);
	r->proto = proto;
	fr_end(r);
	return 0;
}
