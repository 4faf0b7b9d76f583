// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a BPF iterator over TCP or UDP sockets one socket at a time, while sockets close and open between the
 * reads, and compares what it was shown with what was there. The sockets share one port, and so one bucket,
 * in a network namespace of their own.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 6
#define SHOWN_MAX 64
#define PORT 4791

__asm__(".section .rodata\n"
	".balign 16\n"
	".global iterator_object\n"
	".global iterator_object_end\n"
	"iterator_object:\n"
	".incbin \"" ITERATOR_OBJECT "\"\n"
	"iterator_object_end:\n"
	".previous\n");
extern const char iterator_object[];
extern const char iterator_object_end[];

struct one_socket {
	int fd; /* -1: closed */
	uint64_t cookie;
};

struct walk {
	bool tcp;
	int fd;
	struct one_socket sockets[SOCKETS];
	uint64_t shown[SHOWN_MAX];
	int shown_count;
	uint64_t changed; /* cookie of the socket that was closed or opened between two reads */
	int changed_by;	  /* thread */
};

enum change { NOTHING, CLOSE_SHOWN, CLOSE_AHEAD, OPEN };

struct change_order {
	struct walk *walk;
	enum change change;
};

static void die(const char *what)
{
	fprintf(stderr, "socket-iterator: %s: %s\n", what, strerror(errno));
	exit(3);
}

static struct one_socket open_socket(bool tcp)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct one_socket one = {.fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0)};
	socklen_t length = sizeof(one.cookie);
	int on = 1;

	if (one.fd < 0 || setsockopt(one.fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		die("socket");
	/* Asked for before bind, so that the socket has its cookie when it enters the table. */
	if (getsockopt(one.fd, SOL_SOCKET, SO_COOKIE, &one.cookie, &length))
		die("SO_COOKIE");
	if (bind(one.fd, (struct sockaddr *)&address, sizeof(address)) || (tcp && listen(one.fd, 4)))
		die("bind");
	return one;
}

/* A namespace of its own with its loopback device up. */
static void enter_netns(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET))
		die("unshare");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		die("loopback");
	close(fd);
}

static void open_iterator(struct walk *walk)
{
	struct bpf_object *object =
	    bpf_object__open_mem(iterator_object, iterator_object_end - iterator_object, NULL);
	struct bpf_program *program;
	struct bpf_link *link;
	struct bpf_map *rodata;
	uint16_t port = PORT;

	if (!object)
		die("open the BPF object");
	rodata = bpf_object__find_map_by_name(object, ".rodata");
	if (!rodata || bpf_map__set_initial_value(rodata, &port, sizeof(port)))
		die("set the port");
	if (bpf_object__load(object))
		die("load the iterators");
	program = bpf_object__find_program_by_name(object, walk->tcp ? "show_tcp" : "show_udp");
	link = bpf_program__attach_iter(program, NULL);
	if (!link)
		die("attach the iterator");
	walk->fd = bpf_iter_create(bpf_link__fd(link));
	if (walk->fd < 0)
		die("open the iterator");
	bpf_link__destroy(link);
	bpf_object__close(object);
}

static bool was_shown(const struct walk *walk, uint64_t cookie)
{
	for (int i = 0; i < walk->shown_count; i++)
		if (walk->shown[i] == cookie)
			return true;
	return false;
}

static void close_one(struct walk *walk, bool shown)
{
	for (int i = 0; i < SOCKETS; i++) {
		struct one_socket *one = &walk->sockets[i];

		if (one->fd < 0 || was_shown(walk, one->cookie) != shown)
			continue;
		close(one->fd);
		one->fd = -1;
		walk->changed = one->cookie;
		return;
	}
}

static void *change_sockets(void *order)
{
	struct walk *walk = ((struct change_order *)order)->walk;

	walk->changed_by = gettid();
	switch (((struct change_order *)order)->change) {
	case CLOSE_SHOWN:
		close_one(walk, true);
		break;
	case CLOSE_AHEAD:
		close_one(walk, false);
		/* Nor do sockets of another namespace concern this iterator. */
		enter_netns();
		close(open_socket(walk->tcp).fd);
		open_socket(walk->tcp);
		break;
	case OPEN:
		walk->changed = open_socket(walk->tcp).cookie;
		break;
	case NOTHING:
		break;
	}
	return NULL;
}

