/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * BPF iterators over TCP and UDP sockets, and the insertions into and removals from the hash tables they
 * walk: no data path.
 *
 * An iterator is known by its session id (kernel/bpf/bpf_iter.c: bpf_iter_priv_data), which is never reused.
 * Its reads are seen at bpf_seq_read, which serves BPF iterators only, and what it shows at
 * bpf_iter_*_seq_show: readers of /proc/net/udp and tcp use neither, though on 6.1 they share udp_seq_start,
 * udp_seq_next and udp_seq_stop.
 *
 * A socket is told to be there after its insertion and to be gone before its removal, so that whatever an
 * iterator does between the two events, the socket was there for it to find.
 */
#include "recorder.bpf.h"

#define SOCKITER_FIRST FR_OWN_FLAG     /* of a start: nothing was read before */
#define SOCKITER_DISCARDED FR_OWN_FLAG /* of a show: no room, or an error; the socket is shown again */
#define SOCKITER_MOVED FR_OWN_FLAG     /* of hash and unhash: to another bucket, by udp_lib_rehash */

#define SOCKITER_TCP 6
#define SOCKITER_UDP 17
/* include/net/tcp_states.h */
#define SOCKITER_SYN_SENT 2
#define SOCKITER_NEW_SYN_RECV 12 /* a request, not a socket yet */

/* A read begins to walk: the position is that of the first socket it will ask for. */
RECORD(sockiter_start)
{
	struct fr_head head;
	fr_cookie iterator;
	fr_netns netns;
	fr_pointer seq;
	fr_u64 position;
	fr_u32 bucket;
	fr_u32 offset;
	fr_proto proto;
	fr_u8 phase;
	fr_u16 pad0;
	fr_u32 pad1;
};

/* The iterator's program was given a socket. */
RECORD(sockiter_show)
{
	struct fr_head head;
	fr_cookie iterator;
	fr_netns netns;
	fr_pointer socket;
	fr_cookie cookie;
	fr_u64 position;
	fr_u32 bucket;
	fr_s32 result;
	fr_family family;
	fr_proto proto;
	fr_port port;
	fr_u8 tcp_state;
	fr_u8 phase;
	fr_u16 pad0;
};

/* A read leaves the walk: `next` is the socket it would have shown next, 0 if there is none. */
RECORD(sockiter_stop)
{
	struct fr_head head;
	fr_cookie iterator;
	fr_netns netns;
	fr_pointer next;
	fr_u64 position;
	fr_u32 bucket;
	fr_u32 offset;
	fr_proto proto;
	fr_u8 phase;
	fr_u16 pad0;
	fr_u32 pad1;
};

/* A read has come to the end of all buckets. */
RECORD(sockiter_end)
{
	struct fr_head head;
	fr_cookie iterator;
	fr_netns netns;
	fr_u64 position;
	fr_u32 bytes;
	fr_proto proto;
	fr_u8 pad0;
	fr_u16 pad1;
};

/* The iterator's file was closed. */
RECORD(sockiter_release)
{
	struct fr_head head;
	fr_cookie iterator;
	fr_netns netns;
	fr_u64 position;
	fr_proto proto;
	fr_u8 pad0;
	fr_u16 pad1;
	fr_u32 pad2;
};

/* A socket has been put into its hash table. */
RECORD(sockiter_hash)
{
	struct fr_head head;
	fr_netns netns;
	fr_pointer socket;
	fr_cookie cookie;
	fr_family family;
	fr_proto proto;
	fr_port port;
	fr_u8 tcp_state;
	fr_u8 pad0;
	fr_u16 pad1;
};

/* A socket is about to be taken out of its hash table. */
RECORD(sockiter_unhash)
{
	struct fr_head head;
	fr_netns netns;
	fr_pointer socket;
	fr_cookie cookie;
	fr_family family;
	fr_proto proto;
	fr_port port;
	fr_u8 tcp_state;
	fr_u8 pad0;
	fr_u16 pad1;
};

/* A socket that was there when the recorder started; from a dump, not from a probe. */
RECORD(sockiter_socket_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_cookie cookie;
	fr_family family;
	fr_proto proto;
	fr_port port;
	fr_u32 pad0;
};

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

static __always_inline int sockiter_netns_wanted(__u64 netns)
{
	return !fr_only_netns || netns == fr_only_netns;
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

/* A macro, because the records share these names and not a struct. */
#define sockiter_identify(r, sk, of_netns, of_proto)                                                         \
	do {                                                                                                 \
		(r)->netns = of_netns;                                                                       \
		(r)->socket = (__u64)sk;                                                                     \
		(r)->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);                             \
		(r)->family = BPF_CORE_READ(sk, __sk_common.skc_family);                                     \
		(r)->proto = of_proto;                                                                       \
		(r)->port = BPF_CORE_READ(sk, __sk_common.skc_num);                                          \
		(r)->tcp_state = BPF_CORE_READ(sk, __sk_common.skc_state);                                   \
	} while (0)

