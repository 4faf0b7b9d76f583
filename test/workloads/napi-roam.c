// SPDX-License-Identifier: Apache-2.0
/* Moves the kernel threads that poll the named devices (threaded NAPI) from CPU to CPU until it is ended. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

/* net/core/dev.c: napi_kthread_create names them napi/DEVICE-ID. */
static int polls(const char *comm, char **devices, int count)
{
	for (int i = 0; i < count; i++) {
		size_t length = strlen(devices[i]);

		if (!strncmp(comm, "napi/", 5) && !strncmp(comm + 5, devices[i], length) &&
		    comm[5 + length] == '-')
			return 1;
	}
	return 0;
}

static int find_threads(pid_t *threads, char **devices, int count)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while (processes && (entry = readdir(processes)) && found < THREADS_MAX) {
		char path[300], comm[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && polls(comm, devices, count))
			threads[found++] = atoi(entry->d_name);
		fclose(file);
	}
	if (processes)
		closedir(processes);
	return found;
}

int main(int argc, char **argv)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), found, moves = 0;
	pid_t threads[THREADS_MAX];

	if (argc < 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: napi-roam MICROSECONDS DEVICE...\n");
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	found = find_threads(threads, argv + 2, argc - 2);
	if (!found) {
		fprintf(stderr, "napi-roam: none of these devices is polled by a thread\n");
		return 3;
	}
	for (; !ended; moves++) {
		for (int i = 0; i < found; i++) {
			cpu_set_t set;

			CPU_ZERO(&set);
			CPU_SET((moves + i) % cpus, &set);
			sched_setaffinity(threads[i], sizeof(set), &set);
		}
		usleep(atoi(argv[1]));
	}
	printf("{\"roamed\":%d,\"threads\":%d,\"cpus\":%d}\n", moves, found, cpus);
	return 0;
}
