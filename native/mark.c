// SPDX-License-Identifier: Apache-2.0
/* Marks of applications: setting one, and attaching to the places where they are set. */
#include <errno.h>
#include "flightring-mark.h"
#include "recorder.h"

/* Sets a mark; whoever records this library's marks sees it. */
API int fr_mark(const char *text, uint64_t value)
{
	FLIGHTRING_MARK(text, value);
	return 0;
}

/* Runs the program whenever any process comes to byte `offset` of the file. */
API int fr_attach_uprobe(int handle, const char *name, const char *path, uint64_t offset, char *text,
			 uint32_t bytes)
{
	struct recorder *r = recorder(handle);
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	int at;
	struct bpf_program *prog = r ? program(r, name, &at) : 0;
	struct bpf_link *link;

	if (!prog)
		return -ENOENT;
	if (r->marks_count == MARKS)
		return -ENOSPC;
	start_log();
	link = bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts);
	give_log(text, bytes);
	if (!link)
		return -errno;
	r->marks[r->marks_count++] = link;
	return 0;
}
