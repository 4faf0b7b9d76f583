/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space and programs tell each other: knobs before loading, and one page, mapped by both. */
#ifndef FR_CONTROL_BPF_H
#define FR_CONTROL_BPF_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define FR_SHARES_MAX 16

/* Knobs, constant once loaded: the verifier removes what they switch off. */
/* By share: where its slots begin, their number - 1, and how often it rings the doorbell (every eighth of
 * them). */
const volatile __u64 fr_share_offset[FR_SHARES_MAX] = {};
const volatile __u64 fr_share_mask[FR_SHARES_MAX] = {}; /* 0: this path isn't recorded */
const volatile __u64 fr_doorbell_mask[FR_SHARES_MAX] = {};
const volatile __u32 fr_cpus = 1;
const volatile __u64 fr_only_netns = 0; /* 0: any */
const volatile __u32 fr_only_ifindex = 0;
const volatile __u32 fr_only_tgid = 0;
const volatile __u8 fr_only_comm_set = 0;
const volatile char fr_only_comm[16] = {};
const volatile __u32 fr_snaplen = 0; /* bytes to keep of a received packet; 0: packets are not looked at */

struct fr_control {
	__u32 bank;	  /* 0 or 1: the bank that is written; 2: nothing is recorded */
	__u32 spare_free; /* the other bank may be switched to */
	__u32 rung;	  /* the doorbell has rung and wasn't answered yet */
	__u32 tripwires;  /* bit set: this tripwire may freeze */
	__u32 tripped;	  /* 0, or 1 + number of the tripwire that froze */
	__u32 trip_cpu;
	__u64 trip_seq;
	__u64 trip_ts;
	__u64 trip_flipped_ts;
	__u32 objects; /* entries of the object table in use */
	__u32 objects_dropped;
	__u32 waiting; /* the reader sleeps long: the next event wakes it */
	__u32 pad;
};
struct fr_control fr_control SEC(".data.control") = {.bank = 2};

#endif
