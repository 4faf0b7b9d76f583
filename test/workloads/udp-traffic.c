// SPDX-License-Identifier: Apache-2.0
/* Sends numbered UDP packets of varying length from several ports, or receives them and checks every byte. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FLOWS 256
#define MAX_LENGTH 1472
#define MAGIC 0x46524c54u

struct header {
	uint32_t magic;
	uint16_t flow;
	uint16_t length;
	uint64_t sequence;
};

struct options {
	const char *to;
	uint32_t port;
	uint32_t source_port;
	uint32_t flows;
	uint32_t min_length;
	uint32_t max_length;
	uint64_t count;
	double rate;
	double seconds;
	const char *ready_file;
	const char *tally_file;
	uint64_t window;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
	(void)number;
	stop_requested = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static void refuse(const char *flag, const char *text)
{
	fprintf(stderr, "udp-traffic: %s %s: not a value this option takes; --help lists them\n", flag, text);
	exit(2);
}

static void die(const char *what)
{
	fprintf(stderr, "udp-traffic: %s: %s\n", what, strerror(errno));
	exit(3);
}

static uint64_t parse_number(const char *flag, const char *text, uint64_t low, uint64_t high)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end || *text == '-' || value < low || value > high)
		refuse(flag, text);
	return value;
}

static double parse_real(const char *flag, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0))
		refuse(flag, text);
	return value;
}

/* Every byte follows from flow, sequence and place, so that a frame overwritten in flight shows. */
static void write_packet(uint8_t *packet, uint16_t flow, uint64_t sequence, uint16_t length)
{
	struct header header = {.magic = MAGIC, .flow = flow, .length = length, .sequence = sequence};

	memcpy(packet, &header, sizeof(header));
	for (uint32_t i = sizeof(header); i < length; i++)
		packet[i] = (uint8_t)(i + flow + sequence);
}

static int open_flow(const struct options *o, uint16_t flow)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(o->source_port + flow)};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(o->port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, o->to, &to.sin_addr) != 1)
		refuse("--to", o->to);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot open a sending socket");
	return fd;
}

static void keep_pace(const struct options *o, double started, uint64_t sent)
{
	double ahead = o->rate > 0 ? started + sent / o->rate - now() : 0;

	/* Under a millisecond the sleep would cost more than it saves. */
	if (ahead > 1e-3) {
		struct timespec ts = {.tv_sec = ahead, .tv_nsec = (ahead - (uint64_t)ahead) * 1e9};

		nanosleep(&ts, NULL);
	}
}

/* What a receiver has counted, for a sender in another namespace to see: one uint64_t, or null without a
 * file. */
static _Atomic uint64_t *map_tally(const char *path)
{
	if (!path)
		return NULL;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *at = fd < 0 || ftruncate(fd, sizeof(uint64_t))
		       ? MAP_FAILED
		       : mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		die("cannot map --tally-file");
	close(fd);
	return at;
}

/*
 * Waits until fewer than --window packets are on their way. What has not come after two seconds won't come:
 * it is counted as lost from then on.
 */
static void wait_for_window(const struct options *o, _Atomic uint64_t *tally, uint64_t sent, uint64_t *lost)
{
	const struct timespec pause = {.tv_nsec = 200000};
	double stalled = 0;

	while (!stop_requested && sent - *lost >= *tally + o->window) {
		if (stalled == 0)
			stalled = now() + 2;
		if (now() > stalled)
			*lost = sent - *tally;
		nanosleep(&pause, NULL);
	}
}

static int send_packets(const struct options *o)
{
	_Atomic uint64_t *tally = o->window ? map_tally(o->tally_file) : NULL;
	uint64_t lost = 0;
	uint8_t packet[MAX_LENGTH];
	int fds[MAX_FLOWS];
	uint64_t sequence[MAX_FLOWS] = {0};
	uint64_t sent = 0, refused = 0;
	double started = now();

	for (uint32_t i = 0; i < o->flows; i++)
		fds[i] = open_flow(o, i);
	while (!stop_requested && sent + refused < o->count &&
	       (o->seconds == 0 || now() - started < o->seconds)) {
		uint32_t flow = (sent + refused) % o->flows;
		/* A stride prime to the span visits every length. */
		uint32_t length =
		    o->min_length + (sequence[flow] * 7 + flow * 13) % (o->max_length - o->min_length + 1);

		if (tally)
			wait_for_window(o, tally, sent, &lost);
		write_packet(packet, flow, sequence[flow], length);
		if (send(fds[flow], packet, length, 0) == (ssize_t)length) {
			sequence[flow]++;
			sent++;
		} else {
			refused++;
		}
		keep_pace(o, started, sent + refused);
	}
	double elapsed = now() - started;
	printf("{\"sent\":%llu,\"refused\":%llu,\"seconds\":%.3f,\"rate\":%.0f}\n", (unsigned long long)sent,
	       (unsigned long long)refused, elapsed, elapsed > 0 ? sent / elapsed : 0);
	return 0;
}

struct tally {
	uint64_t received, foreign, bad_length, corrupt, repeated, reordered, missing;
	uint64_t next[MAX_FLOWS];
};

static void check_packet(struct tally *tally, const uint8_t *packet, size_t length)
{
	uint8_t expected[MAX_LENGTH];
	struct header header;

	memcpy(&header, packet, sizeof(header));
	if (length < sizeof(header) || header.magic != MAGIC || header.flow >= MAX_FLOWS ||
	    header.length > MAX_LENGTH) {
		tally->foreign++;
		return;
	}
	tally->received++;
	if (header.length != length) {
		tally->bad_length++;
		return;
	}
	write_packet(expected, header.flow, header.sequence, length);
	if (memcmp(packet, expected, length)) {
		tally->corrupt++;
		return;
	}
	uint64_t *next = &tally->next[header.flow];
	if (header.sequence + 1 == *next) {
		tally->repeated++;
	} else if (header.sequence < *next) {
		tally->reordered++;
	} else {
		tally->missing += header.sequence - *next;
		*next = header.sequence + 1;
	}
}

