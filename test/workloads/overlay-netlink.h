/* SPDX-License-Identifier: Apache-2.0 */
/* The netlink requests that an overlay network driver makes, each with the kernel's answer. */
#ifndef OVERLAY_NETLINK_H
#define OVERLAY_NETLINK_H

#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl_message {
	struct nlmsghdr header;
	char body[1500];
};

typedef uint8_t mac_address[6];

/* A namespace of its own, as a file descriptor; the thread stays where it is. */
int netns_make(void);
/* A socket of that namespace. */
int netns_socket(int netns, int family, int type, int protocol);

void nl_start(struct nl_message *m, uint16_t type, uint16_t flags, const void *head, size_t length);
void nl_put(struct nl_message *m, uint16_t type, const void *value, size_t length);
/* Sends it and waits for the answer: 0 or -errno. */
int nl_ask(int fd, struct nl_message *m);
/* Ends the program if the request must not fail. */
void nl_must(int result, const char *what);

int link_add_veth(int fd, int ifindex, const char *name, int peer_netns, int peer_ifindex, const char *peer);
int link_add_vxlan(int fd, int ifindex, const char *name, uint32_t vni, struct in_addr local);
int link_move(int fd, int ifindex, int netns);
int link_set(int fd, int ifindex, const uint8_t *mac, bool up);
int link_delete(int fd, int ifindex);
int address_add(int fd, int ifindex, struct in_addr address, uint8_t prefix);

/* `flags`: NLM_F_EXCL or NLM_F_REPLACE. */
int neighbour_add(int fd, int ifindex, struct in_addr ip, const uint8_t *mac, uint16_t flags);
int neighbour_delete(int fd, int ifindex, struct in_addr ip, const uint8_t *mac);
int forward_add(int fd, int ifindex, const uint8_t *mac, struct in_addr vtep, uint16_t flags);
int forward_delete(int fd, int ifindex, const uint8_t *mac, struct in_addr vtep);

/* ESP in transport mode, with an empty cipher: an emulated kernel has no entropy for real ones. */
int state_add(int fd, struct in_addr from, struct in_addr to, uint32_t spi);
int state_delete(int fd, struct in_addr to, uint32_t spi);
/* VXLAN packets between the two must be encrypted with this SPI. `type`: XFRM_MSG_NEWPOLICY or
 * XFRM_MSG_UPDPOLICY. */
int policy_set(int fd, uint16_t type, struct in_addr from, struct in_addr to, uint32_t spi);
int policy_delete(int fd, struct in_addr from, struct in_addr to);

#endif
