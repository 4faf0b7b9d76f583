// SPDX-License-Identifier: Apache-2.0
/* Loads the redirect program, points its XSKMAP at our sockets and attaches it inside the device's namespace.
 */
#include "xsk-forwarder.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>
#include <unistd.h>

__asm__(".section .rodata\n"
	".balign 16\n"
	".global redirect_object\n"
	".global redirect_object_end\n"
	"redirect_object:\n"
	".incbin \"" REDIRECT_OBJECT "\"\n"
	"redirect_object_end:\n"
	".previous\n");
extern const char redirect_object[];
extern const char redirect_object_end[];

static int load_redirect(struct device *device)
{
	struct bpf_object *object;

	object = bpf_object__open_mem(redirect_object, redirect_object_end - redirect_object, NULL);
	if (!object)
		return -1;
	if (bpf_object__load(object)) {
		bpf_object__close(object);
		return -1;
	}
	device->object = object;
	device->program_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "redirect_to_socket"));
	device->map_fd = bpf_object__find_map_fd_by_name(object, "sockets");
	return 0;
}

/* A link, not a netlink attach: the program leaves the device even if this process is killed. */
int attach_redirect(struct forwarder *fw, struct device *device)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = fw->options.native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int error = EXIT_FINE;

	if (load_redirect(device)) {
		close(home);
		return fail("cannot load the XDP program for", device->ifname);
	}
	for (uint32_t i = 0; i < fw->port_count; i++) {
		struct port *port = &fw->ports[i];

		if (port->device == device &&
		    bpf_map_update_elem(device->map_fd, &port->queue, &port->fd, BPF_ANY))
			error = fail("cannot put a socket into the XSKMAP of", device->ifname);
	}
	if (!error)
		error = enter_netns(device);
	if (!error) {
		device->link_fd = bpf_link_create(device->program_fd, device->ifindex, BPF_XDP, &opts);
		if (device->link_fd < 0) {
			error = fail("cannot attach XDP to", device->ifname);
			device->link_fd = -1;
		}
	}
	if (setns(home, CLONE_NEWNET) && !error)
		error = fail("cannot return from the network namespace of", device->ifname);
	close(home);
	return error;
}

void detach_redirect(struct device *device)
{
	if (device->link_fd >= 0)
		close(device->link_fd);
	device->link_fd = -1;
	bpf_object__close(device->object);
	device->object = NULL;
}
