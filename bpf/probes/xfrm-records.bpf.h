/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is recorded of IPsec states and policies, of requests for them, and of the packets they apply to. */
#ifndef FR_XFRM_RECORDS_BPF_H
#define FR_XFRM_RECORDS_BPF_H

#include "recorder.bpf.h"

/* Why a packet was not let through; the counters of /proc/net/xfrm_stat that go with each. */
#define XFRM_REASON_IN_NO_STATE 1      /* XfrmInNoStates */
#define XFRM_REASON_IN_REPLAY 2	       /* XfrmInStateSeqError */
#define XFRM_REASON_IN_ICV 3	       /* XfrmInStateProtoError */
#define XFRM_REASON_IN_POLICY 4	       /* XfrmInNoPols, XfrmInPolBlock, XfrmInTmplMismatch */
#define XFRM_REASON_OUT_SEQ_OVERFLOW 5 /* XfrmOutStateSeqError */
#define XFRM_REASON_OUT_LOOKUP 6       /* XfrmOutNoStates, XfrmOutPolBlock, XfrmOutBundleGenError */

/* Who ended a state or policy. */
#define XFRM_CAUSE_KERNEL 0 /* with its namespace, or by another way than a netlink request */
#define XFRM_CAUSE_REQUEST 1
#define XFRM_CAUSE_REPLACED 2
#define XFRM_CAUSE_FLUSH 3
#define XFRM_CAUSE_EXPIRED 4

#define XFRM_STATE_FIELDS                                                                                    \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ip daddr;                                                                                         \
	fr_ip saddr;                                                                                         \
	fr_spi spi;                                                                                          \
	fr_u32 reqid;                                                                                        \
	fr_u32 mark;                                                                                         \
	fr_u32 mark_mask;                                                                                    \
	fr_u32 if_id;                                                                                        \
	fr_proto proto;                                                                                      \
	fr_u8 mode;                                                                                          \
	fr_family family;                                                                                    \
	fr_u8 state;                                                                                         \
	fr_u32 key_bits;                                                                                     \
	fr_text algorithm

#define XFRM_POLICY_FIELDS                                                                                   \
	struct fr_head head;                                                                                 \
	fr_netns netns;                                                                                      \
	fr_ip daddr;                                                                                         \
	fr_ip saddr;                                                                                         \
	fr_ip tmpl_daddr;                                                                                    \
	fr_ip tmpl_saddr;                                                                                    \
	fr_u32 index;                                                                                        \
	fr_u32 priority;                                                                                     \
	fr_u32 mark;                                                                                         \
	fr_u32 mark_mask;                                                                                    \
	fr_u32 if_id;                                                                                        \
	fr_u32 reqid;                                                                                        \
	fr_spi tmpl_spi;                                                                                     \
	fr_u8 direction;                                                                                     \
	fr_u8 daddr_prefix;                                                                                  \
	fr_u8 saddr_prefix;                                                                                  \
	fr_family family;                                                                                    \
	fr_port sport;                                                                                       \
	fr_port dport;                                                                                       \
	fr_proto sel_proto;                                                                                  \
	fr_proto proto;                                                                                      \
	fr_u8 mode;                                                                                          \
	fr_u8 action

/* Dumped at the start, not probed. */
RECORD(xfrm_state_exists)
{
	XFRM_STATE_FIELDS;
	fr_u32 pad0;
};

/* A state was added, or refused (EEXIST: there is one already). */
RECORD(xfrm_state_add)
{
	XFRM_STATE_FIELDS;
	fr_errno result;
	fr_portid portid;
	fr_u32 pad0;
};

/* A state was updated, or not (ESRCH: there is none). */
RECORD(xfrm_state_update)
{
	XFRM_STATE_FIELDS;
	fr_errno result;
	fr_portid portid;
	fr_u32 pad0;
};

/* A state is about to end; `state` is what it was. */
RECORD(xfrm_state_delete)
{
	XFRM_STATE_FIELDS;
	fr_u32 cause;
	fr_portid portid;
	fr_u32 pad0;
};

RECORD(xfrm_state_flush)
{
	struct fr_head head;
	fr_netns netns;
	fr_errno result;
	fr_portid portid;
	fr_proto proto;
	fr_u8 pad0[3];
	fr_u32 pad1[3];
};

RECORD(xfrm_policy_exists)
{
	XFRM_POLICY_FIELDS;
};

/* A policy was added, took another's place, or was refused. */
RECORD(xfrm_policy_add)
{
	XFRM_POLICY_FIELDS;
	fr_errno result;
	fr_portid portid;
};

/* A policy ends. */
RECORD(xfrm_policy_delete)
{
	XFRM_POLICY_FIELDS;
	fr_u32 cause;
	fr_portid portid;
};

RECORD(xfrm_policy_flush)
{
	struct fr_head head;
	fr_netns netns;
	fr_errno result;
	fr_portid portid;
	fr_u32 pad0[4];
};

/* A netlink request that changes states or policies has been answered; the only trace of a delete of what
 * isn't there. */
RECORD(xfrm_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_ip daddr;
	fr_ip saddr;
	fr_spi spi;
	fr_u32 mark;
	fr_u32 mark_mask;
	fr_u32 index;
	fr_errno result;
	fr_portid portid;
	fr_u8 request;
	fr_family family;
	fr_proto proto;
	fr_u8 direction;
	fr_u32 pad0;
};

/* Packets that were not let through: the first at once, then one event a second. */
RECORD(xfrm_drop)
{
	struct fr_head head;
	fr_netns netns;
	fr_ip daddr;
	fr_ip saddr;
	fr_spi spi;
	fr_u32 mark;
	fr_reason reason;
	fr_errno result;
	fr_family family;
	fr_proto proto;
	fr_u16 pad0;
	fr_u32 pad1;
	fr_count packets;
};

/* Packets a state was applied to: the first at once, the first of each VNI, then one event a second, the rest
 * when the state ends. */
RECORD(xfrm_traffic)
{
	struct fr_head head;
	fr_netns netns;
	fr_ip daddr;
	fr_ip saddr;
	fr_spi spi;
	fr_vni vni;
	fr_count packets;
	fr_count bytes;
	fr_u32 mark;
	fr_u32 reqid;
	fr_u8 direction;
	fr_u8 has_vni;
	fr_proto proto;
	fr_family family;
	fr_u32 pad0;
};

/* VXLAN packets that leave a device in the clear: the first at once, then one event a second, and at once
 * after a state or policy of that destination ended. */
RECORD(xfrm_wire)
{
	struct fr_head head;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_vni vni;
	fr_ip src;
	fr_ip dst;
	fr_u32 mark;
	fr_port dport;
	fr_family family;
	fr_u8 pad0;
	fr_count packets;
	fr_name device;
};

#endif
