// SPDX-License-Identifier: Apache-2.0
/*
 * The part of the benchmarks that must not be JavaScript: runs and attaches programs that the recorder
 * (another process) has loaded, makes system calls in tight loops, and produces load at a rate. Reads one
 * command a line, answers one JSON line each; bench/driver.ts has the list.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINKS 16
#define CPUS 64
/* System calls or events between two looks at the clock. */
#define BURST 64

static int links[LINKS], link_count;

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The newest program, or map, of this name in the system. */
static int find(const char *name, int map)
{
	uint32_t id = 0, best = 0;

	while (!(map ? bpf_map_get_next_id(id, &id) : bpf_prog_get_next_id(id, &id))) {
		int fd = map ? bpf_map_get_fd_by_id(id) : bpf_prog_get_fd_by_id(id);
		struct bpf_prog_info prog = {};
		struct bpf_map_info info = {};
		uint32_t size = map ? sizeof(info) : sizeof(prog);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, map ? (void *)&info : (void *)&prog, &size) &&
		    !strncmp(map ? info.name : prog.name, name, BPF_OBJ_NAME_LEN - 1) && id > best)
			best = id;
		close(fd);
	}
	if (!best)
		return -ENOENT;
	return map ? bpf_map_get_fd_by_id(best) : bpf_prog_get_fd_by_id(best);
}

static int run(int fd, uint32_t repeat, uint32_t mark)
{
	static uint8_t packet[64] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0};
	struct __sk_buff skb = {.mark = mark};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = repeat);

	if (mark) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	return bpf_prog_test_run_opts(fd, &opts) ? -errno : 0;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

struct job {
	pthread_t thread;
	int cpu;
	int fd;		/* a program to run; -1: system calls */
	uint64_t count; /* a fixed number of calls, or */
	double rate;	/* events per second, until */
	uint64_t until_ns;
	volatile int *stop;
	volatile uint32_t offend;
	uint64_t done, elapsed_ns, best_ns, late_ns;
};

static pthread_barrier_t barrier;

/* By the wall clock: a thread's CPU time leaves out interrupts, and so the price of waking a reader. */
static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void *loop(void *arg)
{
	struct job *job = arg;
	uint64_t slices[100], start, slice_start;

	pin(job->cpu);
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	pthread_barrier_wait(&barrier);
	start = slice_start = now(CLOCK_MONOTONIC);
	for (int n = 0; n < 100; n++) {
		uint64_t end;

		for (uint64_t i = 0; i < job->count / 100; i++)
			syscall(SYS_getppid);
		end = now(CLOCK_MONOTONIC);
		slices[n] = end - slice_start;
		slice_start = end;
	}
	job->elapsed_ns = slice_start - start;
	qsort(slices, 100, sizeof(slices[0]), by_size);
	job->best_ns = slices[10] * 100;
	return 0;
}

static void burst(struct job *job)
{
	uint32_t offend = job->offend;

	if (offend)
		job->offend = 0;
	if (job->fd >= 0) {
		if (offend)
			run(job->fd, 1, offend);
		run(job->fd, BURST, 0);
	} else {
		if (offend)
			syscall(offend == 1 ? SYS_getpgrp : SYS_getuid);
		for (int i = 0; i < BURST; i++)
			syscall(SYS_getppid);
	}
	job->done += BURST + !!offend;
}

/*
 * Keeps a rate: bursts, then sleep until the next is due. What an interrupted or descheduled producer owes it
 * makes up for at full speed, up to 20 ms' worth; what is beyond that is never produced (late_ns).
 */
static void *produce(void *arg)
{
	struct job *job = arg;
	uint64_t start, due, period = job->rate > 0 ? (uint64_t)(BURST * 1e9 / job->rate) : 0;

	pin(job->cpu);
	start = due = now(CLOCK_MONOTONIC);
	for (;;) {
		uint64_t t = now(CLOCK_MONOTONIC);

		if (*job->stop || (job->until_ns && t - start >= job->until_ns))
			break;
		if (period && t < due) {
			/* Sleeping costs 50 us and more: only worth it with time to spare. */
			if (due - t > 200000) {
				struct timespec nap = {0, due - t - 100000};

				nanosleep(&nap, 0);
			}
			continue;
		}
		if (period && t - due > 20000000) {
			job->late_ns += t - due - 20000000;
			due = t - 20000000;
		}
		burst(job);
		due += period;
	}
	job->elapsed_ns = now(CLOCK_MONOTONIC) - start;
	return 0;
}

static int parse_cpus(const char *text, int *cpus)
{
	char *copy = strdup(text), *rest = copy, *word;
	int n = 0;

	while ((word = strsep(&rest, ",")) && n < CPUS)
		cpus[n++] = atoi(word);
	free(copy);
	return n;
}

static void answer_jobs(struct job *jobs, int n)
{
	printf("{\"jobs\":[");
	for (int i = 0; i < n; i++)
		printf("%s{\"cpu\":%d,\"count\":%llu,\"elapsedNs\":%llu,\"bestNs\":%llu,\"lateNs\":%llu}",
		       i ? "," : "", jobs[i].cpu,
		       (unsigned long long)(jobs[i].count ? jobs[i].count : jobs[i].done),
		       (unsigned long long)jobs[i].elapsed_ns, (unsigned long long)jobs[i].best_ns,
		       (unsigned long long)jobs[i].late_ns);
	printf("]}\n");
}

