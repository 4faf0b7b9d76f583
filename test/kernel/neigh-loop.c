// SPDX-License-Identifier: Apache-2.0
/*
 * Writes one neighbour entry so many times by netlink, in turns stale and permanent with the same MAC: a
 * storm of events that contradict nothing. Usage: neigh-loop DEVICE TIMES
 */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Messages sent at once: the kernel works them off within the system call. */
#define BATCH 64

struct request {
	struct nlmsghdr header;
	struct ndmsg neighbour;
	struct rtattr ip_header;
	struct in_addr ip;
	struct rtattr mac_header;
	unsigned char mac[8];
};

static void fill(struct request *r, unsigned int ifindex, int turn)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = sizeof(*r);
	r->header.nlmsg_type = RTM_NEWNEIGH;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
	r->neighbour.ndm_family = AF_INET;
	r->neighbour.ndm_ifindex = ifindex;
	r->neighbour.ndm_state = turn ? NUD_STALE : NUD_PERMANENT;
	r->ip_header.rta_type = NDA_DST;
	r->ip_header.rta_len = RTA_LENGTH(sizeof(r->ip));
	inet_pton(AF_INET, "10.77.0.9", &r->ip);
	r->mac_header.rta_type = NDA_LLADDR;
	r->mac_header.rta_len = RTA_LENGTH(6);
	memcpy(r->mac, "\x02\xf1\x00\x00\x0a\x09", 6);
}

int main(int argc, char **argv)
{
	struct request requests[BATCH];
	unsigned int ifindex;
	long times;
	int s;

	if (argc != 3) {
		fprintf(stderr, "usage: neigh-loop DEVICE TIMES\n");
		return 2;
	}
	ifindex = if_nametoindex(argv[1]);
	s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (!ifindex || s < 0) {
		perror("neigh-loop");
		return 3;
	}
	for (int i = 0; i < BATCH; i++)
		fill(&requests[i], ifindex, i & 1);
	for (times = strtol(argv[2], NULL, 10); times > 0; times -= BATCH) {
		size_t bytes = sizeof(struct request) * (times < BATCH ? times : BATCH);

		if (send(s, requests, bytes, 0) != (ssize_t)bytes) {
			perror("neigh-loop: send");
			return 4;
		}
	}
	return 0;
}
