/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Insertions into the hash tables of TCP and UDP sockets, and removals from them: no data path.
 *
 * A socket is told to be there after its insertion and to be gone before its removal, so that whatever an
 * iterator does between the two events, the socket was there for it to find.
 */
#ifndef SOCKITER_TABLES_BPF_H
#define SOCKITER_TABLES_BPF_H

#include "sockiter-kernel.bpf.h"

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

#endif
