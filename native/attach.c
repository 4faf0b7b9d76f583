// SPDX-License-Identifier: Apache-2.0
/* Attaching programs, and what the running kernel's BTF knows of the functions they are for. */
#include <bpf/btf.h>
#include <errno.h>
#include <pthread.h>
#include "recorder.h"

API int fr_attach(int handle, const char *name, char *text, uint32_t bytes)
{
	struct recorder *r = recorder(handle);
	int at;
	struct bpf_program *prog = r ? program(r, name, &at) : 0;

	if (!prog)
		return -ENOENT;
	start_log();
	r->links[at] = bpf_program__attach(prog);
	give_log(text, bytes);
	return r->links[at] ? 0 : -errno;
}

static int arguments_of(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : 0;

	type = type ? btf__type_by_id(btf, type->type) : 0;
	return type ? btf_vlen(type) : -1;
}

/*
 * What the running kernel's BTF knows of a function of vmlinux or of that module ("": none): 0 nothing, else
 * 1 more than the number of its arguments.
 */
API int fr_btf_function(const char *name, const char *module)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct btf *kernel;
	struct btf *more;
	int arguments;

	start_log();
	pthread_mutex_lock(&lock);
	if (!kernel)
		kernel = btf__load_vmlinux_btf();
	pthread_mutex_unlock(&lock);
	if (!kernel)
		return -errno;
	arguments = arguments_of(kernel, name);
	if (arguments < 0 && module[0] && (more = btf__load_module_btf(module, kernel))) {
		arguments = arguments_of(more, name);
		btf__free(more);
	}
	return arguments + 1;
}
