/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for byte strings, given in hex, in all readable memory of a process: heap, stacks, files and rings it
 * has mapped. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEEDLES_MAX 256
#define NEEDLE_BYTES 64
#define PIECE (4u << 20)

struct needle {
	const char *hex;
	unsigned char bytes[NEEDLE_BYTES];
	size_t length;
	bool found;
};

static struct needle needles[NEEDLES_MAX];
static int count;
/* By the first two bytes: whether any needle begins so. One pass for all of them. */
static bool begins[65536];
static unsigned char piece[PIECE + NEEDLE_BYTES];

static bool parse(struct needle *n, const char *hex)
{
	n->hex = hex;
	n->length = strlen(hex) / 2;
	if (strlen(hex) % 2 || n->length < 2 || n->length > NEEDLE_BYTES)
		return false;
	for (size_t i = 0; i < n->length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &n->bytes[i]) != 1)
			return false;
	begins[n->bytes[0] | n->bytes[1] << 8] = true;
	return true;
}

static void search(size_t length)
{
	for (size_t at = 0; at + 1 < length; at++) {
		if (!begins[piece[at] | piece[at + 1] << 8])
			continue;
		for (int i = 0; i < count; i++)
			if (!needles[i].found && needles[i].length <= length - at &&
			    !memcmp(piece + at, needles[i].bytes, needles[i].length))
				needles[i].found = true;
	}
}

int main(int argc, char **argv)
{
	char path[64], line[512], permissions[8];
	uint64_t from, to, bytes = 0;
	unsigned regions = 0;
	const char *comma = "";
	FILE *maps;
	int memory;

	if (argc < 3 || argc - 2 > NEEDLES_MAX) {
		fprintf(stderr, "usage: memory-search PID HEX...\n");
		return 2;
	}
	for (count = 0; count < argc - 2; count++)
		if (!parse(&needles[count], argv[count + 2])) {
			fprintf(stderr, "memory-search: %s is not 2 to %d bytes in hex\n", argv[count + 2],
				NEEDLE_BYTES);
			return 2;
		}
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	memory = open(path, O_RDONLY);
	if (!maps || memory < 0) {
		perror(path);
		return 3;
	}
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, permissions) != 3 ||
		    permissions[0] != 'r' || strstr(line, "[v"))
			continue;
		regions++;
		for (uint64_t at = from; at < to; at += PIECE) {
			size_t want = to - at < sizeof(piece) ? to - at : sizeof(piece);
			ssize_t got = pread(memory, piece, want, at);

			/* Pages that went away, or lie beyond the end of a mapped file, are no memory. */
			if (got <= 0)
				continue;
			search(got);
			bytes += got;
		}
	}
	printf("{\"bytes\":%" PRIu64 ",\"regions\":%u,\"found\":[", bytes, regions);
	for (int i = 0; i < count; i++)
		if (needles[i].found) {
			printf("%s\"%s\"", comma, needles[i].hex);
			comma = ",";
		}
	printf("]}\n");
	return 0;
}
