/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is recorded of VXLAN devices, their forwarding entries and their packets. */
#ifndef VXLAN_RECORDS_BPF_H
#define VXLAN_RECORDS_BPF_H

#include "recorder.bpf.h"

/* The change came with a packet: the entry was learned, or moved to where the packet came from. */
#define VXLAN_LEARNED 0x0100

/* Of the dump at the start: a device there was, */
RECORD(vxlan_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_netns link_netns; /* of its UDP socket, 0 if unknown */
	fr_ip local;
	fr_port port;
	fr_u16 pad0;
	fr_u32 pad1;
};

/* and a forwarding entry. */
RECORD(vxlan_fdb_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_ip remote;
	fr_mac mac;
	fr_u16 pad0;
	fr_bits fdb_state;
	fr_bits fdb_flags;
};

/* A device and what its socket is bound to. */
#define VXLAN_DEVICE_FIELDS                                                                                  \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_vni vni;                                                                                          \
	fr_netns link_netns;                                                                                 \
	fr_ip local;                                                                                         \
	fr_name device;                                                                                      \
	fr_port port;                                                                                        \
	fr_u16 pad0

/* A device was made; its VNI is taken in `link_netns`, where its socket is. */
RECORD(vxlan_device_add)
{
	VXLAN_DEVICE_FIELDS;
	fr_u32 pad1;
};

/* A device was asked for and refused: EEXIST if its VNI is taken in `link_netns`. */
RECORD(vxlan_device_refused)
{
	VXLAN_DEVICE_FIELDS;
	fr_errno result;
};

RECORD(vxlan_device_delete)
{
	VXLAN_DEVICE_FIELDS;
	fr_u32 pad1;
};

/* A device was moved from `netns` to another namespace. */
RECORD(vxlan_device_move)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_netns to_netns;
	fr_netns link_netns;
	fr_name device;
	fr_ifindex to_ifindex;
	fr_u32 pad0;
};

/* Its state is of NUD_*, its flags of NTF_*; portid is 0 unless a request of this thread is being served. */
#define VXLAN_ENTRY_FIELDS                                                                                   \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_vni vni;                                                                                          \
	fr_ip remote;                                                                                        \
	fr_mac mac;                                                                                          \
	fr_port port;                                                                                        \
	fr_bits fdb_state;                                                                                   \
	fr_bits fdb_flags;                                                                                   \
	fr_portid portid;                                                                                    \
	fr_vni remote_vni;                                                                                   \
	fr_netns link_netns;                                                                                 \
	fr_name device

/* A forwarding entry has this remote from now on, and no other unless it was appended. */
RECORD(vxlan_fdb_update)
{
	VXLAN_ENTRY_FIELDS;
};

/* The entry, or one remote of it, is gone. */
RECORD(vxlan_fdb_delete)
{
	VXLAN_ENTRY_FIELDS;
};

/* All entries that aren't permanent, or all, are about to go: the device goes down or away, or was told to.
 */
RECORD(vxlan_flush)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_portid portid;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* A forwarding entry was asked for, or its deletion, with this result. */
RECORD(vxlan_fdb_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni; /* 0: neither the device nor the request says it */
	fr_ip remote;
	fr_mac mac;
	fr_u8 operation;
	fr_u8 pad0;
	fr_bits fdb_state;
	fr_bits fdb_flags;
	fr_bits nlmsg_flags;
	fr_portid portid;
	fr_errno result;
	fr_u32 pad1;
};

/* Packets from a MAC whose entry is static came from another VTEP, and were dropped. */
RECORD(vxlan_learn_refused)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_ip remote;
	fr_mac mac;
	fr_u16 pad0;
	fr_count packets;
};

/* Packets went to a remote. */
RECORD(vxlan_packets)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_netns link_netns;
	fr_ip local; /* unspecified: left to the routes */
	fr_ip remote;
	fr_count packets;
	fr_count bytes;
};

/* Packets were dropped: their MAC has no entry, and there is no default remote. */
RECORD(vxlan_no_remote)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_mac mac;
	fr_u16 pad0;
	fr_count packets;
};

#endif
