// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that visit the network namespace of a container, as a container network's agent does: in good
 * order, or leaving a thread of theirs there.
 */
#include "rtnl.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BRIDGE "flr-bridge"
#define CONTAINERS_MAX 64

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "netns-threads: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* A container is a process in a namespace of its own that does nothing. */
struct container {
	pid_t pid;
	int netns;
	uint64_t cookie;
};

static struct container start_container(void)
{
	struct container container = {};
	char path[64];
	int ready[2];

	must(pipe2(ready, O_CLOEXEC) == 0, "pipe");
	container.pid = fork();
	must(container.pid >= 0, "fork");
	if (container.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		must(unshare(CLONE_NEWNET) == 0, "unshare");
		container.cookie = netns_cookie();
		must(write(ready[1], &container.cookie, 8) == 8, "write");
		for (;;)
			pause();
	}
	must(read(ready[0], &container.cookie, 8) == 8, "the container's start");
	close(ready[0]);
	close(ready[1]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", container.pid);
	container.netns = open(path, O_RDONLY | O_CLOEXEC);
	must(container.netns >= 0, path);
	return container;
}

static void stop_container(struct container *container)
{
	close(container->netns);
	kill(container->pid, SIGKILL);
	waitpid(container->pid, NULL, 0);
}

static void enter(int netns)
{
	must(setns(netns, CLONE_NEWNET) == 0, "setns");
}

static void start(pthread_t *thread, void *(*run)(void *), void *what)
{
	errno = pthread_create(thread, NULL, run, what);
	must(errno == 0, "pthread_create");
}

/* What the threads of a scenario share. */
struct scene {
	struct container container;
	int home;
	uint64_t home_cookie;
	pid_t worker, helper;
	int found; /* what the helper was told */
	sem_t helper_goes;
	int idle_ms;
};

/* One piece of work: is the bridge there? */
static int look_for_bridge(void)
{
	int socket = rtnl_open(), found = rtnl_get_link(socket, BRIDGE);

	close(socket);
	return found;
}

/* The helper waits for work, and does one piece. */
static void *help(void *what)
{
	struct scene *scene = what;

	scene->helper = gettid();
	sem_wait(&scene->helper_goes);
	scene->found = look_for_bridge();
	return NULL;
}

static void list_links_inside(struct scene *scene)
{
	int socket;

	enter(scene->container.netns);
	socket = rtnl_open();
	must(rtnl_list_links(socket) == 0, "listing the container's links");
	close(socket);
}

static void announce(struct scene *scene, const char *fault)
{
	printf("{\"fault\":\"%s\",\"process\":%d,\"worker\":%d,\"helper\":%d,\"netns\":%llu,\"home\":%llu,"
	       "\"bridge\":\"" BRIDGE "\",\"found\":%d}\n",
	       fault, getpid(), scene->worker, scene->helper, (unsigned long long)scene->container.cookie,
	       (unsigned long long)scene->home_cookie, scene->found);
	fflush(stdout);
}

/* The helper is made during the visit and stays. */
static void *leak(void *what)
{
	struct scene *scene = what;
	pthread_t helper;

	scene->worker = gettid();
	must(look_for_bridge() == 0, "looking for the bridge at home");
	list_links_inside(scene);
	start(&helper, help, scene);
	enter(scene->home);
	sem_post(&scene->helper_goes);
	pthread_join(helper, NULL);
	must(scene->found == -ENODEV, "the helper found a bridge that isn't where it is");
	announce(scene, "thread-leak");
	return NULL;
}

/* The helper is made before the visit. */
static void *visit(void *what)
{
	struct scene *scene = what;
	pthread_t helper;

	scene->worker = gettid();
	must(look_for_bridge() == 0, "looking for the bridge at home");
	start(&helper, help, scene);
	list_links_inside(scene);
	enter(scene->home);
	sem_post(&scene->helper_goes);
	pthread_join(helper, NULL);
	must(scene->found == 0, "the helper's bridge");
	return NULL;
}

/* The helper works while its creator is still inside. */
static void *ask_inside(void *what)
{
	struct scene *scene = what;
	pthread_t helper;

	scene->worker = gettid();
	list_links_inside(scene);
	start(&helper, help, scene);
	sem_post(&scene->helper_goes);
	pthread_join(helper, NULL);
	announce(scene, "foreign-request");
	enter(scene->home);
	return NULL;
}

/* A pool's thread does a piece of work, waits for the next, and is still inside. */
static void *stay(void *what)
{
	struct scene *scene = what;

	scene->worker = gettid();
	must(look_for_bridge() == 0, "looking for the bridge at home");
	list_links_inside(scene);
	usleep(scene->idle_ms * 1000);
	scene->found = look_for_bridge();
	announce(scene, "not-restored");
	enter(scene->home);
	return NULL;
}

static void *end_inside(void *what)
{
	struct scene *scene = what;

	scene->worker = gettid();
	list_links_inside(scene);
	announce(scene, "ended-inside");
	return NULL;
}

/* Sockets that are opened on one side and used on the other, both ways, on purpose; and a helper process. */
static void *keep_sockets(void *what)
{
	struct scene *scene = what;
	int outside = rtnl_open(), inside;
	pid_t child;

	scene->worker = gettid();
	enter(scene->container.netns);
	inside = rtnl_open();
	must(rtnl_get_link(outside, BRIDGE) == 0, "the bridge, by a socket from outside");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		_exit(rtnl_list_links(rtnl_open()) == 0 ? 0 : 1);
	waitpid(child, NULL, 0);
	enter(scene->home);
	must(rtnl_get_link(inside, "lo") == 0, "the container's lo, by a socket from inside");
	close(inside);
	close(outside);
	return NULL;
}

static void *list_links(void *what)
{
	int socket = rtnl_open();

	must(rtnl_list_links(socket) == 0, "listing links");
	close(socket);
	return what;
}

/* A process that enters with its only thread, and makes others there. */
static void move_for_good(struct scene *scene)
{
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		pthread_t threads[2];

		enter(scene->container.netns);
		for (int i = 0; i < 2; i++)
			start(&threads[i], list_links, NULL);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		exit(0);
	}
	waitpid(child, NULL, 0);
}

