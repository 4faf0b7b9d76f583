// SPDX-License-Identifier: Apache-2.0
/* Packets that IPsec must drop: ESP as it should not come, and a home address that nobody vouches for. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_SYSTEM 3

#define PADDING 1 /* PadN, RFC 8200, 4.2 */
#define HOME_ADDRESS 0xc9

static const char usage[] =
    "usage: odd-packets esp TO SPI SEQUENCE      one ESP packet (RFC 4303) whose ICV is wrong\n"
    "       odd-packets home-address TO ADDRESS  one packet with a Home Address option (RFC 6275, 6.3)\n";

static int fail(const char *what)
{
	fprintf(stderr, "odd-packets: %s: %s\n", what, strerror(errno));
	return EXIT_SYSTEM;
}

static int refuse(void)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int send_esp(const char *to, uint32_t spi, uint32_t sequence)
{
	struct {
		uint32_t spi, sequence;
		uint8_t payload[16], icv[12];
	} packet = {.spi = htonl(spi), .sequence = htonl(sequence)};
	struct sockaddr_in where = {.sin_family = AF_INET};
	int fd;

	if (inet_pton(AF_INET, to, &where.sin_addr) != 1)
		return refuse();
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ESP);
	if (fd < 0)
		return fail("socket");
	if (sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&where, sizeof(where)) < 0)
		return fail("sendto");
	return EXIT_SUCCESS;
}

static int send_home_address(const char *to, const char *home)
{
	/* A header of 24 bytes: two bytes of its own, four of padding, the option at 6 of 8. */
	struct __attribute__((packed)) {
		uint8_t next_header, eights_less_one;
		uint8_t padding[4];
		uint8_t option, length;
		struct in6_addr address;
	} header = {
	    .eights_less_one = 2, .padding = {PADDING, 2}, .option = HOME_ADDRESS, .length = 16};
	struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	int fd;

	if (inet_pton(AF_INET6, to, &where.sin6_addr) != 1 ||
	    inet_pton(AF_INET6, home, &header.address) != 1)
		return refuse();
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0)
		return fail("socket");
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, &header, sizeof(header)))
		return fail("IPV6_DSTOPTS");
	if (sendto(fd, "", 1, 0, (struct sockaddr *)&where, sizeof(where)) < 0)
		return fail("sendto");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "esp"))
		return send_esp(argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "home-address"))
		return send_home_address(argv[2], argv[3]);
	return refuse();
}