static __always_inline int sockiter_came(struct sock___sockiter *sk, __u8 proto, __u16 flags)
{
	__u64 netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	FR_RECORDING;
	struct rec_sockiter_hash *r;

	if (!sockiter_netns_wanted(netns))
		return 0;
	r = fr_begin(sockiter_hash, flags);
	if (!r)
		return 0;
	sockiter_identify(r, sk, netns, proto);
	fr_end(r);
	return 0;
}

static __always_inline int sockiter_goes(struct sock___sockiter *sk, __u8 proto, __u16 flags)
{
	__u64 netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	FR_RECORDING;
	struct rec_sockiter_unhash *r;

	if (!sockiter_netns_wanted(netns))
		return 0;
	r = fr_begin(sockiter_unhash, flags);
	if (!r)
		return 0;
	sockiter_identify(r, sk, netns, proto);
	fr_end(r);
	return 0;
}

/* TCP or UDP: UDP-Lite, DCCP and SCTP go the same ways into tables of their own. */
static __always_inline int sockiter_is(struct sock___sockiter *sk, __u16 proto)
{
	return BPF_CORE_READ(sk, sk_protocol) == proto;
}

static __always_inline int sockiter_hashed(struct sock___sockiter *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_node.pprev) != 0;
}

FR_EXIT(sockiter_udp_hash, udp_lib_get_port, struct sock___sockiter *sk, int result)
{
	if (result || !sockiter_is(sk, SOCKITER_UDP))
		return 0;
	return sockiter_came(sk, SOCKITER_UDP, 0);
}

FR_ENTRY(sockiter_udp_unhash, udp_lib_unhash, struct sock___sockiter *sk)
{
	if (!sockiter_is(sk, SOCKITER_UDP) || !sockiter_hashed(sk))
		return 0;
	return sockiter_goes(sk, SOCKITER_UDP, 0);
}

/* An iterator over the table by address (6.6 and newer) may rightly miss a socket that moves, or meet it
 * twice. */
FR_ENTRY(sockiter_udp_leave, udp_lib_rehash, struct sock___sockiter *sk)
{
	if (!sockiter_is(sk, SOCKITER_UDP) || !sockiter_hashed(sk))
		return 0;
	return sockiter_goes(sk, SOCKITER_UDP, SOCKITER_MOVED);
}

FR_EXIT(sockiter_udp_arrive, udp_lib_rehash, struct sock___sockiter *sk, int nothing)
{
	if (!sockiter_is(sk, SOCKITER_UDP) || !sockiter_hashed(sk))
		return 0;
	return sockiter_came(sk, SOCKITER_UDP, SOCKITER_MOVED);
}

/* __inet_hash and inet_hash differ among kernels, for both families; their only caller for listening doesn't.
 */
FR_EXIT(sockiter_tcp_listen, inet_csk_listen_start, struct sock___sockiter *sk, int result)
{
	if (result || !sockiter_is(sk, SOCKITER_TCP))
		return 0;
	return sockiter_came(sk, SOCKITER_TCP, 0);
}

FR_EXIT(sockiter_tcp_connect, __inet_hash_connect, void *death_row, struct sock___sockiter *sk, int result)
{
	if (result || !sockiter_is(sk, SOCKITER_TCP))
		return 0;
	return sockiter_came(sk, SOCKITER_TCP, 0);
}

/* Accepted connections: requests are inserted by inet_ehash_insert alone, and what connects is told above. */
FR_EXIT(sockiter_tcp_accept, inet_ehash_nolisten, struct sock___sockiter *sk, void *osk, void *found_dup_sk,
	__u8 inserted)
{
	if (!inserted || !sockiter_is(sk, SOCKITER_TCP) ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) == SOCKITER_SYN_SENT)
		return 0;
	return sockiter_came(sk, SOCKITER_TCP, 0);
}

FR_ENTRY(sockiter_tcp_unhash, inet_unhash, struct sock___sockiter *sk)
{
	if (!sockiter_is(sk, SOCKITER_TCP) || !sockiter_hashed(sk))
		return 0;
	return sockiter_goes(sk, SOCKITER_TCP, 0);
}

/* A small successor of the same cookie takes the socket's place, in TIME_WAIT or FIN_WAIT2. */
FR_ENTRY(sockiter_tcp_leave, tcp_time_wait, struct sock___sockiter *sk)
{
	if (!sockiter_hashed(sk))
		return 0;
	return sockiter_goes(sk, SOCKITER_TCP, 0);
}

/* struct inet_timewait_sock begins as struct sock does, with the common part. */
FR_EXIT(sockiter_timewait, inet_twsk_hashdance, struct sock___sockiter *tw, int nothing)
{
	return sockiter_came(tw, SOCKITER_TCP, 0);
}

FR_EXIT(sockiter_timewait_schedule, inet_twsk_hashdance_schedule, struct sock___sockiter *tw, int nothing)
{
	return sockiter_came(tw, SOCKITER_TCP, 0);
}

FR_ENTRY(sockiter_timewait_end, inet_twsk_kill, struct sock___sockiter *tw)
{
	return sockiter_goes(tw, SOCKITER_TCP, 0);
}
