/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the check of relocations must find, and what it must let pass. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct net_device {
	unsigned long long ifindex; /* an int */
	unsigned int nothing_of_that_name;
};
struct sk_buff {
	unsigned char pkt_type; /* a bit-field */
};
#pragma clang attribute pop

SEC("raw_tp/netif_rx")
int absent(void *ctx)
{
	return BPF_CORE_READ((struct net_device *)ctx, nothing_of_that_name);
}

SEC("raw_tp/netif_rx")
int guarded(void *ctx)
{
	struct net_device *dev = ctx;

	return bpf_core_field_exists(dev->nothing_of_that_name) ? BPF_CORE_READ(dev, nothing_of_that_name)
								: 0;
}

SEC("raw_tp/netif_rx")
int wide(void *ctx)
{
	return BPF_CORE_READ((struct net_device *)ctx, ifindex);
}

SEC("raw_tp/netif_rx")
int whole(void *ctx)
{
	return BPF_CORE_READ((struct sk_buff *)ctx, pkt_type);
}

SEC("raw_tp/netif_rx")
int adapted(void *ctx)
{
	return BPF_CORE_READ_BITFIELD_PROBED((struct sk_buff *)ctx, pkt_type);
}

static __noinline int wide_inside(void *dev)
{
	return BPF_CORE_READ((struct net_device *)dev, ifindex);
}

SEC("raw_tp/netif_rx")
int calling(void *ctx)
{
	return wide_inside(ctx);
}

/* One read that adapts excuses no other. */
SEC("raw_tp/netif_rx")
int both(void *ctx)
{
	struct sk_buff *skb = ctx;

	return BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type) + BPF_CORE_READ(skb, pkt_type);
}

SEC("fentry/no_function_of_that_name")
int elsewhere(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
