/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records of the link path. */
#ifndef LINK_RECORDS_BPF_H
#define LINK_RECORDS_BPF_H

/* Why an address went. What user space reads of it is in src/probes/link.ts. */
#define LINK_REASON_REQUEST 1
#define LINK_REASON_SYSCTL 2
#define LINK_REASON_DOWN 3
#define LINK_REASON_DEVICE_GONE 4
#define LINK_REASON_MOVED 5
#define LINK_REASON_EXPIRED 6
#define LINK_REASON_DUPLICATE 7

/* Of a device that is no bridge port; of one whose state can't be read, because the bridge came later. */
#define LINK_NO_PORT 0xff
#define LINK_PORT_UNKNOWN 0xfe

/* A device that was there when recording began; written by user space. */
RECORD(link_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_ifindex master;
	fr_name name;
	fr_name device_kind;
	fr_mac mac;
	fr_u8 port_state;
	fr_u8 pad0;
	fr_bits device_flags;
	fr_u32 pad1;
};

/* Of a device. */
#define LINK_ADDRESS_FIELDS                                                                                  \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_u8 prefix;                                                                                        \
	fr_family family;                                                                                    \
	fr_u16 pad0;                                                                                         \
	fr_ip ip

/* An address that was there when recording began; written by user space. */
RECORD(link_address_exists)
{
	LINK_ADDRESS_FIELDS;
	fr_bits address_flags;
	fr_u32 pad1;
};

RECORD(link_register)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
	fr_name device_kind;
	fr_mac mac;
	fr_u16 pad0;
};

RECORD(link_unregister)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
};

/* Asked for and done, or refused: `result`. `device_flags` are those it was asked under. */
RECORD(link_rename)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
	fr_name new_name;
	fr_errno result;
	fr_u32 pad0;
};

/* The peer is a veth's other end; `bridge` is the one that the peer is a port of. */
RECORD(link_up)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
	fr_mac mac;
	fr_u8 carrier;
	fr_u8 pad0;
	fr_ifindex peer_ifindex;
	fr_ifindex bridge;
	fr_netns peer_netns;
};

RECORD(link_down)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
};

RECORD(link_change)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_u8 operstate;
	fr_u8 carrier;
	fr_u16 pad0;
	fr_u32 pad1;
	fr_u64 pad2;
};

RECORD(link_mac_change)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
	fr_mac mac; /* zero: not known */
	fr_mac new_mac;
	fr_u32 pad0;
};

/* About to be moved; link_move_done tells what came of it. */
RECORD(link_move)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns new_netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_name name;
};

/* `netns` and `ifindex` are where it is now: where it was, if that was refused. */
RECORD(link_move_done)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns old_netns;
	fr_ifindex ifindex;
	fr_ifindex old_ifindex;
	fr_name name;
	fr_name device_kind;
	fr_mac mac;
	fr_u16 pad0;
	fr_errno result;
	fr_bits device_flags;
};

/* `master` 0: it has none any more. */
RECORD(link_master)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_ifindex master;
	fr_name name;
};

RECORD(link_port_state)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_ifindex bridge;
	fr_name name;
	fr_u8 old_state;
	fr_u8 port_state;
	fr_u16 pad0;
	fr_u32 pad1;
};

RECORD(link_address_add)
{
	LINK_ADDRESS_FIELDS;
	fr_bits address_flags;
	fr_u32 pad1;
};

RECORD(link_address_delete)
{
	LINK_ADDRESS_FIELDS;
	fr_bits address_flags;
	fr_reason reason;
};

/* Another host claimed the address while it was being tested; `mac` is that host's. */
RECORD(link_dad_failure)
{
	LINK_ADDRESS_FIELDS;
	fr_mac mac;
	fr_u16 pad1;
};

/* Addresses that the request left out are zero. */
#define LINK_ROUTE_FIELDS                                                                                    \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ifindex ifindex;                                                                                  \
	fr_u8 prefix;                                                                                        \
	fr_family family;                                                                                    \
	fr_u16 pad0;                                                                                         \
	fr_ip destination;                                                                                   \
	fr_ip gateway;                                                                                       \
	fr_ip source;                                                                                        \
	fr_u32 table;                                                                                        \
	fr_errno result

RECORD(link_route_add)
{
	LINK_ROUTE_FIELDS;
};

RECORD(link_route_delete)
{
	LINK_ROUTE_FIELDS;
};

/* A netlink request about a link, an address or a route was refused; `ifindex` 0: it named no device by
 * number. */
RECORD(link_request_failed)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_errno result;
	fr_portid portid;
	fr_u32 request;
	fr_u64 pad0;
};

/*
 * A gratuitous ARP or an unsolicited neighbour advertisement is handed to the device, whoever made it: `mac`
 * is what it tells. The port is the device's own, or that of the other end if it is a veth.
 */
RECORD(link_advertise)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_bits device_flags;
	fr_ip ip;
	fr_mac mac;
	fr_mac device_mac;
	fr_family family;
	fr_u8 operstate;
	fr_u8 carrier;
	fr_u8 port_state;
	fr_netns peer_netns;
	fr_ifindex peer_ifindex;
	fr_ifindex bridge;
	fr_name name;
	fr_name peer_name;
};

#endif
