// SPDX-License-Identifier: Apache-2.0
/* What a network namespace is called by the kernel, and its interfaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include "recorder.h"

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
