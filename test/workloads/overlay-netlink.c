// SPDX-License-Identifier: Apache-2.0
/* Namespaces, links, addresses, neighbours and forwarding entries, by raw netlink. */
#include "overlay-netlink.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VXLAN_PORT 4789

int netns_make(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), made;

	if (home < 0 || unshare(CLONE_NEWNET))
		err(1, "a network namespace can't be made");
	made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (made < 0 || setns(home, CLONE_NEWNET))
		err(1, "a network namespace can't be left");
	close(home);
	return made;
}

int netns_socket(int netns, int family, int type, int protocol)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	if (home < 0 || setns(netns, CLONE_NEWNET))
		err(1, "a network namespace can't be entered");
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0 || setns(home, CLONE_NEWNET))
		err(1, "a socket can't be made in a network namespace");
	close(home);
	return fd;
}

void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *head, size_t length)
{
	memset(m, 0, sizeof(*m));
	m->header.nlmsg_len = NLMSG_LENGTH(length);
	m->header.nlmsg_type = type;
	m->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(m->body, head, length);
}

void nl_put(struct nl_message *m, uint16_t type, const void *value, size_t length)
{
	struct nlattr *attribute = (void *)m + NLMSG_ALIGN(m->header.nlmsg_len);

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + length;
	if (length)
		memcpy((void *)attribute + NLA_HDRLEN, value, length);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

static struct nlattr *nest(struct nl_message *m, uint16_t type)
{
	struct nlattr *attribute = (void *)m + NLMSG_ALIGN(m->header.nlmsg_len);

	nl_put(m, type, 0, 0);
	return attribute;
}

static void end_nest(struct nl_message *m, struct nlattr *attribute)
{
	attribute->nla_len = (void *)m + m->header.nlmsg_len - (void *)attribute;
}

int nl_ask(int fd, struct nl_message *m)
{
	char answer[4096];
	const struct nlmsghdr *header = (void *)answer;
	ssize_t length;

	if (send(fd, m, m->header.nlmsg_len, 0) < 0)
		return -errno;
	do {
		length = recv(fd, answer, sizeof(answer), 0);
		if (length < 0)
			return -errno;
	} while (!NLMSG_OK(header, length) || header->nlmsg_type != NLMSG_ERROR);
	return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
}

void nl_must(int result, const char *what)
{
	if (result) {
		errno = -result;
		err(1, "%s", what);
	}
}

int link_add_veth(int fd, int ifindex, const char *name, int peer_netns, int peer_ifindex, const char *peer)
{
	struct ifinfomsg head = {.ifi_index = ifindex}, peer_head = {.ifi_index = peer_ifindex};
	struct nlattr *info, *data, *other;
	struct nl_message m;

	nl_start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	nl_put(&m, IFLA_IFNAME, name, strlen(name) + 1);
	info = nest(&m, IFLA_LINKINFO);
	nl_put(&m, IFLA_INFO_KIND, "veth", 5);
	data = nest(&m, IFLA_INFO_DATA);
	other = (void *)&m + NLMSG_ALIGN(m.header.nlmsg_len);
	nl_put(&m, VETH_INFO_PEER, &peer_head, sizeof(peer_head));
	nl_put(&m, IFLA_IFNAME, peer, strlen(peer) + 1);
	nl_put(&m, IFLA_NET_NS_FD, &peer_netns, sizeof(peer_netns));
	end_nest(&m, other);
	end_nest(&m, data);
	end_nest(&m, info);
	return nl_ask(fd, &m);
}

int link_add_vxlan(int fd, int ifindex, const char *name, uint32_t vni, struct in_addr local)
{
	struct ifinfomsg head = {.ifi_index = ifindex};
	uint16_t port = htons(VXLAN_PORT);
	uint8_t learning = 0;
	struct nlattr *info, *data;
	struct nl_message m;

	nl_start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	nl_put(&m, IFLA_IFNAME, name, strlen(name) + 1);
	info = nest(&m, IFLA_LINKINFO);
	nl_put(&m, IFLA_INFO_KIND, "vxlan", 6);
	data = nest(&m, IFLA_INFO_DATA);
	nl_put(&m, IFLA_VXLAN_ID, &vni, sizeof(vni));
	nl_put(&m, IFLA_VXLAN_LOCAL, &local, sizeof(local));
	nl_put(&m, IFLA_VXLAN_PORT, &port, sizeof(port));
	nl_put(&m, IFLA_VXLAN_LEARNING, &learning, sizeof(learning));
	end_nest(&m, data);
	end_nest(&m, info);
	return nl_ask(fd, &m);
}

int link_move(int fd, int ifindex, int netns)
{
	struct ifinfomsg head = {.ifi_index = ifindex};
	struct nl_message m;

	nl_start(&m, RTM_NEWLINK, 0, &head, sizeof(head));
	nl_put(&m, IFLA_NET_NS_FD, &netns, sizeof(netns));
	return nl_ask(fd, &m);
}

int link_set(int fd, int ifindex, const uint8_t *mac, bool up)
{
	struct ifinfomsg head = {.ifi_index = ifindex, .ifi_change = IFF_UP, .ifi_flags = up ? IFF_UP : 0};
	/* No link-local addresses: they only chatter. */
	uint8_t none = 1; /* IN6_ADDR_GEN_MODE_NONE */
	struct nlattr *families, *inet6;
	struct nl_message m;

	nl_start(&m, RTM_NEWLINK, 0, &head, sizeof(head));
	if (mac)
		nl_put(&m, IFLA_ADDRESS, mac, 6);
	families = nest(&m, IFLA_AF_SPEC);
	inet6 = nest(&m, AF_INET6);
	nl_put(&m, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	end_nest(&m, inet6);
	end_nest(&m, families);
	return nl_ask(fd, &m);
}

int link_delete(int fd, int ifindex)
{
	struct ifinfomsg head = {.ifi_index = ifindex};
	struct nl_message m;

	nl_start(&m, RTM_DELLINK, 0, &head, sizeof(head));
	return nl_ask(fd, &m);
}

int address_add(int fd, int ifindex, struct in_addr address, uint8_t prefix)
{
	struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = ifindex};
	struct nl_message m;

	nl_start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	nl_put(&m, IFA_LOCAL, &address, sizeof(address));
	nl_put(&m, IFA_ADDRESS, &address, sizeof(address));
	return nl_ask(fd, &m);
}

int neighbour_add(int fd, int ifindex, struct in_addr ip, const uint8_t *mac, uint16_t flags)
{
	struct ndmsg head = {.ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_state = NUD_PERMANENT};
	struct nl_message m;

	nl_start(&m, RTM_NEWNEIGH, NLM_F_CREATE | flags, &head, sizeof(head));
	nl_put(&m, NDA_DST, &ip, sizeof(ip));
	nl_put(&m, NDA_LLADDR, mac, 6);
	return nl_ask(fd, &m);
}

int neighbour_delete(int fd, int ifindex, struct in_addr ip, const uint8_t *mac)
{
	struct ndmsg head = {.ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_state = NUD_PERMANENT};
	struct nl_message m;

	nl_start(&m, RTM_DELNEIGH, 0, &head, sizeof(head));
	nl_put(&m, NDA_DST, &ip, sizeof(ip));
	nl_put(&m, NDA_LLADDR, mac, 6);
	return nl_ask(fd, &m);
}

static int forward(int fd, uint16_t type, int ifindex, const uint8_t *mac, struct in_addr vtep,
		   uint16_t flags)
{
	struct ndmsg head = {
	    .ndm_family = AF_BRIDGE,
	    .ndm_ifindex = ifindex,
	    .ndm_state = NUD_PERMANENT | NUD_NOARP,
	    .ndm_flags = NTF_SELF,
	};
	struct nl_message m;

	nl_start(&m, type, flags, &head, sizeof(head));
	nl_put(&m, NDA_DST, &vtep, sizeof(vtep));
	nl_put(&m, NDA_LLADDR, mac, 6);
	return nl_ask(fd, &m);
}

int forward_add(int fd, int ifindex, const uint8_t *mac, struct in_addr vtep, uint16_t flags)
{
	return forward(fd, RTM_NEWNEIGH, ifindex, mac, vtep, NLM_F_CREATE | flags);
}

int forward_delete(int fd, int ifindex, const uint8_t *mac, struct in_addr vtep)
{
	return forward(fd, RTM_DELNEIGH, ifindex, mac, vtep, 0);
}
