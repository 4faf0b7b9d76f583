// SPDX-License-Identifier: Apache-2.0
/* Forwards packets between two devices in two network namespaces over AF_XDP sockets that share one umem. */
#include "xsk-forwarder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

volatile sig_atomic_t stop_requested;
volatile sig_atomic_t fault_requested;

struct worker {
	struct forwarder *fw;
	struct port *ports[MAX_PORTS];
	uint32_t port_count;
	uint64_t deadline; /* CLOCK_MONOTONIC ns, 0: none */
	pthread_t thread;
};

static void on_signal(int number)
{
	if (number == SIGUSR1)
		fault_requested = 1;
	else
		stop_requested = 1;
}

/* The address may carry a faulty offset: the kernel masks it, our books go by the frame. */
void fill_frame(struct forwarder *fw, struct port *port, uint64_t address)
{
	fw->frames[address / fw->options.chunk_size].in_fill++;
	port->stats.filled++;
	ring_put_address(&port->fill, address);
}

void recycle(struct forwarder *fw, uint64_t address)
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

		if (index >= fw->frame_count) {
			port->stats.unknown++;
			continue;
		}
		port->stats.completed++;
		if (fw->frames[index].in_tx)
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

static void *run_worker(void *argument)
{
	struct worker *worker = argument;

	while (!is_done(worker)) {
		arm_fault_on_signal(worker->fw);
		end_stall(worker->fw);
		if (!run_pass(worker) && !worker->fw->options.busy_poll)
			wait_for_packets(worker);
	}
	return NULL;
}

/* After XDP is detached nothing new arrives: empty the rings until every frame is back, at most a second. */
static void drain(struct worker *worker)
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

static void add_port(struct worker *worker, struct port *port)
{
	worker->ports[worker->port_count++] = port;
}

static int run_threads(struct forwarder *fw, uint64_t deadline)
{
	struct worker workers[MAX_QUEUES] = {0};
	uint32_t started = 0;

	for (; started < fw->options.queues; started++) {
		struct worker *worker = &workers[started];

		worker->fw = fw;
		worker->deadline = deadline;
		add_port(worker, &fw->ports[started]);
		add_port(worker, fw->ports[started].peer);
		errno = pthread_create(&worker->thread, NULL, run_worker, worker);
		if (errno) {
			perror("xsk-forwarder: cannot start a thread");
			stop_requested = 1;
			break;
		}
	}
	for (uint32_t i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return started == fw->options.queues ? EXIT_FINE : EXIT_REFUSED;
}

static int run(struct forwarder *fw)
{
	struct worker all = {.fw = fw};
	int error = EXIT_FINE;

	if (fw->options.seconds > 0)
		all.deadline = now_ns() + (uint64_t)(fw->options.seconds * 1e9);
	for (uint32_t i = 0; i < fw->port_count; i++)
		add_port(&all, &fw->ports[i]);
	if (fw->options.threads)
		error = run_threads(fw, all.deadline);
	else
		run_worker(&all);
	for (int i = 0; i < DEVICES; i++)
		detach_redirect(&fw->devices[i]);
	fw->fault.armed = false;
	drain(&all);
	if (fw->gone)
		fprintf(stderr, "xsk-forwarder: a device went down or away; stopped\n");
	if (!print_stats(fw) && !error && fw->options.fault == FAULT_NONE && !fw->gone) {
		fprintf(stderr, "xsk-forwarder: the frames do not balance; --stats shows where\n");
		error = EXIT_UNBALANCED;
	}
	return error;
}

static int write_ready_file(const struct forwarder *fw)
{
	char temporary[4096];
	const char *path = fw->options.ready_file;

	if (!path)
		return EXIT_FINE;
	snprintf(temporary, sizeof(temporary), "%s.%d", path, getpid());
	FILE *file = fopen(temporary, "w");
	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) || rename(temporary, path)) {
		fprintf(stderr, "xsk-forwarder: cannot write --ready-file %s: %s\n", path, strerror(errno));
		return EXIT_USAGE;
	}
	return EXIT_FINE;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

int main(int argc, char **argv)
{
	static struct forwarder fw;
	static const char *const roles[DEVICES] = {"outer", "inner"};
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int error = parse_options(argc, argv, &fw.options);

	if (error)
		return error;
	catch_signals();
	libbpf_set_print(NULL);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	fw.fault.left = fw.options.fault_count;
	fw.fault.due_at = fw.options.fault_after;
	fw.fault.armed = fw.options.fault != FAULT_NONE && !fw.options.fault_on_signal;
	for (int i = 0; i < DEVICES && !error; i++)
		error = open_device(&fw.devices[i], roles[i], fw.options.ifname[i], fw.options.netns[i]);
	if (!error && fw.options.fault == FAULT_BIND_COLLISION &&
	    fw.devices[0].ifindex != fw.devices[1].ifindex) {
		fprintf(stderr,
			"xsk-forwarder: --fault bind-collision wants equal ifindex, got %u and %u; "
			"build the devices with veth-topology.sh up --same-ifindex 4242\n",
			fw.devices[0].ifindex, fw.devices[1].ifindex);
		error = EXIT_USAGE;
	}
	if (!error)
		error = create_umem(&fw);
	if (!error)
		error = open_ports(&fw);
	for (int i = 0; i < DEVICES && !error; i++)
		error = attach_redirect(&fw, &fw.devices[i]);
	if (!error)
		error = write_ready_file(&fw);
	return error ? error : run(&fw);
}
