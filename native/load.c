// SPDX-License-Identifier: Apache-2.0
/* Loading the chosen programs: their knobs, the shares of the rings, and the memory that both sides see. */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "recorder.h"

API int fr_autoload(int handle, const char *name, int load)
{
	struct recorder *r = recorder(handle);
	int at;
	struct bpf_program *prog = r ? program(r, name, &at) : 0;

	return prog ? bpf_program__set_autoload(prog, load) : -ENOENT;
}

/* Sets a `const volatile` variable of the object before loading. */
API int fr_knob(int handle, const char *name, const void *value, uint32_t bytes)
{
	struct recorder *r = recorder(handle);
	const struct btf *btf = r && r->object ? bpf_object__btf(r->object) : 0;
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, id) : 0;
	struct bpf_map *map;
	size_t size;
	char *data = 0;

	if (!section)
		return -EBADF;
	/* A map's name is the section's behind the first letters of the object's. */
	bpf_object__for_each_map(map, r->object)
	{
		const char *end = strstr(bpf_map__name(map), ".rodata");

		if (end && !strcmp(end, ".rodata"))
			data = (char *)bpf_map__initial_value(map, &size);
	}
	for (int i = 0; data && i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *var = btf_var_secinfos(section) + i;
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), name))
			continue;
		if (bytes > var->size || var->offset + (size_t)bytes > size)
			return -EINVAL;
		memcpy(data + var->offset, value, bytes);
		return 0;
	}
	return -ENOENT;
}

static void *map_memory(struct bpf_map *map, size_t *bytes)
{
	size_t size = (size_t)((bpf_map__value_size(map) + 7) & ~7u) * bpf_map__max_entries(map);
	void *memory;

	size = (size + 4095) & ~4095ull;
	memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	*bytes = size;
	return memory == MAP_FAILED ? 0 : memory;
}

static int on_doorbell(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

static int open_reading(struct recorder *r)
{
	r->batch = mmap(0, (size_t)BATCH_SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->batch == MAP_FAILED) {
		r->batch = 0;
		return -ENOMEM;
	}
	if (reader_init(&r->reader, &r->rings))
		return -ENOMEM;
	r->reader.live = 1;
	return 0;
}

/* `shares`: for each, its slots (a power of two, or 0) and eight characters of its name. */
static int set_shares(struct rings *rings, uint32_t cpus, const uint64_t *shares, uint32_t count)
{
	if (!cpus || !count || count > SHARES_MAX)
		return -EINVAL;
	rings->cpus = cpus;
	rings->shares = count;
	for (uint32_t s = 0; s < count; s++) {
		uint64_t slots = shares[s * 2];

		if (slots & (slots - 1) || slots == 1)
			return -EINVAL;
		rings->share[s].slots = slots;
		rings->share[s].name = shares[s * 2 + 1];
	}
	rings_layout(rings);
	return rings->recorded ? 0 : -EINVAL;
}

/* Tells the programs where the shares lie. */
static int set_share_knobs(int handle, const struct rings *rings)
{
	uint64_t offset[SHARES_MAX] = {}, mask[SHARES_MAX] = {}, doorbell[SHARES_MAX] = {};
	int err;

	for (uint32_t i = 0; i < rings->recorded; i++) {
		const struct share *share = &rings->share[rings->number[i]];

		offset[rings->number[i]] = share->offset;
		mask[rings->number[i]] = share->slots - 1;
		doorbell[rings->number[i]] = (share->slots < 8 ? 1 : share->slots / 8) - 1;
	}
	err = fr_knob(handle, "fr_share_offset", offset, sizeof(offset));
	if (!err)
		err = fr_knob(handle, "fr_share_mask", mask, sizeof(mask));
	return err ? err : fr_knob(handle, "fr_doorbell_mask", doorbell, sizeof(doorbell));
}

/* Loads the chosen programs with rings for `cpus` CPUs, divided into these shares, and maps the shared
 * memory. */
API int fr_load(int handle, uint32_t cpus, const uint64_t *shares, uint32_t count, char *text, uint32_t bytes)
{
	struct recorder *r = recorder(handle);
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct bpf_map *rings, *map;
	int err;

	if (!r || !r->object)
		return -EBADF;
	start_log();
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	rings = bpf_object__find_map_by_name(r->object, "rings");
	err = set_shares(&r->rings, cpus, shares, count);
	if (!err)
		err = set_share_knobs(handle, &r->rings);
	if (!err)
		err = bpf_map__set_value_size(rings, r->rings.stride);
	if (!err)
		err = bpf_map__set_max_entries(rings, BANKS * cpus);
	if (!err)
		err = bpf_object__load(r->object);
	give_log(text, bytes);
	if (err)
		return err;
	r->rings.base = map_memory(rings, &r->rings_bytes);
	map = bpf_object__find_map_by_name(r->object, "objects");
	r->objects = map_memory(map, &r->objects_bytes);
	map = bpf_object__find_map_by_name(r->object, ".data.control");
	r->control = map ? map_memory(map, &(size_t){0}) : 0;
	if (!r->rings.base || !r->objects || !r->control)
		return -ENOMEM;
	rings_begin(&r->rings);
	map = bpf_object__find_map_by_name(r->object, "doorbell");
	r->doorbell = ring_buffer__new(bpf_map__fd(map), on_doorbell, 0, 0);
	if (!r->doorbell)
		return -errno;
	r->doorbell_fd = ring_buffer__epoll_fd(r->doorbell);
	err = wake_open(r);
	return err ? err : open_reading(r);
}

/* Rings in plain memory instead of the kernel's: for tests and benchmarks, and no privilege is needed. */
API int fr_memory(uint32_t cpus, const uint64_t *shares, uint32_t count)
{
	int handle = new_handle(), err;
	struct recorder *r;

	if (handle < 0)
		return handle;
	r = recorder(handle);
	r->own_memory = 1;
	err = set_shares(&r->rings, cpus, shares, count);
	if (err) {
		fr_close(handle);
		return err;
	}
	r->rings_bytes = r->rings.stride * BANKS * cpus;
	r->rings.base = mmap(0, r->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r->control = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	err = r->rings.base == MAP_FAILED || r->control == MAP_FAILED ? -ENOMEM : 0;
	if (!err) {
		rings_begin(&r->rings);
		err = open_reading(r);
	}
	if (err) {
		fr_close(handle);
		return err;
	}
	return handle;
}
