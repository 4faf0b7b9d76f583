/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Thirty programs of ordinary size at tracepoints, to time opening, loading and attaching. */
#include "record.bpf.h"

#define PROGRAM(number, tracepoint)                                                                              \
	SEC("raw_tp/" #tracepoint) int ft_##number(__u64 *ctx)                                                   \
	{                                                                                                        \
		FR_RECORDING;                                                                                    \
		struct rec_xsk_rx_publish *r;                                                                    \
                                                                                                                 \
		if (!fr_task_wanted() || !fr_device_wanted(number, number))                                      \
			return 0;                                                                                \
		r = fr_begin(xsk_rx_publish, 0);                                                                 \
		if (!r)                                                                                          \
			return 0;                                                                                \
		r->object = number;                                                                              \
		r->position = 0;                                                                                 \
		r->addr = ctx[0];                                                                                \
		r->len = 0;                                                                                      \
		r->pad0 = 0;                                                                                     \
		r->pad1 = 0;                                                                                     \
		fr_end(r);                                                                                       \
		return 0;                                                                                        \
	}

PROGRAM(0, net_dev_queue) PROGRAM(1, net_dev_xmit) PROGRAM(2, netif_receive_skb) PROGRAM(3, netif_rx)
PROGRAM(4, kfree_skb) PROGRAM(5, consume_skb) PROGRAM(6, napi_poll) PROGRAM(7, net_dev_queue)
PROGRAM(8, net_dev_xmit) PROGRAM(9, netif_receive_skb) PROGRAM(10, netif_rx) PROGRAM(11, kfree_skb)
PROGRAM(12, consume_skb) PROGRAM(13, napi_poll) PROGRAM(14, net_dev_queue) PROGRAM(15, net_dev_xmit)
PROGRAM(16, netif_receive_skb) PROGRAM(17, netif_rx) PROGRAM(18, kfree_skb) PROGRAM(19, consume_skb)
PROGRAM(20, napi_poll) PROGRAM(21, net_dev_queue) PROGRAM(22, net_dev_xmit) PROGRAM(23, netif_receive_skb)
PROGRAM(24, netif_rx) PROGRAM(25, kfree_skb) PROGRAM(26, consume_skb) PROGRAM(27, napi_poll)
PROGRAM(28, net_dev_queue) PROGRAM(29, net_dev_xmit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
