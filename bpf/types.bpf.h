/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The vocabulary of records: each typedef's name carries its unit or meaning into BTF, and from there to
 * every reader. */
#ifndef FR_TYPES_BPF_H
#define FR_TYPES_BPF_H

typedef __u8 fr_u8;
typedef __u16 fr_u16;
typedef __u32 fr_u32;
typedef __u64 fr_u64;
typedef __s32 fr_s32;

typedef __u64 fr_ns;	    /* CLOCK_MONOTONIC, ns */
typedef __u32 fr_tid;	    /* kernel "pid": one thread */
typedef __u32 fr_pid;	    /* kernel "tgid": one process */
typedef __u32 fr_ifindex;   /* meaningful only together with a netns cookie */
typedef __u64 fr_netns;	    /* struct net.net_cookie: never reused */
typedef __u32 fr_object;    /* index into the object table */
typedef __u32 fr_queue;	    /* hardware queue number of a device */
typedef __u64 fr_umem_addr; /* byte offset into a umem */
typedef __u32 fr_bytes;	    /* a length in bytes */
typedef __u32 fr_position;  /* free-running producer or consumer index of an AF_XDP ring */
typedef __s32 fr_errno;	    /* 0 or a negative errno */
typedef __u32 fr_portid;    /* netlink port of a requester, 0 for the kernel itself */
typedef __u8 fr_nud;	    /* neighbour state, NUD_* */
typedef __u8 fr_family;	    /* AF_INET or AF_INET6 */
typedef __u32 fr_reason;    /* a small number whose text is in src/probes */
typedef __u32 fr_bits;	    /* flags of the kernel's, printed in hex */
typedef __u32 fr_inum;	    /* inode number of a namespace: reused, unlike its cookie */
typedef __u64 fr_cookie;    /* struct sock.skc_cookie, or another number never reused */
typedef __u64 fr_pointer;   /* a kernel address that stands for an object while it lives; printed in hex */
typedef __u32 fr_spi;	    /* security parameter index, host order, printed in hex (RFC 4301) */
typedef __u32 fr_vni;	    /* VXLAN network identifier, host order (RFC 7348) */
typedef __u16 fr_port;	    /* transport port, host order */
typedef __u8 fr_proto;	    /* IP protocol number, IPPROTO_* */
typedef __u64 fr_count;	    /* how many, since the last event that told */

typedef struct {
	__u8 bytes[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
} fr_ip;
typedef struct {
	__u8 bytes[6];
} fr_mac;
typedef struct {
	char text[16];
} fr_comm;
typedef struct {
	char text[16];
} fr_name; /* an interface name */
typedef struct {
	char text[40];
} fr_text; /* words of an application's */
typedef struct {
	char text[8];
} fr_path; /* a path of flightring's: "xsk" */

#define FR_PACKET_BYTES 128
typedef struct {
	__u8 bytes[FR_PACKET_BYTES];
} fr_packet; /* the first bytes of a packet, zeros behind what was kept of it */

#endif
