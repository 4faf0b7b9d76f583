/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The records of the AF_XDP path; each says when it is written. */
#ifndef FR_XSK_RECORDS_BPF_H
#define FR_XSK_RECORDS_BPF_H

#include "recorder.bpf.h"

#define XSK_FROM_FREE_LIST                                                                                   \
	FR_OWN_FLAG /* xsk_fill_take: a dropped frame handed out again, not a FILL entry                     \
		     */
#define XSK_LOOK_TIMER (FR_OWN_FLAG << 1) /* seen by the timer, not by a hook in the kernel's path */

#define XSK_DROP_RX_FULL 1
#define XSK_DROP_FILL_EMPTY 2
#define XSK_DROP_FILL_INVALID 3

#define XSK_WAKE_SENDTO 1
#define XSK_WAKE_RECVFROM 2
#define XSK_WAKE_POLL 3

#define XSK_HAS_RX 1
#define XSK_HAS_TX 2
#define XSK_HAS_FILL 4
#define XSK_HAS_COMP 8
#define XSK_HAS_UMEM 16

/* The application put a frame into FILL, some time between `since` and now. */
RECORD(xsk_fill_submit)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes pad0;
	fr_u32 pad1;
	fr_ns since;
};

/* The kernel took a frame to write a packet into. */
RECORD(xsk_fill_take)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_u64 pad0;
	fr_u64 pad1;
};

/* XDP redirected a packet of this length to the socket. */
RECORD(xsk_redirect)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position pad0;
	fr_u64 pad1;
	fr_bytes len;
	fr_u32 pad2;
	fr_u64 pad3;
};

/* A receive is about to reserve the RX entry at `position`. */
RECORD(xsk_rx_reserve)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_u64 pad0;
	fr_bytes len;
	fr_u32 pad1;
	fr_u64 pad2;
};

/* The RX entry at `position` is written; the application can't see it yet. */
RECORD(xsk_rx_write)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The first bytes of the packet that the RX entry at `position` describes; only where they were asked for. */
RECORD(xsk_packet)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_bytes kept; /* how many of them follow */
	fr_packet packet;
};

/* The RX entry at `position` became visible to the application, with what it holds at that moment. */
RECORD(xsk_rx_publish)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The application released `count` RX entries up to `position`, some time between `since` and now. */
RECORD(xsk_rx_consume)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 count;
	fr_ns since;
};

RECORD(xsk_drop)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_reason reason;
	fr_u64 pad0;
	fr_bytes len;
	fr_u32 count;
	fr_u64 pad1;
};

/* The application put a packet into TX, some time between `since` and now. */
RECORD(xsk_tx_submit)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_position position;
	fr_umem_addr addr;
	fr_bytes len;
	fr_u32 pad0;
	fr_ns since;
};

/* The kernel took a packet from TX and sends it. */
RECORD(xsk_tx_take)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position pad0;
	fr_umem_addr addr;
	fr_u64 pad1;
	fr_u64 pad2;
};

/* The kernel gave a sent frame back in COMP. */
RECORD(xsk_comp_submit)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_umem_addr addr;
	fr_u64 pad0;
	fr_u64 pad1;
};

/* `count` sent frames are about to be given back in COMP; written before the application can see them there.
 */
RECORD(xsk_comp_begin)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u32 pad2;
	fr_u32 count;
	fr_u64 pad3;
};

/* The application released `count` COMP entries up to `position`, some time between `since` and now. */
RECORD(xsk_comp_consume)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_position position;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 count;
	fr_ns since;
};

/* The application entered the kernel to be served. */
RECORD(xsk_wakeup)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_reason reason;
	fr_u64 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
};

RECORD(xsk_socket_create)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_errno result;
	fr_netns netns;
	fr_u64 pad0;
	fr_u64 pad1;
};

RECORD(xsk_umem_register)
{
	struct fr_head head;
	fr_object object; /* umem */
	fr_bytes chunk_size;
	fr_u64 size;
	fr_bytes headroom;
	fr_bits umem_flags;
	fr_u64 pad0;
};

RECORD(xsk_bind)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_errno result;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_queue queue;
	fr_bits bind_flags;
	fr_s32 shared_fd;
	fr_object umem;		   /* the socket's own or, when sharing, the shared one */
	fr_bits has;		   /* XSK_HAS_*: what had been set up on this socket */
	fr_ifindex shared_ifindex; /* where the socket that is shared with is bound */
	fr_queue shared_queue;
	fr_netns shared_netns;
};

RECORD(xsk_release)
{
	struct fr_head head;
	fr_object object; /* socket */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};

/* Polling of the queue's NAPI context. */
RECORD(xsk_napi_schedule)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};
RECORD(xsk_napi_begin)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};
RECORD(xsk_napi_end)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 work;
	fr_u64 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
};
RECORD(xsk_napi_complete)
{
	struct fr_head head;
	fr_object object; /* queue */
	fr_u32 work;
	fr_u64 pad0;
	fr_u32 pad1;
	fr_u32 completed; /* 1: another CPU may poll from now on */
	fr_u64 pad2;
};
/* All sockets that this CPU's poll delivered to are flushed. */
RECORD(xsk_flush)
{
	struct fr_head head;
	fr_object object; /* queue of the last redirect on this CPU */
	fr_u32 pad0;
	fr_u64 pad1;
	fr_u64 pad2;
	fr_u64 pad3;
};

/* A record that says no more than which object. */
#define xsk_emit(name, object_)                                                                              \
	do {                                                                                                 \
		FR_RECORDING;                                                                                \
		struct rec_##name *r_ = fr_begin(name, 0);                                                   \
		if (r_) {                                                                                    \
			r_->object = object_;                                                                \
			fr_end(r_);                                                                          \
		}                                                                                            \
	} while (0)

#endif
