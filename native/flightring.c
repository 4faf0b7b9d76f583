// SPDX-License-Identifier: Apache-2.0
/*
 * The shim between TypeScript and libbpf: load and attach the recorder, map its memory, wait and drain. One
 * recorder per handle. All calls return 0 or more, or a negative errno; text goes to buffers of the caller's.
 * The ABI is described, call by call, in src/source/shim.ts.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "recorder.h"

#define RECORDERS 8
#define BATCH_SLOTS 65536
#define LOG_BYTES 16384

static struct recorder recorders[RECORDERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static __thread char log_text[LOG_BYTES];
static __thread size_t log_length;

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char *words;
	size_t length;

	if (level != LIBBPF_WARN)
		return 0;
	if (vasprintf(&words, format, args) < 0)
		return 0;
	/* A verifier's log is long, and its end says why. */
	length = strlen(words);
	if (length > sizeof(log_text) / 2)
		memmove(words, words + length - sizeof(log_text) / 2, sizeof(log_text) / 2 + 1);
	length = strlen(words);
	if (log_length + length >= sizeof(log_text)) {
		log_length = 0;
		log_text[0] = 0;
	}
	memcpy(log_text + log_length, words, length + 1);
	log_length += length;
	free(words);
	return 0;
}

void start_log(void)
{
	log_length = 0;
	log_text[0] = 0;
	libbpf_set_print(keep_log);
}

