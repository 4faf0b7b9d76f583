// SPDX-License-Identifier: Apache-2.0
/*
 * Tells the neighbours of a device which MAC an address has, through a packet socket as container engines do:
 * gratuitous ARP (RFC 5227) for IPv4, unsolicited neighbour advertisements (RFC 4861) for IPv6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOP_LIMIT 255
#define ICMPV6 58
#define ICMPV6_NA 136
#define NA_OVERRIDE 0x20
#define OPTION_TARGET_MAC 2
#define IPS_MAX 4

struct options {
	const char *device;
	const char *ips[IPS_MAX];
	unsigned int n_ips;
	uint8_t mac[6];
	bool mac_given;
	unsigned long count;
	unsigned long interval_ms;
	const char *until;
	const char *fault;
};

struct frame {
	uint8_t bytes[128];
	size_t length;
	uint16_t protocol;
};

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

static void die(const char *what)
{
	fprintf(stderr, "advertise: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void refuse(const char *flag, const char *text)
{
	fprintf(stderr, "advertise: %s %s: not a value this option takes; --help lists them\n", flag, text);
	exit(2);
}

static unsigned long parse_number(const char *flag, const char *text, unsigned long high)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || value > high)
		refuse(flag, text);
	return value;
}

static void put(struct frame *frame, const void *bytes, size_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void put16(struct frame *frame, uint16_t value)
{
	uint16_t network = htons(value);

	put(frame, &network, sizeof(network));
}

static void put8(struct frame *frame, uint8_t value)
{
	put(frame, &value, 1);
}

static void begin(struct frame *frame, const uint8_t *to, const uint8_t *from, uint16_t protocol)
{
	frame->length = 0;
	frame->protocol = protocol;
	put(frame, to, 6);
	put(frame, from, 6);
	put16(frame, protocol);
}

static void build_arp(struct frame *frame, const uint8_t *mac, const struct in_addr *ip)
{
	begin(frame, broadcast, mac, ETH_P_ARP);
	put16(frame, 1);
	put16(frame, ETH_P_IP);
	put8(frame, 6);
	put8(frame, 4);
	put16(frame, 1);
	put(frame, mac, 6);
	put(frame, ip, 4);
	put(frame, broadcast, 6);
	put(frame, ip, 4);
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static void build_advertisement(struct frame *frame, const uint8_t *mac, const struct in6_addr *ip)
{
	struct in6_addr all_nodes;
	uint32_t sum = ICMPV6;
	uint16_t checksum;
	size_t body, addresses;

	inet_pton(AF_INET6, "ff02::1", &all_nodes);
	begin(frame, all_nodes_mac, mac, ETH_P_IPV6);
	put8(frame, 0x60);
	put8(frame, 0);
	put16(frame, 0);
	put16(frame, 32);
	put8(frame, ICMPV6);
	put8(frame, HOP_LIMIT);
	addresses = frame->length;
	put(frame, ip, 16);
	put(frame, &all_nodes, 16);
	body = frame->length;
	put8(frame, ICMPV6_NA);
	put8(frame, 0);
	put16(frame, 0);
	put8(frame, NA_OVERRIDE);
	put8(frame, 0);
	put16(frame, 0);
	put(frame, ip, 16);
	put8(frame, OPTION_TARGET_MAC);
	put8(frame, 1);
	put(frame, mac, 6);
	/* RFC 8200, 8.1: the pseudo-header's length is the body's. */
	sum += frame->length - body;
	sum = add_words(sum, frame->bytes + addresses, frame->length - addresses);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	checksum = htons(~sum & 0xffff);
	memcpy(frame->bytes + body + 2, &checksum, sizeof(checksum));
}

static void read_mac(int fd, const char *device, uint8_t *mac)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		die(device);
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

static void print_mac(const char *name, const uint8_t *mac)
{
	printf(",\"%s\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", name, mac[0], mac[1], mac[2], mac[3], mac[4],
	       mac[5]);
}

static void usage(FILE *out)
{
	fprintf(out, "usage: advertise --device NAME --ip ADDRESS [--ip ADDRESS ...] [--mac MAC] [--count N] "
		     "[--interval MS] "
		     "[--until FILE] [--fault NAME]\n"
		     "  --mac      default the device's, read once at the start\n"
		     "  --count    default 3; --interval between them, default 100\n"
		     "  --until    after the first, wait for this file\n"
		     "  --fault    print a line that announces this fault\n");
}

static struct options parse(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"device", required_argument, NULL, 'd'},
	    {"ip", required_argument, NULL, 'i'},
	    {"mac", required_argument, NULL, 'm'},
	    {"count", required_argument, NULL, 'c'},
	    {"interval", required_argument, NULL, 't'},
	    {"until", required_argument, NULL, 'u'},
	    {"fault", required_argument, NULL, 'f'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	struct options options = {.count = 3, .interval_ms = 100};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'd':
			options.device = optarg;
			break;
		case 'i':
			if (options.n_ips == IPS_MAX)
				refuse("--ip", optarg);
			options.ips[options.n_ips++] = optarg;
			break;
		case 'm':
			if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &options.mac[0], &options.mac[1],
				   &options.mac[2], &options.mac[3], &options.mac[4], &options.mac[5]) != 6)
				refuse("--mac", optarg);
			options.mac_given = true;
			break;
		case 'c':
			options.count = parse_number("--count", optarg, 1000);
			break;
		case 't':
			options.interval_ms = parse_number("--interval", optarg, 60000);
			break;
		case 'u':
			options.until = optarg;
			break;
		case 'f':
			options.fault = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (!options.device || !options.n_ips || optind != argc) {
		usage(stderr);
		exit(2);
	}
	return options;
}

static void build(struct frame *frame, const uint8_t *mac, const char *ip)
{
	struct in6_addr ip6;
	struct in_addr ip4;

	if (inet_pton(AF_INET, ip, &ip4) == 1)
		build_arp(frame, mac, &ip4);
	else if (inet_pton(AF_INET6, ip, &ip6) == 1)
		build_advertisement(frame, mac, &ip6);
	else
		refuse("--ip", ip);
}

static void send_frame(int fd, unsigned int ifindex, const struct frame *frame)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = 6, .sll_ifindex = ifindex};

	to.sll_protocol = htons(frame->protocol);
	memcpy(to.sll_addr, frame->bytes, 6);
	/* Without a carrier the frame is thrown away on the way out: ENOBUFS. */
	if (sendto(fd, frame->bytes, frame->length, 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != ENOBUFS)
		die("sending");
}

static void announce(const struct options *options)
{
	printf("{\"fault\":\"%s\",\"device\":\"%s\",\"ip\":\"%s\",\"pid\":%d", options->fault,
	       options->device, options->ips[0], getpid());
	print_mac("mac", options->mac);
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct timespec pause = {options.interval_ms / 1000, options.interval_ms % 1000 * 1000000};
	unsigned int ifindex = if_nametoindex(options.device);
	struct frame frames[IPS_MAX];
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0)
		die("a packet socket");
	if (!ifindex)
		die(options.device);
	if (!options.mac_given)
		read_mac(fd, options.device, options.mac);
	for (unsigned int k = 0; k < options.n_ips; k++)
		build(&frames[k], options.mac, options.ips[k]);
	if (options.fault)
		announce(&options);
	for (unsigned long i = 0; i < options.count; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		while (i == 1 && options.until && access(options.until, F_OK) < 0)
			nanosleep(&pause, NULL);
		for (unsigned int k = 0; k < options.n_ips; k++)
			send_frame(fd, ifindex, &frames[k]);
	}
	close(fd);
	return 0;
}
