/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is recorded of neighbour entries, the requests behind them and announcements. */
#ifndef NEIGH_RECORDS_BPF_H
#define NEIGH_RECORDS_BPF_H

#include "recorder.bpf.h"

/* Which entry, and its state. */
#define NEIGH_ENTRY_FIELDS                                                                                   \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_family family;                                                                                    \
	fr_nud nud;                                                                                          \
	fr_u16 pad0;                                                                                         \
	fr_ip ip

/* Of the dump at the start: an entry there was. */
RECORD(neigh_exists)
{
	NEIGH_ENTRY_FIELDS;
	fr_mac mac;
	fr_u16 pad1;
};

/* An entry was made for an address, not resolved yet. */
RECORD(neigh_create)
{
	NEIGH_ENTRY_FIELDS;
};

/* An entry is about to change: who asked, from what, to what. */
RECORD(neigh_update)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_nud nud;
	fr_nud new_nud;
	fr_u8 has_new_mac;
	fr_ip ip;
	fr_mac mac;
	fr_mac new_mac;
	fr_bits update_flags;
	fr_portid portid;
	fr_u32 pad0;
};

/* The change was made, or refused. */
RECORD(neigh_update_done)
{
	NEIGH_ENTRY_FIELDS;
	fr_mac mac;
	fr_u16 pad1;
	fr_errno result;
	fr_u32 pad2;
};

/* The entry's timer ran; `nud` is the state after it. */
RECORD(neigh_timer)
{
	NEIGH_ENTRY_FIELDS;
	fr_errno result;
	fr_u32 pad1;
};

/* The entry is gone from the table. */
RECORD(neigh_release)
{
	NEIGH_ENTRY_FIELDS;
	fr_mac mac;
	fr_u16 pad1;
};

/* An entry was asked for, or its deletion, with this result: also what the kernel refused. */
RECORD(neigh_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_family family;
	fr_u8 operation;
	fr_u8 has_new_mac;
	fr_u8 pad0;
	fr_ip ip;
	fr_mac new_mac;
	fr_u16 pad1;
	fr_bits new_state; /* NUD_* asked for, 0 in a deletion */
	fr_bits nlmsg_flags;
	fr_bits entry_flags; /* NTF_* */
	fr_portid portid;
	fr_errno result;
	fr_u32 pad2;
};

/* An address and the MAC it is said to have. */
#define NEIGH_ANNOUNCEMENT_FIELDS                                                                            \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_family family;                                                                                    \
	fr_u8 message;                                                                                       \
	fr_u16 pad0;                                                                                         \
	fr_ip ip;                                                                                            \
	fr_mac mac;                                                                                          \
	fr_u16 pad1

/* Somebody told everybody that an address has a MAC: gratuitous ARP (RFC 5944, 4.6), or an unsolicited
 * neighbour advertisement (RFC 4861, 7.2.6). */
RECORD(neigh_announce_receive)
{
	NEIGH_ANNOUNCEMENT_FIELDS;
};

/* The same, by this machine's kernel. */
RECORD(neigh_announce_send)
{
	NEIGH_ANNOUNCEMENT_FIELDS;
};

#endif
