// SPDX-License-Identifier: Apache-2.0
/*
 * Samples what the programs cost: the kernel counts runs and run time of BPF programs while somebody holds a
 * descriptor of BPF_ENABLE_STATS (kernel/bpf/syscall.c). That costs every program of the machine 20 to 40 ns
 * a run, so it is on for a tenth of the time; and it takes CAP_SYS_ADMIN, which a recorder gives up once it
 * is armed, so a process of its own does it: forked before, with that one capability, no other descriptor,
 * and nothing to read but the end of a pipe.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "recorder.h"

/* Seldom: each change rewrites code that every CPU runs, and interrupts them all. */
#define ON_MS 1000
#define OFF_MS 9000
#define ADMIN_BIT 21 /* CAP_SYS_ADMIN */

/* Shared by both processes. */
struct stats {
	uint64_t started_ns;
	uint64_t sampled_ns; /* of the windows that have ended */
	uint64_t on_since;   /* 0 while the statistics are off */
	uint64_t always;     /* they are on anyhow: kernel.bpf_stats_enabled */
	uint64_t error;	     /* errno of the kernel's refusal */
};

/* Waits so long, or until the recorder has gone. */
static int has_gone(int pipe_fd, int ms)
{
	struct pollfd end = {pipe_fd, POLLIN, 0};

	return poll(&end, 1, ms) != 0;
}

/* Only what is safe in the child of a process with threads. */
static void sample(struct stats *stats, int pipe_fd)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{1u << ADMIN_BIT, 1u << ADMIN_BIT, 0}, {0, 0, 0}};

	prctl(PR_SET_NAME, "fr-stats");
	/* The pipe becomes 0, and nothing else stays open: not the recorder's links, nor what it prints to.
	 */
	dup2(pipe_fd, 0);
	syscall(SYS_close_range, 1, ~0u, 0);
	syscall(SYS_capset, &header, data);
	do {
		int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		uint64_t from = now_ns();
		int gone;

		if (fd < 0) {
			__atomic_store_n(&stats->error, errno, __ATOMIC_RELEASE);
			return;
		}
		__atomic_store_n(&stats->on_since, from, __ATOMIC_RELEASE);
		gone = has_gone(0, ON_MS);
		close(fd);
		__atomic_store_n(&stats->on_since, 0, __ATOMIC_RELEASE);
		__atomic_fetch_add(&stats->sampled_ns, now_ns() - from, __ATOMIC_RELEASE);
		if (gone)
			return;
	} while (!has_gone(0, OFF_MS));
}

static int stats_always(void)
{
	int fd = open("/proc/sys/kernel/bpf_stats_enabled", O_RDONLY | O_CLOEXEC);
	char answer = '0';

	if (fd < 0)
		return 0;
	if (read(fd, &answer, 1) != 1)
		answer = '0';
	close(fd);
	return answer == '1';
}

/* Starts sampling, at once and then for one second in ten, until the recorder is closed. */
API int fr_stats_start(int handle)
{
	struct recorder *r = recorder(handle);
	sigset_t all, before;
	int ends[2];
	pid_t pid;

	if (!r || r->stats)
		return -EBADF;
	r->stats = mmap(0, sizeof(*r->stats), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->stats == MAP_FAILED) {
		r->stats = 0;
		return -ENOMEM;
	}
	r->stats->started_ns = now_ns();
	r->stats->always = stats_always();
	if (r->stats->always)
		return 0;
	if (pipe2(ends, O_CLOEXEC)) {
		r->stats->error = errno;
		return -errno;
	}
	/* No handler of Node's may run in the child: it would tell the parent of the child's signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (!pid) {
		for (int number = 1; number < NSIG; number++)
			signal(number, number == SIGINT || number == SIGTERM || number == SIGHUP ||
					       number == SIGUSR1 || number == SIGUSR2 || number == SIGPIPE ||
					       number == SIGTSTP
					   ? SIG_IGN
					   : SIG_DFL);
		pthread_sigmask(SIG_SETMASK, &before, 0);
		sample(r->stats, ends[0]);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, 0);
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		r->stats->error = errno;
		return -r->stats->error;
	}
	r->stats_pid = pid;
	r->stats_pipe = ends[1];
	return 0;
}

void stats_stop(struct recorder *r)
{
	if (r->stats_pid > 0) {
		close(r->stats_pipe);
		waitpid(r->stats_pid, 0, 0);
	}
	if (r->stats)
		munmap(r->stats, sizeof(*r->stats));
	r->stats = 0;
	r->stats_pid = 0;
}

/* Three u64: ns since sampling was started, ns of these with the statistics on, errno of the kernel's
 * refusal. */
API int fr_stats(int handle, uint64_t *answer)
{
	struct recorder *r = recorder(handle);
	uint64_t now = now_ns(), on_since;

	memset(answer, 0, 3 * sizeof(*answer));
	if (!r || !r->stats)
		return -EBADF;
	answer[0] = now - r->stats->started_ns;
	answer[2] = __atomic_load_n(&r->stats->error, __ATOMIC_ACQUIRE);
	if (r->stats->always) {
		answer[1] = answer[0];
		return 0;
	}
	on_since = __atomic_load_n(&r->stats->on_since, __ATOMIC_ACQUIRE);
	answer[1] = __atomic_load_n(&r->stats->sampled_ns, __ATOMIC_ACQUIRE);
	if (on_since && now > on_since)
		answer[1] += now - on_since;
	return 0;
}
