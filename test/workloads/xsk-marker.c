// SPDX-License-Identifier: Apache-2.0
/* An application's own markers in the kernel's trace: each frame's move from ring to ring, before it is
 * published. */
#include "xsk-forwarder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const ring_names[] = {
    [RING_NONE] = "NEW", [RING_FILL] = "FILL", [RING_RX] = "RX", [RING_TX] = "TX", [RING_COMP] = "COMP",
};

/* Opened before a namespace is entered, whose /sys has no tracefs. */
int open_marker(struct forwarder *fw)
{
	const char *path = fw->options.trace_marker;

	fw->marker_fd = -1;
	if (!path)
		return EXIT_FINE;
	fw->marker_fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fw->marker_fd >= 0)
		return EXIT_FINE;
	fprintf(stderr, "xsk-forwarder: cannot open --trace-marker %s: %s\n", path, strerror(errno));
	return EXIT_USAGE;
}

/* The port is that of the ring which the frame goes to. */
void mark_move(struct forwarder *fw, const struct port *port, uint64_t address, enum ring_kind to)
{
	uint64_t index = address / fw->options.chunk_size;
	enum ring_kind from = RING_NONE;
	char text[96];

	if (fw->marker_fd < 0)
		return;
	if (index < fw->frame_count) {
		from = fw->frames[index].ring;
		fw->frames[index].ring = to;
	}
	int length = snprintf(text, sizeof(text), "%s q:%u 0x%llx %s -> %s", port->device->role, port->queue,
			      (unsigned long long)address, ring_names[from], ring_names[to]);
	/* A marker that is refused is missing in the trace, as one that was overwritten is. */
	if (write(fw->marker_fd, text, length) < 0)
		return;
}
