// SPDX-License-Identifier: Apache-2.0
/* Renames itself so many times on one CPU, each of which is one event, and says how many it did. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: rename-loop CPU TIMES\n");
		return 2;
	}
	cpu_set_t cpus;
	long times = strtol(argv[2], NULL, 10);

	CPU_ZERO(&cpus);
	CPU_SET(strtoul(argv[1], NULL, 10), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
		perror("rename-loop: sched_setaffinity");
		return 3;
	}
	for (long i = 0; i < times; i++) {
		char name[16] = {};

		snprintf(name, sizeof(name), "flood%u", (unsigned int)i);
		prctl(PR_SET_NAME, name);
	}
	printf("%ld\n", times);
	return 0;
}
