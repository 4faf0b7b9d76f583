// SPDX-License-Identifier: Apache-2.0
/* The mistakes an AF_XDP application can make, each made on purpose, once, and announced as one JSON line. */
#include "xsk-forwarder.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void arm_fault_on_signal(struct forwarder *fw)
{
	if (!fault_requested || fw->fault.armed)
		return;
	fw->fault.due_at = fw->forwarded + fw->options.fault_after;
	fw->fault.armed = true;
}

static bool take_turn(struct forwarder *fw)
{
	if (!fw->fault.armed || fw->forwarded < fw->fault.due_at)
		return false;
	uint32_t left = fw->fault.left;
	while (left && !atomic_compare_exchange_weak(&fw->fault.left, &left, left - 1))
		;
	return left > 0;
}

static bool is_due(const struct forwarder *fw)
{
	return fw->fault.armed && fw->fault.left && fw->forwarded >= fw->fault.due_at;
}

static void announce(const struct forwarder *fw, const struct port *port, uint64_t address, const char *ring,
		     const char *more)
{
	printf("{\"fault\":\"%s\",\"addr\":\"0x%llx\",\"frame\":\"0x%llx\",\"ring\":\"%s\",\"queue\":%u,"
	       "\"device\":\"%s\","
	       "\"ifname\":\"%s\","
	       "\"ifindex\":%u,\"netns\":%llu,\"packets\":%llu,\"monotonic_ns\":%llu%s}\n",
	       fault_name(fw->options.fault), (unsigned long long)address,
	       (unsigned long long)(address & ~(uint64_t)(fw->options.chunk_size - 1)), ring, port->queue,
	       port->device->role, port->device->ifname, port->device->ifindex,
	       (unsigned long long)port->device->netns_inode, (unsigned long long)fw->forwarded,
	       (unsigned long long)now_ns(), more);
	fflush(stdout);
}

/* The books expect each real copy back once; the surplus one is retired when it returns. */
static void count_copy(struct forwarder *fw, uint64_t address)
{
	if (!fw->options.fault_keep)
		fw->frames[address / fw->options.chunk_size].extra++;
}

static void put_bad_fill(struct forwarder *fw, struct port *port, uint64_t address)
{
	if (!ring_room(&port->fill))
		return;
	announce(fw, port, address, "FILL", "");
	mark_move(fw, port, address, RING_FILL);
	ring_put_address(&port->fill, address);
}

static void put_wrong_tx(struct forwarder *fw, struct port *port, uint64_t address, uint32_t length)
{
	announce(fw, port, address, "TX", "");
	mark_move(fw, port, address, RING_TX);
	ring_put_descriptor(&port->tx, address, length);
	port->kick = true;
}

/* The kernel skips such a descriptor; some versions also hand it back on COMPLETION, and it isn't ours to
 * reuse. */
static void put_refused_tx(struct forwarder *fw, struct port *port, uint64_t address, uint32_t length)
{
	fw->fault.bad_tx = address;
	put_wrong_tx(fw, port, address, length);
}

/* Entries in the middle of the backlog: long published, far from the kernel's consumer. */
static void swap_published_fill(struct forwarder *fw, struct port *port)
{
	uint32_t middle = ring_consumer(&port->fill) + ring_backlog(&port->fill) / 2;
	uint64_t *first = ring_address(&port->fill, middle);
	uint64_t *second = ring_address(&port->fill, middle + 1);
	uint64_t earlier = *first;
	char more[96];

	snprintf(more, sizeof(more), ",\"other_addr\":\"0x%llx\",\"fill_index\":%u",
		 (unsigned long long)*second, middle);
	announce(fw, port, earlier, "FILL", more);
	*first = *second;
	*second = earlier;
}

static void stall(struct forwarder *fw, struct port *port)
{
	char more[64];

	snprintf(more, sizeof(more), ",\"seconds\":%g", fw->options.fault_seconds);
	announce(fw, port, 0, fw->options.fault == FAULT_STARVE ? "FILL" : "RX", more);
	port->starved = fw->options.fault == FAULT_STARVE;
	port->deaf = fw->options.fault == FAULT_RX_FULL;
	fw->fault.stalled = port;
	fw->fault.stalled_until = now_ns() + (uint64_t)(fw->options.fault_seconds * 1e9);
}

