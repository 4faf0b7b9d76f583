/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim between TypeScript and libbpf: one recorder, and what the parts of the shim share. Calls of the
 * ABI return 0 or more, or a negative errno; text goes to buffers of the caller's. It is described, call by
 * call, in src/source/shim.ts.
 */
#ifndef FLIGHTRING_RECORDER_H
#define FLIGHTRING_RECORDER_H

#include <bpf/libbpf.h>
#include <stdint.h>
#include <time.h>
#include "rings.h"

#define API __attribute__((visibility("default")))
#define PROGRAMS 1024
#define MARKS 1024
#define BATCH_SLOTS 65536

struct recorder {
	int used;
	struct bpf_object *object;
	struct bpf_program *programs[PROGRAMS];
	struct bpf_link *links[PROGRAMS];
	int count;
	struct bpf_link *marks[MARKS];
	int marks_count;
	struct rings rings;
	size_t rings_bytes;
	int own_memory; /* rings in plain memory, for tests and benchmarks */
	void *objects;
	size_t objects_bytes;
	void *control;
	struct slot *batch;
	struct reader reader;
	struct ring_buffer *doorbell;
	int doorbell_fd;
	int wake_fd; /* an eventfd beside the doorbell; -1 without one */
	int timer_prog_fd;
	uint64_t timer_period_ns, timer_next_ns;
	struct stats *stats; /* native/stats.c; null if it was never started */
	int stats_pid, stats_pipe;
	uint64_t published[8]; /* the page of figures: lost, read, unpublished, watermark */
};

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* An empty recorder's handle, or a negative errno. */
int new_handle(void);
API int fr_close(int handle);
/* What wakes whoever sleeps in fr_wait; 0 or a negative errno. */
int wake_open(struct recorder *r);
/* Null if there is no such recorder. */
struct recorder *recorder(int handle);
/* The program of that name and its index; null if there is none. */
struct bpf_program *program(struct recorder *r, const char *name, int *at);
/* libbpf's own words, kept for the error text of the call under way. */
void start_log(void);
void give_log(char *text, uint32_t bytes);
/* Ends the process that samples; harmless without one. */
void stats_stop(struct recorder *r);

#endif