static void do_loop(const char *list, uint64_t count)
{
	struct job jobs[CPUS] = {};
	int cpus[CPUS], n = parse_cpus(list, cpus);

	pthread_barrier_init(&barrier, 0, n);
	for (int i = 0; i < n; i++) {
		jobs[i].cpu = cpus[i];
		jobs[i].count = count;
		pthread_create(&jobs[i].thread, 0, loop, &jobs[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(jobs[i].thread, 0);
	answer_jobs(jobs, n);
}

static struct job producers[CPUS];
static int producer_count;
static volatile int stop_producers;

/* produce PROGRAM|- CPUS RATE_PER_CPU SECONDS: without seconds, until `stop`. */
static int do_produce(const char *name, const char *list, double rate, double seconds)
{
	int cpus[CPUS], n = parse_cpus(list, cpus), fd = -1;

	if (strcmp(name, "-")) {
		fd = find(name, 0);
		if (fd < 0)
			return fd;
	}
	stop_producers = 0;
	memset(producers, 0, sizeof(producers));
	for (int i = 0; i < n; i++) {
		producers[i].cpu = cpus[i];
		producers[i].fd = fd;
		producers[i].rate = rate;
		producers[i].until_ns = seconds * 1e9;
		producers[i].stop = &stop_producers;
		pthread_create(&producers[i].thread, 0, produce, &producers[i]);
	}
	producer_count = n;
	return 0;
}

static void join_producers(void)
{
	for (int i = 0; i < producer_count; i++)
		pthread_join(producers[i].thread, 0);
	answer_jobs(producers, producer_count);
	producer_count = 0;
}

/* The reader of the ring buffer that is compared against: forgets all that was written. */
static int empty_ringbuf(const char *name)
{
	int fd = find(name, 1);
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	uint64_t *consumer, *producer;
	int err = 0;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -ENOENT;
	consumer = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	producer = mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 4096);
	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		err = -errno;
	else
		__atomic_store_n(consumer, __atomic_load_n(producer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
	munmap(consumer, 4096);
	munmap(producer, 4096);
	close(fd);
	return err;
}

static void answer(int err)
{
	if (err < 0)
		printf("{\"error\":\"%s\"}\n", strerror(-err));
	else
		printf("{}\n");
}

/* The best of ten slices: what disturbs lasts longer than a slice. */
static void do_run(const char *name, uint32_t repeat)
{
	int fd = find(name, 0), err = fd;
	double best = 1e9;

	if (fd >= 0)
		err = run(fd, 1000, 0);
	for (int i = 0; i < 10 && !err; i++) {
		/* The kernel's own figure is whole ns; this isn't, and leaves out preemption too. */
		uint64_t start = now(CLOCK_THREAD_CPUTIME_ID);
		double ns;

		err = run(fd, repeat / 10, 0);
		ns = (now(CLOCK_THREAD_CPUTIME_ID) - start) / (repeat / 10.0);
		if (ns < best)
			best = ns;
	}
	if (err)
		answer(err);
	else
		printf("{\"ns\":%.3f}\n", best);
	if (fd >= 0)
		close(fd);
}

static int do_attach(const char *name, const char *tracepoint)
{
	int fd = find(name, 0), link;

	if (fd < 0)
		return fd;
	link = bpf_raw_tracepoint_open(tracepoint, fd);
	close(fd);
	if (link < 0)
		return -errno;
	if (link_count == LINKS)
		return -EMFILE;
	links[link_count++] = link;
	return 0;
}

int main(void)
{
	char line[512], a[128], b[128];
	double x, y;

	setvbuf(stdout, 0, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "run %127s %lf", a, &x) == 2) {
			do_run(a, x);
		} else if (sscanf(line, "attach %127s %127s", a, b) == 2) {
			answer(do_attach(a, b));
		} else if (!strncmp(line, "detach", 6)) {
			while (link_count)
				close(links[--link_count]);
			answer(0);
		} else if (sscanf(line, "pin %127s", a) == 1) {
			pin(atoi(a));
			answer(0);
		} else if (sscanf(line, "loop %127s %lf", a, &x) == 2) {
			do_loop(a, x);
		} else if (sscanf(line, "empty %127s", a) == 1) {
			answer(empty_ringbuf(a));
		} else if (sscanf(line, "produce %127s %127s %lf %lf", a, b, &x, &y) == 4) {
			int err = do_produce(a, b, x, y);

			if (err || !y)
				answer(err);
			else
				join_producers();
		} else if (sscanf(line, "offend %lf %lf", &x, &y) == 2) {
			producers[(int)x].offend = y;
			answer(0);
		} else if (!strncmp(line, "stop", 4)) {
			stop_producers = 1;
			join_producers();
		} else {
			answer(-EINVAL);
		}
	}
	return 0;
}