static void write_ready_file(const char *path)
{
	FILE *file = path ? fopen(path, "w") : NULL;

	if (path && (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file)))
		die("cannot write --ready-file");
}

static int receive_packets(const struct options *o)
{
	static struct tally tally;
	_Atomic uint64_t *shown = map_tally(o->tally_file);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(o->port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int buffer = 16 << 20;
	uint8_t packet[2048];
	double started = now();

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("cannot open the receiving socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	write_ready_file(o->ready_file);
	while (!stop_requested && tally.received < o->count &&
	       (o->seconds == 0 || now() - started < o->seconds)) {
		struct pollfd pollfd = {.fd = fd, .events = POLLIN};

		if (poll(&pollfd, 1, 50) <= 0)
			continue;
		for (int i = 0; i < 256; i++) {
			ssize_t length = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

			if (length < 0)
				break;
			check_packet(&tally, packet, length);
			if (shown)
				*shown = tally.received;
		}
	}
	printf("{\"received\":%llu,\"missing\":%llu,\"bad_length\":%llu,\"corrupt\":%llu,\"repeated\":%llu,"
	       "\"reordered\":%llu,\"foreign\":%llu,\"seconds\":%.3f}\n",
	       (unsigned long long)tally.received, (unsigned long long)tally.missing,
	       (unsigned long long)tally.bad_length, (unsigned long long)tally.corrupt,
	       (unsigned long long)tally.repeated, (unsigned long long)tally.reordered,
	       (unsigned long long)tally.foreign, now() - started);
	return 0;
}

static const char usage[] =
    "usage: udp-traffic send --to ADDRESS [options] | udp-traffic recv [options]\n"
    "  --port N               destination port (default 7700)\n"
    "  --count N, --seconds S stop after N packets or S seconds (default: 1000 packets to send, any number "
    "to receive)\n"
    "  --ready-file F         recv: written when the socket is bound\n"
    "  --tally-file F         recv: keeps the number of packets received in F; send: reads it for --window\n"
    "  --window N             send: at most N packets on their way, by --tally-file (default: any number)\n"
    "  --rate R               send: packets per second, 0 for as fast as it goes (default 1000)\n"
    "  --flows N              send: source ports, 1 to 256 (default 16)\n"
    "  --source-port N        send: first source port (default 20000)\n"
    "  --min-length N, --max-length N   send: UDP payload, 16 to 1472 (default 16 to 200)\n";

static const struct option long_options[] = {
    {"to", required_argument, NULL, 't'},
    {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'c'},
    {"seconds", required_argument, NULL, 's'},
    {"rate", required_argument, NULL, 'r'},
    {"flows", required_argument, NULL, 'f'},
    {"source-port", required_argument, NULL, 'S'},
    {"min-length", required_argument, NULL, 'm'},
    {"max-length", required_argument, NULL, 'M'},
    {"ready-file", required_argument, NULL, 'R'},
    {"tally-file", required_argument, NULL, 'T'},
    {"window", required_argument, NULL, 'w'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
	struct options o = {.port = 7700,
			    .source_port = 20000,
			    .flows = 16,
			    .min_length = 16,
			    .max_length = 200,
			    .rate = 1000};
	struct sigaction action = {.sa_handler = on_signal};

	opterr = 0;
	for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		switch (opt) {
		case 't':
			o.to = optarg;
			break;
		case 'p':
			o.port = parse_number("--port", optarg, 1, 65535);
			break;
		case 'c':
			o.count = parse_number("--count", optarg, 1, UINT64_MAX - 1);
			break;
		case 's':
			o.seconds = parse_real("--seconds", optarg);
			break;
		case 'r':
			o.rate = parse_real("--rate", optarg);
			break;
		case 'f':
			o.flows = parse_number("--flows", optarg, 1, MAX_FLOWS);
			break;
		case 'S':
			o.source_port = parse_number("--source-port", optarg, 1, 65535 - MAX_FLOWS);
			break;
		case 'm':
			o.min_length =
			    parse_number("--min-length", optarg, sizeof(struct header), MAX_LENGTH);
			break;
		case 'M':
			o.max_length =
			    parse_number("--max-length", optarg, sizeof(struct header), MAX_LENGTH);
			break;
		case 'R':
			o.ready_file = optarg;
			break;
		case 'T':
			o.tally_file = optarg;
			break;
		case 'w':
			o.window = parse_number("--window", optarg, 1, UINT32_MAX);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr,
				"udp-traffic: %s: unknown option or missing value; --help lists them\n",
				argv[optind - 1]);
			return 2;
		}
	}
	const char *mode = optind + 1 == argc ? argv[optind] : "";
	bool sending = !strcmp(mode, "send");
	if ((!sending && strcmp(mode, "recv")) || (sending && !o.to) || o.min_length > o.max_length ||
	    (sending && !o.tally_file != !o.window)) {
		fprintf(stderr, "udp-traffic: want 'send --to ADDRESS' or 'recv', --min-length <= "
				"--max-length, and --window with --tally-file\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!o.count)
		o.count = sending && o.seconds == 0 ? 1000 : UINT64_MAX;
	return sending ? send_packets(&o) : receive_packets(&o);
}
