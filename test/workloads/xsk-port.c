// SPDX-License-Identifier: Apache-2.0
/* Opens devices, the shared umem, one AF_XDP socket per (device, queue), and attaches the redirect program.
 */
#include "xsk-forwarder.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int fail(const char *what, const char *who)
{
	fprintf(stderr, "xsk-forwarder: %s %s: %s\n", what, who, strerror(errno));
	return EXIT_REFUSED;
}

int enter_netns(const struct device *device)
{
	if (setns(device->netns_fd, CLONE_NEWNET))
		return fail("cannot enter the network namespace of", device->ifname);
	return EXIT_FINE;
}

int open_device(struct device *device, const char *role, const char *ifname, const char *netns)
{
	char path[4096] = "/proc/self/ns/net";
	struct stat st;

	device->role = role;
	device->ifname = ifname;
	device->program_fd = device->map_fd = device->link_fd = -1;
	if (netns)
		snprintf(path, sizeof(path), strchr(netns, '/') ? "%s" : "/run/netns/%s", netns);
	device->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (device->netns_fd < 0 || fstat(device->netns_fd, &st))
		return fail("cannot open network namespace", path);
	device->netns_inode = st.st_ino;

	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int error = enter_netns(device);
	if (!error) {
		device->ifindex = if_nametoindex(ifname);
		if (!device->ifindex) {
			fail("no device", ifname);
			error = EXIT_USAGE;
		}
		if (setns(home, CLONE_NEWNET))
			error = fail("cannot return from the network namespace of", ifname);
	}
	close(home);
	return error;
}

int create_umem(struct forwarder *fw)
{
	fw->frame_count = fw->options.frames;
	fw->area_size = (uint64_t)fw->frame_count * fw->options.chunk_size;
	fw->area = mmap(NULL, fw->area_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (fw->area == MAP_FAILED)
		return fail("cannot allocate", "the umem");
	fw->frames = calloc(fw->frame_count, sizeof(*fw->frames));
	return fw->frames ? EXIT_FINE : fail("cannot allocate", "the frame books");
}

static int map_ring(int fd, struct ring *ring, const struct xdp_ring_offset *off, uint32_t size,
		    size_t entry_size, off_t page_offset)
{
	ring->map_length = off->desc + size * entry_size;
	ring->map =
	    mmap(NULL, ring->map_length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page_offset);
	if (ring->map == MAP_FAILED)
		return -1;
	ring->producer = (uint32_t *)((char *)ring->map + off->producer);
	ring->consumer = (uint32_t *)((char *)ring->map + off->consumer);
	ring->flags = (uint32_t *)((char *)ring->map + off->flags);
	ring->entries = (char *)ring->map + off->desc;
	ring->size = size;
	ring->mask = size - 1;
	ring->local = 0;
	return 0;
}

static int set_ring(int fd, int option, uint32_t size)
{
	return setsockopt(fd, SOL_XDP, option, &size, sizeof(size));
}

static int map_rings(struct port *port, uint32_t size, bool own_fill)
{
	struct xdp_mmap_offsets off;
	socklen_t length = sizeof(off);

	if (set_ring(port->fd, XDP_RX_RING, size) || set_ring(port->fd, XDP_TX_RING, size))
		return -1;
	if (own_fill && (set_ring(port->fd, XDP_UMEM_FILL_RING, 2 * size) ||
			 set_ring(port->fd, XDP_UMEM_COMPLETION_RING, 2 * size)))
		return -1;
	if (getsockopt(port->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &length))
		return -1;
	if (map_ring(port->fd, &port->rx, &off.rx, size, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING) ||
	    map_ring(port->fd, &port->tx, &off.tx, size, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING))
		return -1;
	if (own_fill &&
	    (map_ring(port->fd, &port->fill, &off.fr, 2 * size, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING) ||
	     map_ring(port->fd, &port->comp, &off.cr, 2 * size, sizeof(uint64_t),
		      XDP_UMEM_PGOFF_COMPLETION_RING)))
		return -1;
	return 0;
}

static int register_umem(const struct forwarder *fw, int fd)
{
	struct xdp_umem_reg reg = {
	    .addr = (uintptr_t)fw->area,
	    .len = fw->area_size,
	    .chunk_size = fw->options.chunk_size,
	};

	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg));
}

