/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is recorded of iterators over TCP and UDP sockets, and of the tables they walk. */
#ifndef SOCKITER_RECORDS_BPF_H
#define SOCKITER_RECORDS_BPF_H

#include "recorder.bpf.h"

#define SOCKITER_FIRST FR_OWN_FLAG     /* of a start: nothing was read before */
#define SOCKITER_DISCARDED FR_OWN_FLAG /* of a show: no room, or an error; the socket is shown again */
#define SOCKITER_MOVED FR_OWN_FLAG     /* of hash and unhash: to another bucket, by udp_lib_rehash */

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

/* The fields of an insertion and of a removal. */
#define SOCKITER_SOCKET_FIELDS                                                                               \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_pointer socket;                                                                                   \
	fr_cookie cookie;                                                                                    \
	fr_family family;                                                                                    \
	fr_proto proto;                                                                                      \
	fr_port port;                                                                                        \
	fr_u8 tcp_state;                                                                                     \
	fr_u8 pad0;                                                                                          \
	fr_u16 pad1

/* A socket has been put into its hash table. */
RECORD(sockiter_hash)
{
	SOCKITER_SOCKET_FIELDS;
};

/* A socket is about to be taken out of its hash table. */
RECORD(sockiter_unhash)
{
	SOCKITER_SOCKET_FIELDS;
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

#endif