/* Another thread changes the sockets, between two reads. */
static void change(struct walk *walk, enum change change)
{
	struct change_order order = {walk, change};
	pthread_t thread;

	if (pthread_create(&thread, NULL, change_sockets, &order) || pthread_join(thread, NULL))
		die("thread");
}

/* A read of the size of one socket is given one, or the end. */
static bool read_one(struct walk *walk)
{
	ssize_t bytes = read(walk->fd, &walk->shown[walk->shown_count], sizeof(walk->shown[0]));

	if (bytes < 0)
		die("read the iterator");
	if (bytes > 0 && ++walk->shown_count == SHOWN_MAX) {
		fprintf(stderr, "socket-iterator: shown more than %d sockets\n", SHOWN_MAX);
		exit(3);
	}
	return bytes > 0;
}

static void say_fault(const struct walk *walk, const char *fault, uint64_t cookie)
{
	printf("{\"fault\":\"%s\",\"protocol\":\"%s\",\"cookie\":%lu,\"port\":%d,\"changed\":%lu,"
	       "\"changed_by\":%d,\"process\":%d}\n",
	       fault, walk->tcp ? "tcp" : "udp", cookie, PORT, walk->changed, walk->changed_by, getpid());
}

/* Whether each socket that was there all the time was shown once. */
static void compare(const struct walk *walk)
{
	printf("{\"shown\":[");
	for (int i = 0; i < walk->shown_count; i++)
		printf("%s%lu", i ? "," : "", walk->shown[i]);
	printf("],\"open\":[");
	for (int i = 0, some = 0; i < SOCKETS; i++)
		if (walk->sockets[i].fd >= 0)
			printf("%s%lu", some++ ? "," : "", walk->sockets[i].cookie);
	printf("]}\n");
	for (int i = 0; i < SOCKETS; i++)
		if (walk->sockets[i].fd >= 0 && !was_shown(walk, walk->sockets[i].cookie))
			say_fault(walk, "iterator-skipped", walk->sockets[i].cookie);
	for (int i = 0; i < walk->shown_count; i++)
		for (int j = 0; j < i; j++)
			if (walk->shown[i] == walk->shown[j])
				say_fault(walk, "iterator-repeated", walk->shown[i]);
}

static void walk_once(bool tcp, enum change what)
{
	struct walk walk = {.tcp = tcp};

	enter_netns();
	for (int i = 0; i < SOCKETS; i++)
		walk.sockets[i] = open_socket(tcp);
	open_iterator(&walk);
	for (int reads = 0; read_one(&walk);)
		if (++reads == 2)
			change(&walk, what);
	close(walk.fd);
	compare(&walk);
	for (int i = 0; i < SOCKETS; i++)
		if (walk.sockets[i].fd >= 0)
			close(walk.sockets[i].fd);
}

/* Connections whose first closer is in TIME_WAIT while they are walked. */
static void connect_and_walk(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct walk walk = {.tcp = true};
	int listener, client[3], server[3];

	enter_netns();
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = open_socket(true).fd;
	for (int i = 0; i < 3; i++) {
		client[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (client[i] < 0 || connect(client[i], (struct sockaddr *)&address, sizeof(address)))
			die("connect");
		server[i] = accept(listener, NULL, NULL);
		if (server[i] < 0)
			die("accept");
	}
	close(server[0]);
	close(client[0]);
	open_iterator(&walk);
	while (read_one(&walk))
		;
	close(walk.fd);
	printf("{\"connections_shown\":%d}\n", walk.shown_count);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[2] : "";
	bool tcp = argc == 3 && !strcmp(argv[1], "tcp");

	if (argc == 3 && (tcp || !strcmp(argv[1], "udp"))) {
		if (!strcmp(what, "healthy")) {
			walk_once(tcp, NOTHING);
			walk_once(tcp, CLOSE_AHEAD);
			if (tcp)
				connect_and_walk();
			return 0;
		}
		if (!strcmp(what, "close")) {
			walk_once(tcp, CLOSE_SHOWN);
			return 0;
		}
		if (!strcmp(what, "open")) {
			walk_once(tcp, OPEN);
			return 0;
		}
	}
	fprintf(stderr, "usage: socket-iterator udp|tcp healthy|close|open\n");
	return 2;
}
