// SPDX-License-Identifier: Apache-2.0
/* Forwards packets between two devices in two network namespaces over AF_XDP sockets that share one umem. */
#include "xsk-forwarder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

volatile sig_atomic_t stop_requested;
volatile sig_atomic_t fault_requested;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		fault_requested = 1;
	else
		stop_requested = 1;
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
	error = open_marker(&fw);
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