void give_log(char *text, uint32_t bytes)
{
	if (!text || !bytes)
		return;
	snprintf(text, bytes, "%s", log_text);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

struct recorder *recorder(int handle)
{
	return handle >= 0 && handle < RECORDERS && recorders[handle].used ? &recorders[handle] : 0;
}

static int new_handle(void)
{
	int handle = -EMFILE;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < RECORDERS; i++) {
		if (recorders[i].used)
			continue;
		memset(&recorders[i], 0, sizeof(recorders[i]));
		recorders[i].used = 1;
		recorders[i].doorbell_fd = -1;
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
	return open_reading(r);
}

/* Rings in plain memory instead of the kernel's: for tests and benchmarks, and no privilege is needed. */
API int fr_memory(uint32_t cpus, const uint64_t *shares, uint32_t count)
{
	int handle = new_handle(), err;
	struct recorder *r;

	if (handle < 0)
		return handle;
	r = &recorders[handle];
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

API int fr_attach(int handle, const char *name, char *text, uint32_t bytes)
{
	struct recorder *r = recorder(handle);
	int at;
	struct bpf_program *prog = r ? program(r, name, &at) : 0;

	if (!prog)
		return -ENOENT;
	start_log();
	r->links[at] = bpf_program__attach(prog);
	give_log(text, bytes);
	return r->links[at] ? 0 : -errno;
}

/* A program that `fr_wait` runs every `period_us`, on this CPU, without its being attached. */
API int fr_timer(int handle, const char *name, uint32_t period_us)
{
	struct recorder *r = recorder(handle);
	int at;
	struct bpf_program *prog = r ? program(r, name, &at) : 0;

	if (!prog)
		return -ENOENT;
	r->timer_prog_fd = bpf_program__fd(prog);
	r->timer_period_ns = period_us * 1000ull;
	return r->timer_prog_fd < 0 ? -ENOENT : 0;
}

static int arguments_of(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : 0;

	type = type ? btf__type_by_id(btf, type->type) : 0;
	return type ? btf_vlen(type) : -1;
}

/*
 * What the running kernel's BTF knows of a function of vmlinux or of that module ("": none): 0 nothing, else
 * 1 more than the number of its arguments.
 */
API int fr_btf_function(const char *name, const char *module)
{
	static struct btf *kernel;
	struct btf *more;
	int arguments;

	start_log();
	pthread_mutex_lock(&lock);
	if (!kernel)
		kernel = btf__load_vmlinux_btf();
	pthread_mutex_unlock(&lock);
	if (!kernel)
		return -errno;
	arguments = arguments_of(kernel, name);
	if (arguments < 0 && module[0] && (more = btf__load_module_btf(module, kernel))) {
		arguments = arguments_of(more, name);
		btf__free(more);
	}
	return arguments + 1;
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

/* Words of struct fr_control (bpf/recorder.bpf.h). */
#define CONTROL_RUNG 2
#define CONTROL_WAITING 14
/* Sleeps longer than this ask the next event to ring. */
#define LONG_SLEEP_US 2000

static uint32_t drain_once(struct recorder *r)
{
	uint64_t until = now_ns();
	uint32_t n = reader_drain(&r->reader, &r->rings, 3, until, r->batch, BATCH_SLOTS);

	r->published[0] = r->reader.lost;
	r->published[1] = r->reader.read;
	r->published[2] = r->reader.unpublished;
	r->published[3] = r->reader.watermark;
	return n;
}

static void run_timer(struct recorder *r)
{
	struct bpf_test_run_opts opts = {.sz = sizeof(opts)};
	uint64_t now;

	if (r->timer_prog_fd < 0)
		return;
	now = now_ns();
	if (now < r->timer_next_ns)
		return;
	r->timer_next_ns = now + r->timer_period_ns;
	bpf_prog_test_run_opts(r->timer_prog_fd, &opts);
}

/* Drains; if there is nothing, waits for the doorbell at most `timeout_us` and drains again. Returns slots in
 * the batch. */
API int fr_wait(int handle, uint32_t timeout_us)
{
	struct recorder *r = recorder(handle);
	uint32_t n;

	if (!r)
		return -EBADF;
	run_timer(r);
	n = drain_once(r);
	if (n || !timeout_us)
		return n;
	if (r->doorbell_fd >= 0) {
		struct epoll_event event;
		uint32_t *waiting = (uint32_t *)r->control + CONTROL_WAITING;

		if (timeout_us > LONG_SLEEP_US) {
			__atomic_store_n(waiting, 1, __ATOMIC_SEQ_CST);
			/* Whatever came before the writers could see that is there now. */
			n = drain_once(r);
			if (n) {
				__atomic_store_n(waiting, 0, __ATOMIC_RELEASE);
				return n;
			}
		}
		struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000l};

		if (syscall(SYS_epoll_pwait2, r->doorbell_fd, &event, 1, &timeout, 0, 0) > 0)
			ring_buffer__consume(r->doorbell);
		__atomic_store_n(waiting, 0, __ATOMIC_RELEASE);
		__atomic_store_n((uint32_t *)r->control + CONTROL_RUNG, 0, __ATOMIC_RELEASE);
	} else {
		usleep(timeout_us);
	}
	run_timer(r);
	return drain_once(r);
}

static int write_slots(int fd, const struct slot *slots, uint32_t count)
{
	const uint8_t *p = (const uint8_t *)slots, *end = (const uint8_t *)(slots + count);

	while (p < end) {
		ssize_t w = write(fd, p, end - p);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		p += w;
	}
	return 0;
}

/* Figures of fr_save: per CPU and share. */
enum { FIRST_TS, LAST_TS, EVENTS, OVERWRITTEN, FIGURES };

/*
 * Busy shares reach back less far than the others. In front of all records a gap says, for each that was
 * overwritten, up to when its events are missing. Returns the slots written.
 */
static int64_t write_beginnings(struct recorder *r, struct reader *reader, uint32_t bank, int fd,
				uint64_t from_ns, const uint64_t *figures, struct slot *out)
{
	uint64_t oldest = UINT64_MAX;
	uint32_t n = 0;
	int err;

	for (uint32_t i = 0; i < r->rings.recorded * r->rings.cpus; i++) {
		uint32_t cpu = i % r->rings.cpus, number = r->rings.number[i / r->rings.cpus];
		uint32_t lane = lane_of(&r->rings, bank, 0, 0) + i;
		struct cursor *c = &reader->cursors[lane];
		uint64_t ts = reader_next_ts(reader, c);

		/* The rest of a record whose beginning was overwritten belongs to what is not in the window.
		 */
		c->lost = 0;
		if (!ts)
			continue;
		if (ts < oldest)
			oldest = ts;
		if (figures[(cpu * r->rings.shares + number) * FIGURES + OVERWRITTEN] && ts > from_ns)
			write_gap(&out[n++], &r->rings, lane, c->next, 0, 0, GAP_BEFORE_WINDOW, ts);
	}
	reader->told = reader->lost;
	for (uint32_t i = 0; i < n; i++)
		out[i].ts = oldest > from_ns ? oldest : from_ns;
	err = write_slots(fd, out, n);
	return err ? err : (int64_t)n;
}

/*
 * Writes the frozen bank's records, in total order, to the file from byte `at` on. `starts` holds, per CPU
 * and share, how many slots had been claimed when the bank was last armed; only records from `from_ns` on are
 * written. Returns slots written or a negative errno; `figures` gets, per CPU and share: first ts, last ts,
 * events, overwritten.
 */
API int64_t fr_save(int handle, uint32_t bank, const uint64_t *starts, int fd, int64_t at, uint64_t from_ns,
		    uint64_t *figures)
{
	struct recorder *r = recorder(handle);
	const uint32_t chunk = 16384;
	struct reader reader;
	struct slot *out;
	uint64_t give_up = now_ns() + 100000000;
	int64_t written = 0;
	int err = 0;

	if (!r || bank >= BANKS)
		return -EBADF;
	out = malloc((size_t)chunk * SLOT_BYTES);
	if (!out || reader_init(&reader, &r->rings)) {
		reader_free(&reader);
		free(out);
		return -ENOMEM;
	}
	if (lseek(fd, at, SEEK_SET) < 0) {
		err = -errno;
		goto done;
	}
	memset(figures, 0, (size_t)r->rings.cpus * r->rings.shares * FIGURES * sizeof(*figures));
	for (uint32_t cpu = 0; cpu < r->rings.cpus; cpu++)
		for (uint32_t i = 0; i < r->rings.recorded; i++) {
			uint32_t number = r->rings.number[i], at = cpu * r->rings.shares + number;
			const struct share *share = &r->rings.share[number];
			uint64_t head = ring_head(&r->rings, bank, cpu, number);
			uint64_t start = share->base + starts[at];

			if (head - start > share->slots) {
				figures[at * FIGURES + OVERWRITTEN] = head - start - share->slots;
				start = head - share->slots;
			}
			reader_seek(&reader.cursors[lane_of(&r->rings, bank, i, cpu)], start);
		}
	written = write_beginnings(r, &reader, bank, fd, from_ns, figures, out);
	if (written < 0) {
		err = written;
		goto done;
	}
	for (;;) {
		uint32_t n = reader_drain(&reader, &r->rings, 1u << bank, UINT64_MAX, out, chunk), first = 0,
			 i;

		for (i = 0; i < n; i++) {
			uint64_t *f;

			/* A gap or continuation stays with what it belongs to. */
			if (first == i && !(out[i].seq & CONTINUATION) && out[i].ts < from_ns) {
				first = i + 1 + (out[i].flags & SLOTS_MASK);
				continue;
			}
			if (i < first || (out[i].seq & CONTINUATION) || !out[i].kind)
				continue;
			f = &figures[(out[i].cpu * r->rings.shares + (out[i].seq >> SHARE_SHIFT)) * FIGURES];
			if (!f[FIRST_TS])
				f[FIRST_TS] = out[i].ts;
			f[LAST_TS] = out[i].ts;
			f[EVENTS]++;
		}
		err = n > first ? write_slots(fd, out + first, n - first) : 0;
		if (err)
			goto done;
		written += n > first ? n - first : 0;
		if (n)
			continue;
		/* A writer that had claimed before the flip may still be writing. */
		if (!reader.unpublished || now_ns() > give_up)
			break;
		reader.unpublished = 0;
		usleep(50);
	}
done:
	reader_free(&reader);
	free(out);
	return err ? err : written;
}

struct netns_question {
	const char *path, *ifname;
	uint64_t cookie;
	uint32_t ifindex;
	int error;
};

static void *ask_netns(void *argument)
{
	struct netns_question *q = argument;
	socklen_t size = sizeof(q->cookie);
	int fd, sock, home = -1;

	if (*q->path) {
		home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		fd = open(q->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET)) {
			q->error = errno;
			if (fd >= 0)
				close(fd);
			if (home >= 0)
				close(home);
			return 0;
		}
		close(fd);
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &q->cookie, &size))
		q->error = errno;
	if (sock >= 0)
		close(sock);
	if (*q->ifname) {
		q->ifindex = if_nametoindex(q->ifname);
		if (!q->ifindex && !q->error)
			q->error = ENODEV;
	}
	/* A thread that ends in a foreign namespace is what others look for as a fault. */
	if (home >= 0) {
		setns(home, CLONE_NEWNET);
		close(home);
	}
	return 0;
}

/*
 * The cookie of the network namespace at `path` (the process's own if empty) and the index in it of the
 * interface `ifname` (0 if empty): two u64. Asked from a thread of its own, which alone enters the namespace.
 */
API int fr_netns(const char *path, const char *ifname, uint64_t *answer)
{
	struct netns_question q = {path, ifname, 0, 0, 0};
	pthread_t thread;

	if (pthread_create(&thread, 0, ask_netns, &q))
		return -EAGAIN;
	pthread_join(thread, 0);
	answer[0] = q.cookie;
	answer[1] = q.ifindex;
	return -q.error;
}

/* Keeps only these capabilities (a bit mask) for this thread and those it starts from now on. */
API int fr_keep_capabilities(uint64_t mask)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].effective &= mask >> (32 * i);
		data[i].permitted &= mask >> (32 * i);
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
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
