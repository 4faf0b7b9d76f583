// SPDX-License-Identifier: Apache-2.0
/*
 * Moves programs from CPU to CPU until it is ended: a veth device is polled on the CPU of whoever sends to
 * it, so that the polls of each queue move with the senders.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS_MAX 64
#define TURNS_PER_LOOK 50

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

static int is_named(const char *comm, char **names, int count)
{
	size_t length = strcspn(comm, "\n");

	for (int i = 0; i < count; i++)
		if (strlen(names[i]) == length && !strncmp(comm, names[i], length))
			return 1;
	return 0;
}

static int find_programs(pid_t *programs, char **names, int count)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while (processes && (entry = readdir(processes)) && found < PROGRAMS_MAX) {
		char path[300], comm[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && is_named(comm, names, count))
			programs[found++] = atoi(entry->d_name);
		fclose(file);
	}
	if (processes)
		closedir(processes);
	return found;
}

int main(int argc, char **argv)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), found = 0, moves = 0;
	pid_t programs[PROGRAMS_MAX];

	if (argc < 3 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: napi-roam MICROSECONDS PROGRAM...\n");
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	for (int turn = 0; !ended; turn++) {
		/* They may start later than this. */
		if (turn % TURNS_PER_LOOK == 0)
			found = find_programs(programs, argv + 2, argc - 2);
		for (int i = 0; i < found; i++) {
			cpu_set_t set;

			CPU_ZERO(&set);
			CPU_SET((turn + i) % cpus, &set);
			moves += sched_setaffinity(programs[i], sizeof(set), &set) == 0;
		}
		usleep(atoi(argv[1]));
	}
	printf("{\"roamed\":%d,\"programs\":%d,\"cpus\":%d}\n", moves, found, cpus);
	return 0;
}
