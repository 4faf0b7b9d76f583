// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the cookie of each TCP or UDP socket of one local port, in the order the kernel shows them. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct sock_common {
	__u16 skc_num;
	struct {
		__s64 counter;
	} skc_cookie;
};
struct sock {
	struct sock_common __sk_common;
};
struct inet_sock {
	struct sock sk;
};
struct udp_sock {
	struct inet_sock inet;
};
#pragma clang attribute pop

/* Contexts, laid out alike on every kernel. */
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sock;
};

const volatile __u16 wanted_port = 0;

static __always_inline int write_cookie(struct seq_file *seq, struct sock_common *sk)
{
	__u64 cookie;

	/* Or the compiler loads the pointer anew after it was found not to be null. */
	barrier_var(sk);
	if (!sk || BPF_CORE_READ(sk, skc_num) != wanted_port)
		return 0;
	cookie = BPF_CORE_READ(sk, skc_cookie.counter);
	bpf_seq_write(seq, &cookie, sizeof(cookie));
	return 0;
}

SEC("iter/tcp")
int show_tcp(struct bpf_iter__tcp *ctx)
{
	return write_cookie(ctx->meta->seq, ctx->sk_common);
}

SEC("iter/udp")
int show_udp(struct bpf_iter__udp *ctx)
{
	return write_cookie(ctx->meta->seq, (void *)ctx->udp_sock);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