static int bind_port(const struct forwarder *fw, const struct port *port)
{
	const struct port *first = &fw->ports[0];
	struct sockaddr_xdp address = {
	    .sxdp_family = AF_XDP,
	    .sxdp_ifindex = port->device->ifindex,
	    .sxdp_queue_id = port->queue,
	};

	/* A sharing socket inherits copy or zero-copy mode and wakeup mode: the kernel refuses those flags
	 * together with SHARED. */
	if (port == first) {
		address.sxdp_flags = (fw->options.zerocopy ? XDP_ZEROCOPY : XDP_COPY) |
				     (fw->options.need_wakeup ? XDP_USE_NEED_WAKEUP : 0);
	} else {
		address.sxdp_flags = XDP_SHARED_UMEM;
		address.sxdp_shared_umem_fd = first->fd;
	}
	/* A pool of an earlier process is released by a kernel worker, some time after its last socket. */
	for (int tries = 0; tries < 50; tries++) {
		if (!bind(port->fd, (struct sockaddr *)&address, sizeof(address)))
			return 0;
		if (errno != EBUSY || stop_requested)
			return -1;
		usleep(100000);
	}
	return -1;
}

static void close_socket(struct port *port)
{
	munmap(port->rx.map, port->rx.map_length);
	munmap(port->tx.map, port->tx.map_length);
	close(port->fd);
}

/*
 * What a library does that looks up FILL and COMPLETION rings by (ifindex, queue) and forgets the namespace:
 * it finds the rings of the outer device, sets up none of its own, and the kernel wants a pair per device.
 */
static int try_colliding_bind(struct forwarder *fw, struct port *port)
{
	const struct port *earlier = &fw->ports[port->queue];

	port->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (port->fd < 0 || map_rings(port, fw->options.ring_size, false))
		return fail("cannot set up a socket for", port->device->ifname);
	int error = bind_port(fw, port) ? errno : 0;
	print_bind_collision(fw, port, earlier, error);
	close_socket(port);
	return EXIT_FINE;
}

static int open_port(struct forwarder *fw, struct port *port)
{
	uint32_t index = port - fw->ports;
	uint32_t share = fw->frame_count / fw->port_count;
	uint32_t from = index * share;
	uint32_t to = index + 1 == fw->port_count ? fw->frame_count : from + share;

	/* With a rounding remainder the last share may outgrow its FILL ring; then those frames stay unused.
	 */
	if (to - from > 2 * fw->options.ring_size - 8)
		to = from + 2 * fw->options.ring_size - 8;

	port->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (port->fd < 0)
		return fail("cannot open an AF_XDP socket for", port->device->ifname);
	if (index == 0 && register_umem(fw, port->fd))
		return fail("cannot register the umem with a socket of", port->device->ifname);
	if (map_rings(port, fw->options.ring_size, true))
		return fail("cannot set up rings for", port->device->ifname);
	port->spare = calloc(fw->frame_count, sizeof(*port->spare));
	if (!port->spare)
		return fail("cannot allocate spare frames for", port->device->ifname);
	for (uint32_t i = from; i < to; i++) {
		fw->frames[i].home = port;
		fill_frame(fw, port, (uint64_t)i * fw->options.chunk_size);
	}
	ring_publish(&port->fill);
	if (bind_port(fw, port)) {
		fprintf(stderr, "xsk-forwarder: cannot bind to %s queue %u: %s\n", port->device->ifname,
			port->queue, strerror(errno));
		return EXIT_REFUSED;
	}
	return EXIT_FINE;
}

int open_ports(struct forwarder *fw)
{
	uint32_t queues = fw->options.queues;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int error = EXIT_FINE;

	fw->port_count = DEVICES * queues;
	for (uint32_t i = 0; i < fw->port_count; i++) {
		struct port *port = &fw->ports[i];

		port->device = &fw->devices[i / queues];
		port->queue = i % queues;
		port->peer = &fw->ports[(i + queues) % fw->port_count];
	}
	for (uint32_t i = 0; i < fw->port_count && !error; i++) {
		struct port *port = &fw->ports[i];

		error = enter_netns(port->device);
		if (!error && fw->options.fault == FAULT_BIND_COLLISION && i == queues)
			error = try_colliding_bind(fw, port);
		if (!error)
			error = open_port(fw, port);
	}
	if (setns(home, CLONE_NEWNET) && !error)
		error = fail("cannot return from the network namespace of", "inner");
	close(home);
	return error;
}
