// SPDX-License-Identifier: Apache-2.0
/* rtnetlink requests, by plain system calls. */
#include "rtnl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#define ANSWER_ROOM 32768

int rtnl_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0) {
		perror("netlink socket");
		exit(3);
	}
	return fd;
}

void rtnl_begin(struct rtnl_request *request, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_type = type;
	request->head.nlmsg_flags = NLM_F_REQUEST | flags;
	request->head.nlmsg_len = NLMSG_LENGTH(size);
	memcpy(request->body, header, size);
}

static void *rtnl_room(struct rtnl_request *request, size_t size)
{
	void *at = (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);

	if (NLMSG_ALIGN(request->head.nlmsg_len) + size > sizeof(*request)) {
		fprintf(stderr, "a netlink request is too long\n");
		exit(3);
	}
	request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len) + size;
	return at;
}

void rtnl_put(struct rtnl_request *request, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attribute = rtnl_room(request, RTA_SPACE(size));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
}

struct rtattr *rtnl_nest(struct rtnl_request *request, uint16_t type)
{
	struct rtattr *nest = rtnl_room(request, RTA_SPACE(0));

	nest->rta_type = type;
	return nest;
}

void rtnl_end_nest(struct rtnl_request *request, struct rtattr *nest)
{
	nest->rta_len = (char *)request + request->head.nlmsg_len - (char *)nest;
}

int rtnl_talk(int socket, struct rtnl_request *request)
{
	static __thread char answer[ANSWER_ROOM];
	static __thread uint32_t sequence;

	request->head.nlmsg_seq = ++sequence;
	if ((request->head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->head.nlmsg_flags |= NLM_F_ACK;
	if (send(socket, request, request->head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		int length = recv(socket, answer, sizeof(answer), 0);

		if (length < 0)
			return -errno;
		for (struct nlmsghdr *part = (void *)answer; NLMSG_OK(part, length);
		     part = NLMSG_NEXT(part, length)) {
			if (part->nlmsg_seq != sequence)
				continue;
			if (part->nlmsg_type == NLMSG_DONE)
				return 0;
			if (part->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(part))->error;
		}
	}
}

static void begin_link(struct rtnl_request *request, uint16_t type, uint16_t flags, const char *name)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC};

	rtnl_begin(request, type, flags, &link, sizeof(link));
	if (name)
		rtnl_put(request, IFLA_IFNAME, name, strlen(name) + 1);
}

int rtnl_get_link(int socket, const char *name)
{
	struct rtnl_request request;

	begin_link(&request, RTM_GETLINK, 0, name);
	return rtnl_talk(socket, &request);
}

int rtnl_list_links(int socket)
{
	struct rtnl_request request;

	begin_link(&request, RTM_GETLINK, NLM_F_DUMP, NULL);
	return rtnl_talk(socket, &request);
}

int rtnl_add_link(int socket, const char *name, const char *kind)
{
	struct rtnl_request request;
	struct rtattr *info;

	begin_link(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name);
	info = rtnl_nest(&request, IFLA_LINKINFO);
	rtnl_put(&request, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	rtnl_end_nest(&request, info);
	return rtnl_talk(socket, &request);
}

int rtnl_delete_link(int socket, const char *name)
{
	struct rtnl_request request;

	begin_link(&request, RTM_DELLINK, 0, name);
	return rtnl_talk(socket, &request);
}

uint64_t netns_cookie(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size)) {
		perror("SO_NETNS_COOKIE");
		exit(3);
	}
	close(fd);
	return cookie;
}
