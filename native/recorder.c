// SPDX-License-Identifier: Apache-2.0
/* Recorders by their handles: a BPF object, its programs, and the memory that is shared with it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "recorder.h"

#define RECORDERS 8

static struct recorder recorders[RECORDERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct recorder *recorder(int handle)
{
	return handle >= 0 && handle < RECORDERS && recorders[handle].used ? &recorders[handle] : 0;
}

int new_handle(void)
{
	int handle = -EMFILE;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < RECORDERS; i++) {
		if (recorders[i].used)
			continue;
		memset(&recorders[i], 0, sizeof(recorders[i]));
		recorders[i].used = 1;
		recorders[i].doorbell_fd = -1;
		recorders[i].wake_fd = -1;
		recorders[i].timer_prog_fd = -1;
		handle = i;
		break;
	}
	pthread_mutex_unlock(&lock);
	return handle;
}

API int fr_close(int handle)
{
	struct recorder *r = recorder(handle);

	if (!r)
		return -EBADF;
	stats_stop(r);
	for (int i = 0; i < r->count; i++)
		bpf_link__destroy(r->links[i]);
	for (int i = 0; i < r->marks_count; i++)
		bpf_link__destroy(r->marks[i]);
	ring_buffer__free(r->doorbell);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	if (r->rings.base)
		munmap(r->rings.base, r->rings_bytes);
	if (r->objects)
		munmap(r->objects, r->objects_bytes);
	if (r->control)
		munmap(r->control, 4096);
	if (r->batch)
		munmap(r->batch, (size_t)BATCH_SLOTS * SLOT_BYTES);
	reader_free(&r->reader);
	bpf_object__close(r->object);
	memset(r, 0, sizeof(*r));
	return 0;
}

/* Opens the object and lists its programs: "name section\n" each. */
API int fr_open(const char *path, char *text, uint32_t bytes)
{
	int handle = new_handle(), used = 0;
	struct recorder *r;
	struct bpf_program *prog;

	if (handle < 0)
		return handle;
	start_log();
	r = &recorders[handle];
	r->object = bpf_object__open_file(path, 0);
	if (!r->object) {
		int err = -errno;

		give_log(text, bytes);
		r->used = 0;
		return err;
	}
	bpf_object__for_each_program(prog, r->object)
	{
		if (r->count == PROGRAMS) {
			fr_close(handle);
			return -E2BIG;
		}
		r->programs[r->count++] = prog;
		bpf_program__set_autoload(prog, false);
		used += snprintf(text + used, used < (int)bytes ? bytes - used : 0, "%s %s\n",
				 bpf_program__name(prog), bpf_program__section_name(prog));
		if (used >= (int)bytes) {
			fr_close(handle);
			return -ENOSPC;
		}
	}
	return handle;
}

struct bpf_program *program(struct recorder *r, const char *name, int *at)
{
	for (int i = 0; i < r->count; i++) {
		if (strcmp(bpf_program__name(r->programs[i]), name))
			continue;
		*at = i;
		return r->programs[i];
	}
	return 0;
}

/* 0 rings, 1 control word, 2 object table, 3 batch, 4 figures. */
API void *fr_pointer(int handle, int which)
{
	struct recorder *r = recorder(handle);

	if (!r)
		return 0;
	switch (which) {
	case 0:
		return r->rings.base;
	case 1:
		return r->control;
	case 2:
		return r->objects;
	case 3:
		return r->batch;
	case 4:
		return r->published;
	}
	return 0;
}

/* Per program, in the order of fr_open: runs, run time in ns, recursion misses (three u64 each). */
API int fr_programs(int handle, uint64_t *figures, uint32_t max)
{
	struct recorder *r = recorder(handle);

	if (!r)
		return -EBADF;
	for (int i = 0; i < r->count && (uint32_t)i < max; i++) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);
		int fd = bpf_program__fd(r->programs[i]);

		memset(&figures[i * 3], 0, 3 * sizeof(*figures));
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		figures[i * 3] = info.run_cnt;
		figures[i * 3 + 1] = info.run_time_ns;
		figures[i * 3 + 2] = info.recursion_misses;
	}
	return r->count;
}

/* How many slots of a share were ever claimed in a ring; 0 for a path that isn't recorded. */
API int64_t fr_head(int handle, uint32_t bank, uint32_t cpu, uint32_t share)
{
	struct recorder *r = recorder(handle);

	if (!r || bank >= BANKS || cpu >= r->rings.cpus || share >= r->rings.shares)
		return -EBADF;
	if (!r->rings.share[share].slots)
		return 0;
	return (int64_t)(ring_head(&r->rings, bank, cpu, share) - r->rings.share[share].base);
}
