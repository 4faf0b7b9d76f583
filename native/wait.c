// SPDX-License-Identifier: Apache-2.0
/* Waiting for records and taking them out of the rings; and a program that is run every so often meanwhile.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "recorder.h"

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

/* Words of struct fr_control (bpf/recorder.bpf.h). */
#define CONTROL_RUNG 2
#define CONTROL_OBJECTS 12
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

	/* It looks at objects: while there are none, it has nothing to do. */
	if (r->timer_prog_fd < 0 ||
	    !__atomic_load_n((uint32_t *)r->control + CONTROL_OBJECTS, __ATOMIC_RELAXED))
		return;
	now = now_ns();
	if (now < r->timer_next_ns)
		return;
	r->timer_next_ns = now + r->timer_period_ns;
	bpf_prog_test_run_opts(r->timer_prog_fd, &opts);
}

int wake_open(struct recorder *r)
{
	/* Its edge wakes once: nobody reads it. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->wake_fd < 0 || epoll_ctl(r->doorbell_fd, EPOLL_CTL_ADD, r->wake_fd, &event))
		return -errno;
	return 0;
}

/* Ends a wait that is under way, or the next one. */
API int fr_wake(int handle)
{
	struct recorder *r = recorder(handle);

	if (!r)
		return -EBADF;
	return r->wake_fd < 0 || eventfd_write(r->wake_fd, 1) ? -errno : 0;
}

/* Until the doorbell rings, somebody wakes us, or the time is over. */
static void sleep_for(struct recorder *r, uint32_t timeout_us)
{
	struct timespec timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000l};
	struct epoll_event event;
	int n = syscall(SYS_epoll_pwait2, r->doorbell_fd, &event, 1, &timeout, 0, 0);

	/* New in 5.11. */
	if (n < 0 && errno == ENOSYS)
		n = epoll_wait(r->doorbell_fd, &event, 1, (timeout_us + 999) / 1000);
	if (n > 0)
		ring_buffer__consume(r->doorbell);
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
		sleep_for(r, timeout_us);
		__atomic_store_n(waiting, 0, __ATOMIC_RELEASE);
		__atomic_store_n((uint32_t *)r->control + CONTROL_RUNG, 0, __ATOMIC_RELEASE);
	} else {
		usleep(timeout_us);
	}
	run_timer(r);
	return drain_once(r);
}
