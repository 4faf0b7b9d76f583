/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is recorded of network namespaces and of the threads in them. */
#ifndef NETNS_RECORDS_BPF_H
#define NETNS_RECORDS_BPF_H

#include "recorder.bpf.h"

/* A namespace was made, by unshare or clone of this thread. */
RECORD(netns_create)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns creator_netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* The last user of a namespace is gone; from when the kernel has cleaned it up its inode number is free. */
RECORD(netns_destroy)
{
	struct fr_head head;
	fr_netns netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1[2];
};

/*
 * This thread goes from a namespace to another: setns, or unshare if it has just made it. `home` is where its
 * process's leader is, before it if that is this one.
 */
RECORD(netns_enter)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns from;
	fr_netns home;
	fr_u32 threads;
	fr_u32 pad0;
};

/* This thread made a thread or a process; `netns` is where the new one is, `home` where its process's leader
 * is. */
RECORD(netns_fork)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns creator_netns;
	fr_netns home;
	fr_tid thread;
	fr_pid process;
};

/* This thread runs another program; it is its process's only one now. */
RECORD(netns_exec)
{
	struct fr_head head;
	fr_netns netns;
	fr_u64 pad0[3];
};

/* This thread ends; `threads` are those of its process with it, 0 if the whole process ends. */
RECORD(netns_thread_exit)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns home;
	fr_u32 threads;
	fr_u32 pad0;
	fr_u64 pad1;
};

/* This thread made a socket. */
RECORD(netns_socket)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns thread_netns;
	fr_netns home;
	fr_u16 family;
	fr_u16 netlink; /* NETLINK_*, of netlink sockets */
	fr_u32 pad0;
};

/* rtnetlink has handled a request of this thread; it acts where its socket is. */
RECORD(netns_request)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns socket_netns;
	fr_netns home;
	fr_portid portid;
	fr_u16 request;
	fr_u16 request_flags;
	fr_errno result;
	fr_ifindex ifindex;
	fr_name name;
	fr_u8 request_family;
	fr_u8 pad0[7];
};

/* Written by user space from a dump. */
RECORD(netns_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_inum inum;
	fr_u32 pad0;
	fr_u64 pad1[2];
};

/* Written by user space from a dump, for each thread: `home` is where its process's leader is. */
RECORD(netns_task_exists)
{
	struct fr_head head;
	fr_netns netns;
	fr_netns home;
	fr_u64 pad0[2];
};

#endif
