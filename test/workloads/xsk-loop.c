// SPDX-License-Identifier: Apache-2.0
/* The forwarding loop: completions back to FILL, RX of one device to TX of the other, and nothing lost on the
 * way. */
#include "xsk-forwarder.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The address may carry a faulty offset: the kernel masks it, our books go by the frame. */
void fill_frame(struct forwarder *fw, struct port *port, uint64_t address)
{
	fw->frames[address / fw->options.chunk_size].in_fill++;
	port->stats.filled++;
	mark_move(fw, port, address, RING_FILL);
	ring_put_address(&port->fill, address);
}

static void recycle(struct forwarder *fw, uint64_t address)
{
	uint64_t base = address & ~(uint64_t)(fw->options.chunk_size - 1);
	uint32_t index = base / fw->options.chunk_size;
	struct frame *frame = &fw->frames[index];
	struct port *home = frame->home;

	if (frame->extra) {
		frame->extra--;
		fw->retired++;
		return;
	}
	if (home->starved || !ring_room(&home->fill)) {
		home->spare[home->spares++] = index;
		return;
	}
	if (!fault_on_recycle(fw, home, base))
		fill_frame(fw, home, base);
}

static uint32_t collect_completions(struct forwarder *fw, struct port *port)
{
	uint32_t count = ring_available(&port->comp);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t address = *ring_address(&port->comp, port->comp.local++);
		uint64_t index = address / fw->options.chunk_size;

		if (address == fw->fault.bad_tx && fw->fault.bad_tx) {
			port->stats.refused++;
			continue;
		}
		if (index >= fw->frame_count || !fw->frames[index].in_tx) {
			port->stats.unknown++;
			continue;
		}
		port->stats.completed++;
		mark_move(fw, port, address, RING_COMP);
		fw->frames[index].in_tx--;
		recycle(fw, address);
	}
	if (count) {
		ring_release(&port->comp);
		ring_publish(&port->peer->fill);
		ring_publish(&port->fill);
	}
	return count;
}

static void forward_one(struct forwarder *fw, struct port *port, uint64_t address, uint32_t length)
{
	struct port *out = port->peer;
	uint64_t index = address / fw->options.chunk_size;

	port->stats.rx++;
	mark_move(fw, port, address, RING_RX);
	if (index >= fw->frame_count || !fw->frames[index].home) {
		port->stats.unknown++;
		port->stats.dropped++;
		return;
	}
	if (fw->frames[index].in_fill)
		fw->frames[index].in_fill--;
	else
		port->stats.unexpected++;
	if (!ring_room(&out->tx)) {
		port->stats.dropped++;
		recycle(fw, address);
		return;
	}
	mark_move(fw, out, address, RING_TX);
	ring_put_descriptor(&out->tx, address, length);
	out->kick = true;
	out->stats.tx++;
	fw->frames[index].in_tx++;
	fault_on_forward(fw, port, address, length);
	fw->forwarded++;
}

static uint32_t forward_batch(struct forwarder *fw, struct port *port)
{
	uint32_t count = port->deaf ? 0 : ring_available(&port->rx);

	if (count > BATCH)
		count = BATCH;
	for (uint32_t i = 0; i < count; i++) {
		struct xdp_desc *entry = ring_descriptor(&port->rx, port->rx.local++);
		struct xdp_desc packet = *entry;

		if (fw->options.poison_rx)
			entry->addr = POISON;
		forward_one(fw, port, packet.addr, packet.len);
		/* A fault that stops us from receiving does so at once. */
		if (port->deaf) {
			count = i + 1;
			break;
		}
	}
	if (count) {
		ring_publish(&port->fill);
		ring_publish(&port->peer->fill);
		ring_publish(&port->peer->tx);
		ring_release(&port->rx);
	}
	return count;
}

/* Copy mode sends at most 32 descriptors a call and says EAGAIN while more are left. */
static void send_pending(struct forwarder *fw, struct port *port)
{
	if (!port->kick)
		return;
	for (int tries = 0; tries < 64; tries++) {
		if (!ring_backlog(&port->tx)) {
			port->kick = false;
			return;
		}
		if (fw->options.need_wakeup && !ring_wants_wakeup(&port->tx))
			return;
		if (sendto(port->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN ||
		    errno == EBUSY)
			continue;
		if (errno == ENETDOWN || errno == ENXIO || errno == ENODEV)
			fw->gone = true;
		return;
	}
}

static uint32_t run_pass(struct worker *worker)
{
	uint32_t moved = 0;

	for (uint32_t i = 0; i < worker->port_count; i++) {
		struct port *port = worker->ports[i];

		moved += collect_completions(worker->fw, port);
		moved += forward_batch(worker->fw, port);
		send_pending(worker->fw, port->peer);
	}
	return moved;
}

static bool is_transmitting(const struct worker *worker)
{
	for (uint32_t i = 0; i < worker->port_count; i++)
		if (worker->ports[i]->stats.tx != worker->ports[i]->stats.completed)
			return true;
	return false;
}

/* A receive of an AF_XDP socket moves nothing: it asks the kernel to look at the rings. */
static void ask_for_packets(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->port_count; i++)
		if (recvfrom(worker->ports[i]->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 &&
		    (errno == ENETDOWN || errno == ENXIO || errno == ENODEV))
			worker->fw->gone = true;
	usleep(500);
}

static void wait_for_packets(struct worker *worker)
{
	struct pollfd fds[MAX_PORTS];
	int count = 0;

	for (uint32_t i = 0; i < worker->port_count; i++)
		if (!worker->ports[i]->deaf)
			fds[count++] = (struct pollfd){.fd = worker->ports[i]->fd, .events = POLLIN};
	/* A completion does not wake poll(), hence the short wait while one is due. */
	if (poll(fds, count, is_transmitting(worker) || worker->fw->fault.stalled ? 1 : 50) <= 0)
		return;
	for (int i = 0; i < count; i++)
		if (fds[i].revents & (POLLERR | POLLHUP | POLLNVAL))
			worker->fw->gone = true;
}

static bool is_done(const struct worker *worker)
{
	const struct forwarder *fw = worker->fw;

	if (stop_requested || fw->gone)
		return true;
	if (fw->options.count && fw->forwarded >= fw->options.count)
		return true;
	return worker->deadline && now_ns() >= worker->deadline;
}

void *run_worker(void *argument)
{
	struct worker *worker = argument;

	while (!is_done(worker)) {
		arm_fault_on_signal(worker->fw);
		end_stall(worker->fw);
		if (run_pass(worker) || worker->fw->options.busy_poll)
			continue;
		if (worker->fw->options.recv)
			ask_for_packets(worker);
		else
			wait_for_packets(worker);
	}
	return NULL;
}

/* After XDP is detached nothing new arrives: empty the rings until every frame is back, at most a second. */
void drain(struct worker *worker)
{
	uint64_t deadline = now_ns() + 1000000000;
	int quiet = 0;

	stop_requested = 1;
	end_stall(worker->fw);
	while (quiet < 20 && now_ns() < deadline) {
		quiet = run_pass(worker) || is_transmitting(worker) ? 0 : quiet + 1;
		usleep(500);
	}
}