void end_stall(struct forwarder *fw)
{
	struct port *port = fw->fault.stalled;

	if (!port || (!stop_requested && now_ns() < fw->fault.stalled_until))
		return;
	fw->fault.stalled = NULL;
	port->starved = port->deaf = false;
	while (port->spares)
		fill_frame(fw, port, (uint64_t)port->spare[--port->spares] * fw->options.chunk_size);
	ring_publish(&port->fill);
}

/* Called after a received frame was put into the peer's TX ring and before either ring is published. */
void fault_on_forward(struct forwarder *fw, struct port *port, uint64_t address, uint32_t length)
{
	struct port *out = port->peer;
	struct port *home = fw->frames[address / fw->options.chunk_size].home;
	uint64_t base = address & ~(uint64_t)(fw->options.chunk_size - 1);

	if (!is_due(fw))
		return;
	switch (fw->options.fault) {
	case FAULT_FILL_WHILE_TX:
		if (!take_turn(fw))
			return;
		announce(fw, home, base, "FILL", "");
		count_copy(fw, base);
		fill_frame(fw, home, base);
		return;
	case FAULT_COMP_SKIPPED:
		if (!ring_room(&out->tx) || !take_turn(fw))
			return;
		put_wrong_tx(fw, out, address, length);
		count_copy(fw, base);
		fw->frames[address / fw->options.chunk_size].in_tx++;
		out->stats.tx++;
		return;
	case FAULT_REWRITE_FILL:
		if (ring_backlog(&home->fill) >= 8 && take_turn(fw))
			swap_published_fill(fw, home);
		return;
	case FAULT_OUT_OF_BOUNDS:
		if (take_turn(fw))
			put_bad_fill(fw, home, fw->area_size + 3 * (uint64_t)fw->options.chunk_size);
		return;
	case FAULT_POISON:
		if (take_turn(fw))
			put_bad_fill(fw, home, POISON);
		return;
	case FAULT_OUT_OF_BOUNDS_TX:
		if (ring_room(&out->tx) && take_turn(fw))
			put_refused_tx(fw, out, fw->area_size + 3 * (uint64_t)fw->options.chunk_size, length);
		return;
	case FAULT_CROSS_CHUNK_TX:
		if (ring_room(&out->tx) && take_turn(fw))
			put_refused_tx(fw, out, base + fw->options.chunk_size - 8, 60);
		return;
	case FAULT_STARVE:
	case FAULT_RX_FULL:
		if (!fw->fault.stalled && take_turn(fw))
			stall(fw, port);
		return;
	default:
		return;
	}
}

/* Called when a frame is about to return to its FILL ring; true if the fault has put it there itself. */
bool fault_on_recycle(struct forwarder *fw, struct port *home, uint64_t base)
{
	struct port *other = home;
	uint64_t address = base;

	switch (fw->options.fault) {
	case FAULT_DOUBLE_FILL:
		break;
	case FAULT_DOUBLE_FILL_OTHER:
		/* The next queue of the same device, or the other device if there is one queue only. */
		if (fw->options.queues == 1)
			other = home->peer;
		else
			other = home->queue + 1 < fw->options.queues ? home + 1 : home - home->queue;
		break;
	case FAULT_MISALIGNED:
		address = base + 0x40;
		break;
	default:
		return false;
	}
	if (!is_due(fw) || !ring_room(&other->fill) || !take_turn(fw))
		return false;
	if (fw->options.fault == FAULT_MISALIGNED) {
		announce(fw, home, address, "FILL", "");
		fill_frame(fw, home, address);
		return true;
	}
	char more[96] = "";
	if (other != home)
		snprintf(more, sizeof(more), ",\"other_device\":\"%s\",\"other_queue\":%u",
			 other->device->role, other->queue);
	announce(fw, home, base, "FILL", more);
	count_copy(fw, base);
	fill_frame(fw, home, base);
	fill_frame(fw, other, base);
	ring_publish(&other->fill);
	return true;
}

void print_bind_collision(const struct forwarder *fw, const struct port *port, const struct port *earlier,
			  int error)
{
	char more[256];

	snprintf(more, sizeof(more),
		 ",\"errno\":%d,\"error\":\"%s\",\"earlier_device\":\"%s\",\"earlier_ifindex\":%u,\"earlier_"
		 "netns\":%llu",
		 error, error ? strerror(error) : "none", earlier->device->role, earlier->device->ifindex,
		 (unsigned long long)earlier->device->netns_inode);
	announce(fw, port, 0, "none", more);
}