static void run_program(const char *words)
{
	must(system(words) == 0, words);
}

/* ip netns exec, nsenter and unshare, as they are used all day. */
static void run_programs(struct scene *scene)
{
	char words[128];

	run_program("ip netns add flr-visit");
	run_program("ip netns exec flr-visit ip link set lo up");
	run_program("ip netns delete flr-visit");
	snprintf(words, sizeof(words), "nsenter --net=/proc/%d/ns/net ip -brief link >/dev/null",
		 scene->container.pid);
	run_program(words);
	run_program("unshare --net ip -brief link >/dev/null");
}

static uint64_t inode_of(int netns)
{
	struct stat status;

	must(fstat(netns, &status) == 0, "fstat");
	return status.st_ino;
}

/* Makes and deletes namespaces until an inode number comes back. */
static void reuse_inode(void)
{
	uint64_t inodes[CONTAINERS_MAX], cookies[CONTAINERS_MAX];

	for (int i = 0; i < CONTAINERS_MAX; i++) {
		struct container container = start_container();

		inodes[i] = inode_of(container.netns);
		cookies[i] = container.cookie;
		stop_container(&container);
		for (int j = 0; j < i; j++) {
			if (inodes[j] != inodes[i])
				continue;
			printf(
			    "{\"fault\":\"reused-inode\",\"inode\":%llu,\"netns\":%llu,\"earlier\":%llu}\n",
			    (unsigned long long)inodes[i], (unsigned long long)cookies[i],
			    (unsigned long long)cookies[j]);
			return;
		}
		/* The number is free when a kernel worker has cleaned up. */
		usleep(100000);
	}
	fprintf(stderr, "netns-threads: no inode number came back\n");
	exit(3);
}

static void run_thread(struct scene *scene, void *(*run)(void *))
{
	pthread_t thread;

	start(&thread, run, scene);
	pthread_join(thread, NULL);
}

static const struct mode {
	const char *name;
	void *(*run)(void *);
} MODES[] = {
    {"leak", leak}, {"visit", visit},		{"ask-inside", ask_inside},
    {"stay", stay}, {"end-inside", end_inside}, {"healthy", keep_sockets},
};

int main(int argc, char **argv)
{
	struct scene scene = {.idle_ms = 1200};
	const struct mode *mode = NULL;
	int socket;

	for (size_t i = 0; argc == 2 && i < sizeof(MODES) / sizeof(MODES[0]); i++)
		if (!strcmp(argv[1], MODES[i].name))
			mode = &MODES[i];
	if (argc == 2 && !strcmp(argv[1], "reuse-inode")) {
		reuse_inode();
		return 0;
	}
	if (!mode) {
		fprintf(stderr, "usage: netns-threads "
				"healthy|visit|leak|ask-inside|stay|end-inside|reuse-inode\n");
		return 2;
	}
	socket = rtnl_open();
	rtnl_delete_link(socket, BRIDGE);
	must(rtnl_add_link(socket, BRIDGE, "bridge") == 0, "adding the bridge");
	scene.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	scene.home_cookie = netns_cookie();
	must(sem_init(&scene.helper_goes, 0, 0) == 0, "sem_init");
	scene.container = start_container();
	run_thread(&scene, mode->run);
	if (mode->run == keep_sockets) {
		run_thread(&scene, visit);
		move_for_good(&scene);
		run_programs(&scene);
	}
	stop_container(&scene.container);
	rtnl_delete_link(socket, BRIDGE);
	return 0;
}
