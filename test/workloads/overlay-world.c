// SPDX-License-Identifier: Apache-2.0
/* Two hosts and the sandboxes of two networks on each, as namespaces of this process; and the traffic between
 * them. */
#include "overlay-driver.h"

#include <arpa/inet.h>
#include <err.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNDERLAY 10
#define TRAFFIC_PORT 7000

static int rtnetlink(int netns)
{
	return netns_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static struct in_addr address(const char *format, int number)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr ip;

	snprintf(text, sizeof(text), format, number);
	inet_pton(AF_INET, text, &ip);
	return ip;
}

static void make_underlay(struct driver *d)
{
	int one = rtnetlink(d->host), other = rtnetlink(d->remote_host);
	mac_address mac = {0x02, 0xf1, 0, 0, 3, 1}, remote_mac = {0x02, 0xf1, 0, 0, 3, 2};

	nl_must(link_add_veth(one, UNDERLAY, "eth0", d->remote_host, UNDERLAY, "eth0"), "veth");
	nl_must(link_set(one, UNDERLAY, mac, true), "eth0");
	nl_must(link_set(other, UNDERLAY, remote_mac, true), "eth0");
	nl_must(address_add(one, UNDERLAY, address("192.0.2.%d", 1), 24), "address");
	nl_must(address_add(one, UNDERLAY, address("192.0.2.%d", 11), 24), "address");
	nl_must(address_add(other, UNDERLAY, address("192.0.2.%d", 2), 24), "address");
	nl_must(address_add(other, UNDERLAY, address("192.0.2.%d", 3), 24), "address");
	nl_must(neighbour_add(one, UNDERLAY, address("192.0.2.%d", 2), remote_mac, NLM_F_EXCL), "neighbour");
	nl_must(neighbour_add(one, UNDERLAY, address("192.0.2.%d", 3), remote_mac, NLM_F_EXCL), "neighbour");
	nl_must(neighbour_add(other, UNDERLAY, address("192.0.2.%d", 1), mac, NLM_F_EXCL), "neighbour");
	close(one);
	close(other);
}

/* The other host's end, which nothing happens to. */
static void make_remote_end(struct driver *d, struct network *n, int number)
{
	mac_address mac = {0x02, 0x42, 0x0a, 0, number, 2}, other = {0x02, 0x42, 0x0a, 0, number, 1};
	struct sockaddr_in sink = {.sin_family = AF_INET, .sin_port = htons(TRAFFIC_PORT)};
	int host = rtnetlink(d->remote_host), sandbox = rtnetlink(n->remote_sandbox), fd;

	nl_must(link_add_vxlan(host, n->ifindex, n->name, n->vni, d->remote), "vxlan");
	nl_must(link_move(host, n->ifindex, n->remote_sandbox), "vxlan into its sandbox");
	nl_must(link_set(sandbox, n->ifindex, mac, true), "vxlan up");
	nl_must(address_add(sandbox, n->ifindex, n->traffic_to, 24), "address");
	nl_must(forward_add(sandbox, n->ifindex, other, d->advertised, NLM_F_EXCL), "forwarding entry");
	fd = netns_socket(n->remote_sandbox, AF_INET, SOCK_DGRAM, 0);
	if (bind(fd, (struct sockaddr *)&sink, sizeof(sink)))
		err(1, "traffic can't be received");
	close(host);
	close(sandbox);
}

void world_make(struct driver *d)
{
	d->host = netns_make();
	d->remote_host = netns_make();
	d->advertised = address("192.0.2.%d", 1);
	d->remote = address("192.0.2.%d", 2);
	make_underlay(d);
	for (int i = 0; i < NETWORKS; i++) {
		struct network *n = &d->networks[i];

		n->vni = 4097 + i;
		n->ifindex = 20 + i;
		snprintf(n->name, sizeof(n->name), "vx-%u", n->vni);
		n->sandbox = netns_make();
		n->remote_sandbox = netns_make();
		n->traffic_to = address("10.0.%d.2", i + 1);
		make_remote_end(d, n, i + 1);
		n->traffic = netns_socket(n->sandbox, AF_INET, SOCK_DGRAM, 0);
	}
}

/* One packet through each network; one that isn't there takes none. */
void world_send(struct driver *d)
{
	static const char words[100] = "hello";

	for (int i = 0; i < NETWORKS; i++) {
		const struct network *n = &d->networks[i];
		struct sockaddr_in to = {
		    .sin_family = AF_INET,
		    .sin_port = htons(TRAFFIC_PORT),
		    .sin_addr = n->traffic_to,
		};

		(void)sendto(n->traffic, words, sizeof(words), MSG_DONTWAIT, (struct sockaddr *)&to,
			     sizeof(to));
	}
}
