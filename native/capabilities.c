// SPDX-License-Identifier: Apache-2.0
/* Giving up capabilities once everything is attached. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "recorder.h"

/* Keeps only these capabilities (a bit mask) for this thread and those it starts from now on. */
API int fr_keep_capabilities(uint64_t mask)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].effective &= mask >> (32 * i);
		data[i].permitted &= mask >> (32 * i);
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}
