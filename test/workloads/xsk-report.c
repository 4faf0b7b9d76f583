// SPDX-License-Identifier: Apache-2.0
/* The closing JSON line: what each socket carried, what the kernel refused, and whether every frame is
 * accounted for. */
#include "xsk-forwarder.h"

#include <stdio.h>
#include <sys/socket.h>

struct books {
	uint64_t fill;
	uint64_t tx;
	uint64_t spare;
	uint64_t unused;
	uint64_t multiple; /* copies beyond the first, left behind by a fault */
	uint64_t kernel;   /* taken from FILL and neither delivered nor still in the ring */
};

static void add(struct port_stats *sum, const struct port_stats *one)
{
	sum->rx += one->rx;
	sum->tx += one->tx;
	sum->completed += one->completed;
	sum->filled += one->filled;
	sum->dropped += one->dropped;
	sum->unexpected += one->unexpected;
	sum->unknown += one->unknown;
	sum->refused += one->refused;
}

static struct books count_frames(const struct forwarder *fw, struct port_stats *sum)
{
	struct books books = {0};
	uint64_t in_rings = 0;

	for (uint32_t i = 0; i < fw->port_count; i++) {
		books.spare += fw->ports[i].spares;
		in_rings += ring_backlog(&fw->ports[i].fill);
		add(sum, &fw->ports[i].stats);
	}
	for (uint32_t i = 0; i < fw->frame_count; i++) {
		const struct frame *frame = &fw->frames[i];
		uint32_t copies = frame->in_fill + frame->in_tx;

		books.fill += frame->in_fill;
		books.tx += frame->in_tx;
		books.unused += !frame->home;
		books.multiple += copies > 1 ? copies - 1 : 0;
	}
	books.kernel = books.fill - in_rings;
	return books;
}

static void print_port(const struct port *port, bool last)
{
	struct xdp_statistics kernel = {0};
	struct xdp_options mode = {0};
	socklen_t length = sizeof(kernel), mode_length = sizeof(mode);
	const struct port_stats *s = &port->stats;

	getsockopt(port->fd, SOL_XDP, XDP_STATISTICS, &kernel, &length);
	getsockopt(port->fd, SOL_XDP, XDP_OPTIONS, &mode, &mode_length);
	printf("{\"device\":\"%s\",\"ifname\":\"%s\",\"ifindex\":%u,\"netns\":%llu,\"queue\":%u,\"zerocopy\":"
	       "%s,\"rx\":%llu,"
	       "\"tx\":%llu,"
	       "\"completed\":%llu,\"filled\":%llu,\"dropped\":%llu,\"unexpected\":%llu,"
	       "\"kernel\":{\"rx_dropped\":%llu,\"rx_ring_full\":%llu,\"fill_empty\":%llu,"
	       "\"tx_invalid\":%llu}}%s",
	       port->device->role, port->device->ifname, port->device->ifindex,
	       (unsigned long long)port->device->netns_inode, port->queue,
	       mode.flags & XDP_OPTIONS_ZEROCOPY ? "true" : "false", (unsigned long long)s->rx,
	       (unsigned long long)s->tx, (unsigned long long)s->completed, (unsigned long long)s->filled,
	       (unsigned long long)s->dropped, (unsigned long long)s->unexpected,
	       (unsigned long long)kernel.rx_dropped, (unsigned long long)kernel.rx_ring_full,
	       (unsigned long long)kernel.rx_fill_ring_empty_descs,
	       (unsigned long long)kernel.tx_invalid_descs, last ? "" : ",");
}

bool print_stats(struct forwarder *fw)
{
	struct port_stats sum = {0};
	struct books books = count_frames(fw, &sum);
	bool balanced =
	    books.fill + books.tx + books.spare + books.unused - books.multiple == fw->frame_count &&
	    books.tx == 0 && sum.tx == sum.completed && !sum.unexpected && !sum.unknown &&
	    fw->forwarded + sum.dropped == sum.rx;

	if (!fw->options.stats)
		return balanced;
	printf("{\"rx\":%llu,\"tx\":%llu,\"completed\":%llu,\"dropped\":%llu,\"forwarded\":%llu,"
	       "\"unexpected\":%llu,"
	       "\"unknown\":%llu,\"retired\":%llu,\"refused\":%llu,\"balanced\":%s,"
	       "\"frames\":{\"total\":%u,\"fill\":%llu,\"kernel\":%lld,\"tx\":%llu,\"spare\":%llu,\"unused\":"
	       "%llu,"
	       "\"multiple\":%llu},\"ports\":[",
	       (unsigned long long)sum.rx, (unsigned long long)sum.tx, (unsigned long long)sum.completed,
	       (unsigned long long)sum.dropped, (unsigned long long)fw->forwarded,
	       (unsigned long long)sum.unexpected, (unsigned long long)sum.unknown,
	       (unsigned long long)fw->retired, (unsigned long long)sum.refused, balanced ? "true" : "false",
	       fw->frame_count, (unsigned long long)books.fill, (long long)books.kernel,
	       (unsigned long long)books.tx, (unsigned long long)books.spare,
	       (unsigned long long)books.unused, (unsigned long long)books.multiple);
	for (uint32_t i = 0; i < fw->port_count; i++)
		print_port(&fw->ports[i], i + 1 == fw->port_count);
	printf("]}\n");
	fflush(stdout);
	return balanced;
}
