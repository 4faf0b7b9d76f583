/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of kernel structures that probes read; each is found in the running kernel's BTF at load
 * (CO-RE). */
#ifndef FR_KERNEL_BPF_H
#define FR_KERNEL_BPF_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct ns_common {
	unsigned int inum;
};
struct net {
	struct list_head list;
	struct ns_common ns;
	__u64 net_cookie;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct rtnl_link_ops {
	const char *kind;
};
struct net_device {
	char name[16];
	int ifindex;
	unsigned int flags;  /* IFF_* */
	unsigned short type; /* ARPHRD_* */
	unsigned char addr_len;
	unsigned char reg_state; /* by fr_reg_state() */
	const unsigned char *dev_addr;
	const struct rtnl_link_ops *rtnl_link_ops;
	possible_net_t nd_net;
};

/* On other kernels an enum's bits: CO-RE takes a number for no enum, nor the other way round. */
struct net_device___enum {
	enum { FR_REG_UNKNOWN } reg_state : 8;
};

struct file {
	void *private_data;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct nsproxy {
	struct net *net_ns;
};
struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	struct task_struct *group_leader;
	struct files_struct *files;
	struct nsproxy *nsproxy;
};

/* net/core: sockets, buffers, polling */
struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
};
struct sock {
	struct sock_common __sk_common;
};
struct socket {
	struct sock *sk;
};
struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	char cb[48];
	unsigned long _skb_refdst;
	unsigned int len;
	__u32 mark;
	__be16 protocol;
	__u16 transport_header;
	__u16 network_header;
	__u16 mac_header;
	unsigned char *head;
	unsigned char *data;
};
/* Of a netlink request: NETLINK_CB(skb) is at skb->cb. */
struct netlink_skb_parms {
	struct {
		__u32 pid, uid, gid;
	} creds;
	__u32 portid;
	__u32 dst_group;
	__u32 flags;
	struct sock *sk; /* the sender's */
};
struct napi_struct {
	unsigned int napi_id;
};
struct xdp_rxq_info {
	struct net_device *dev;
	__u32 queue_index;
	unsigned int napi_id;
};
struct xdp_buff {
	void *data;
	void *data_end;
	void *data_hard_start;
	struct xdp_rxq_info *rxq;
};

/* net/xdp: AF_XDP */
struct xdp_umem {
	void *addrs;
	__u64 size;
	__u32 headroom;
	__u32 chunk_size;
	__u8 flags;
};
struct xdp_ring {
	__u32 producer;
	__u32 consumer;
};
struct xdp_rxtx_ring {
	struct xdp_ring ptrs;
	struct xdp_desc {
		__u64 addr;
		__u32 len;
		__u32 options;
	} desc[0];
};
struct xdp_umem_ring {
	struct xdp_ring ptrs;
	__u64 desc[0];
};
struct xsk_queue {
	__u32 ring_mask;
	__u32 nentries;
	__u32 cached_prod;
	__u32 cached_cons;
	struct xdp_ring *ring;
	__u64 invalid_descs;
	__u64 queue_empty_descs;
};
struct xsk_buff_pool {
	void *dev; /* struct device *: only of a driver that copies nothing */
	struct net_device *netdev;
	struct list_head xsk_tx_list;
	struct xdp_desc *tx_descs;
	struct xdp_umem *umem;
	struct xsk_queue *fq;
	struct xsk_queue *cq;
	void *addrs;
	__u16 queue_id;
};
struct xdp_buff_xsk {
	struct xdp_buff xdp;
	__u64 orig_addr;
};
struct xdp_sock {
	struct sock sk;
	struct xsk_queue *rx;
	struct net_device *dev;
	struct xdp_umem *umem;
	struct xsk_buff_pool *pool;
	__u16 queue_id;
	_Bool zc;
	struct xsk_queue *tx;
	struct list_head tx_list;
	struct xsk_queue *fq_tmp;
	struct xsk_queue *cq_tmp;
};

/* net/core/neighbour.c */
struct neigh_table {
	int family;
};
struct neighbour {
	struct neigh_table *tbl;
	struct net_device *dev;
	unsigned char ha[32];
	__u8 nud_state;
	__u8 type;
	__u32 flags;
	__u8 primary_key[0];
};

#pragma clang attribute pop

/* include/uapi/linux: netlink.h, if_xdp.h, as the kernel copied them in. */
struct nlmsghdr {
	__u32 nlmsg_len;
	__u16 nlmsg_type;
	__u16 nlmsg_flags;
	__u32 nlmsg_seq;
	__u32 nlmsg_pid;
};
struct sockaddr_xdp {
	__u16 sxdp_family;
	__u16 sxdp_flags;
	__u32 sxdp_ifindex;
	__u32 sxdp_queue_id;
	__u32 sxdp_shared_umem_fd;
};

static __always_inline __u32 fr_reg_state(struct net_device *dev)
{
	struct net_device___enum *other = (void *)dev;

	if (bpf_core_field_exists(other->reg_state))
		return BPF_CORE_READ_BITFIELD_PROBED(other, reg_state);
	return BPF_CORE_READ_BITFIELD_PROBED(dev, reg_state);
}

#define AF_XDP 44
#define AF_INET 2
#define AF_INET6 10

#endif
