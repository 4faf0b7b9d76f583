/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads change the SAs of one VTEP: the second adds one between the first's add and delete. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct in_addr from, to;
static pthread_barrier_t turn;

struct request {
	struct nlmsghdr header;
	char body[1024];
};

static void die(const char *what)
{
	perror(what);
	exit(3);
}

static void put(struct request *r, unsigned short type, const void *value, size_t length)
{
	struct nlattr *attribute = (void *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + length;
	memcpy((char *)attribute + NLA_HDRLEN, value, length);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + NLA_ALIGN(attribute->nla_len);
}

/* Sends a request and returns the kernel's answer, 0 or a negative errno. */
static int ask(int fd, struct request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[1024];
	} answer;

	r->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, r, r->header.nlmsg_len, 0) < 0)
		die("send");
	if (recv(fd, &answer, sizeof(answer), 0) < 0)
		die("recv");
	return answer.error.error;
}

/* One SA of the null cipher, with the key that the other workloads use. */
static int add(int fd, unsigned spi)
{
	struct request r = {
	    .header = {.nlmsg_type = XFRM_MSG_NEWSA, .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL}};
	struct xfrm_usersa_info *sa = (void *)r.body;
	struct {
		struct xfrm_algo algorithm;
		char key[20];
	} authentication = {{"hmac(sha1)", 160}, "not a secret at all"},
	  encryption = {{"ecb(cipher_null)", 0}, ""};

	r.header.nlmsg_len = NLMSG_LENGTH(sizeof(*sa));
	sa->id.daddr.a4 = to.s_addr;
	sa->id.spi = htonl(spi);
	sa->id.proto = IPPROTO_ESP;
	sa->saddr.a4 = from.s_addr;
	sa->family = AF_INET;
	sa->mode = XFRM_MODE_TRANSPORT;
	sa->lft.soft_byte_limit = sa->lft.hard_byte_limit = XFRM_INF;
	sa->lft.soft_packet_limit = sa->lft.hard_packet_limit = XFRM_INF;
	put(&r, XFRMA_ALG_AUTH, &authentication, sizeof(authentication));
	put(&r, XFRMA_ALG_CRYPT, &encryption, sizeof(encryption.algorithm));
	return ask(fd, &r);
}

static int delete (int fd, unsigned spi)
{
	struct request r = {.header = {.nlmsg_type = XFRM_MSG_DELSA}};
	struct xfrm_usersa_id *id = (void *)r.body;

	r.header.nlmsg_len = NLMSG_LENGTH(sizeof(*id));
	id->daddr.a4 = to.s_addr;
	id->spi = htonl(spi);
	id->family = AF_INET;
	id->proto = IPPROTO_ESP;
	return ask(fd, &r);
}

static int open_socket(void)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		die("netlink");
	return fd;
}

static void check(int result, const char *what)
{
	if (!result)
		return;
	fprintf(stderr, "xfrm-race: %s: %s\n", what, strerror(-result));
	exit(3);
}

/* Rotates: adds the new SA, deletes the old one; between them it is the other's turn. */
static void *rotate(void *tid)
{
	int fd = open_socket();

	*(int *)tid = syscall(SYS_gettid);
	pthread_barrier_wait(&turn);
	check(add(fd, 0x5002), "add of the new SA");
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	check(delete (fd, 0x5001), "delete of the old SA");
	close(fd);
	return 0;
}

/* Programs the peer. */
static void *program(void *tid)
{
	int fd = open_socket();

	*(int *)tid = syscall(SYS_gettid);
	pthread_barrier_wait(&turn);
	pthread_barrier_wait(&turn);
	check(add(fd, 0x5003), "add by the other thread");
	pthread_barrier_wait(&turn);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	int tids[2], fd;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &from) != 1 || inet_pton(AF_INET, argv[2], &to) != 1) {
		fprintf(stderr, "usage: xfrm-race FROM TO\n");
		return 2;
	}
	fd = open_socket();
	check(add(fd, 0x5001), "add of the old SA");
	/* What the main thread did lies too long ago to belong to this. */
	sleep(1);
	pthread_barrier_init(&turn, 0, 2);
	pthread_create(&threads[0], 0, rotate, &tids[0]);
	pthread_create(&threads[1], 0, program, &tids[1]);
	pthread_join(threads[0], 0);
	pthread_join(threads[1], 0);
	printf(
	    "{\"fault\":\"xfrm-rotation-race\",\"src\":\"%s\",\"dst\":\"%s\",\"first\":%d,\"second\":%d}\n",
	    argv[1], argv[2], tids[0], tids[1]);
	return 0;
}
