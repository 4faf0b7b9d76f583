/* SPDX-License-Identifier: Apache-2.0 */
/* rtnetlink requests, by plain system calls. */
#ifndef FR_RTNL_H
#define FR_RTNL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define RTNL_ROOM 512

/* A request under construction. */
struct rtnl_request {
	struct nlmsghdr head;
	char body[RTNL_ROOM];
};

/* A socket that acts in the namespace of the calling thread; ends the program if there is none. */
int rtnl_open(void);
/* An unfinished request with its family's own header, `size` bytes of it. */
void rtnl_begin(struct rtnl_request *request, uint16_t type, uint16_t flags, const void *header, size_t size);
void rtnl_put(struct rtnl_request *request, uint16_t type, const void *data, size_t size);
/* An attribute that holds others, to be ended when they are in. */
struct rtattr *rtnl_nest(struct rtnl_request *request, uint16_t type);
void rtnl_end_nest(struct rtnl_request *request, struct rtattr *nest);
/* Sends it and reads the answer up to its end: 0, or a negative errno of the kernel's. */
int rtnl_talk(int socket, struct rtnl_request *request);

/* 0, or a negative errno. */
int rtnl_get_link(int socket, const char *name);
int rtnl_list_links(int socket);
int rtnl_add_link(int socket, const char *name, const char *kind);
int rtnl_delete_link(int socket, const char *name);

/* struct net.net_cookie of the calling thread's namespace. */
uint64_t netns_cookie(void);

#endif
