/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of sockets, queues and umems, shared with user space: events name an entry by its index. */
#ifndef FR_OBJECTS_BPF_H
#define FR_OBJECTS_BPF_H

#include "types.bpf.h"
#include "control.bpf.h"

#define FR_OBJECTS_MAX 16384
#define FR_NO_OBJECT 0xffffffff

enum fr_object_type { FR_OBJECT_UMEM = 1, FR_OBJECT_QUEUE = 2, FR_OBJECT_SOCKET = 3 };

/* One entry of the object table; written once, complete before its type is set. */
struct fr_object_entry {
	fr_u32 type;
	fr_object umem;
	fr_ns ts;
	fr_netns netns;
	fr_ifindex ifindex;
	fr_queue queue;
	fr_object parent;
	fr_pid tgid;
	fr_tid tid;
	fr_bytes chunk_size;
	fr_u64 size;
	fr_bytes headroom;
	fr_bits flags;
	fr_comm comm;
	fr_name name;
	fr_u64 pad[3];
};
const struct fr_object_entry *fr_schema_object_entry SEC(".rodata.schema") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FR_OBJECTS_MAX);
	__type(key, __u32);
	__type(value, struct fr_object_entry);
} objects SEC(".maps");

static __always_inline struct fr_object_entry *fr_object_new(__u32 *index)
{
	__u32 i = __sync_fetch_and_add(&fr_control.objects, 1);
	struct fr_object_entry *e;

	if (i >= FR_OBJECTS_MAX) {
		__sync_fetch_and_add(&fr_control.objects_dropped, 1);
		return 0;
	}
	e = bpf_map_lookup_elem(&objects, &i);
	if (!e)
		return 0;
	*index = i;
	e->ts = bpf_ktime_get_ns();
	return e;
}

#endif
