// SPDX-License-Identifier: Apache-2.0
/* Command line of the forwarder: every mistake is one line and exit code 2. */
#include "xsk-forwarder.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fault_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_DOUBLE_FILL] = "double-fill",
    [FAULT_DOUBLE_FILL_OTHER] = "double-fill-other",
    [FAULT_FILL_WHILE_TX] = "fill-while-tx",
    [FAULT_COMP_SKIPPED] = "comp-skipped",
    [FAULT_REWRITE_FILL] = "rewrite-fill",
    [FAULT_OUT_OF_BOUNDS] = "out-of-bounds",
    [FAULT_OUT_OF_BOUNDS_TX] = "out-of-bounds-tx",
    [FAULT_CROSS_CHUNK_TX] = "cross-chunk-tx",
    [FAULT_MISALIGNED] = "misaligned",
    [FAULT_POISON] = "poison",
    [FAULT_BIND_COLLISION] = "bind-collision",
    [FAULT_STARVE] = "starve",
    [FAULT_RX_FULL] = "rx-full",
};

#define FAULTS (sizeof(fault_names) / sizeof(fault_names[0]))

static const char usage[] =
    "usage: xsk-forwarder [options]\n"
    "  --outer IF, --inner IF         devices (default: outer, inner)\n"
    "  --outer-netns NS               namespace of the outer device (default: the current one)\n"
    "  --inner-netns NS               namespace of the inner device (default: fr-inner)\n"
    "  --queues N                     queues of each device, 1 to 16 (default 2)\n"
    "  --ring-size N                  RX and TX ring; FILL and COMPLETION are twice that (default 512)\n"
    "  --frames N                     frames in the umem (default 1.5 * ring size for each socket)\n"
    "  --chunk 2048|4096              frame size (default 4096)\n"
    "  --xdp-mode drv|skb             native or generic XDP (default drv)\n"
    "  --zerocopy                     bind with XDP_ZEROCOPY, not XDP_COPY\n"
    "  --need-wakeup                  bind with XDP_USE_NEED_WAKEUP\n"
    "  --busy-poll                    spin on the rings; sendto for TX is the only system call\n"
    "  --recv                         ask by recvfrom, every half a millisecond, in the place of poll\n"
    "  --threads                      one thread per queue pair\n"
    "  --poison-rx                    overwrite each consumed RX slot with 0xdeadbeefdeadbeef\n"
    "  --count N, --seconds S         end after N forwarded packets or S seconds (default: at a signal)\n"
    "  --ready-file F                 written when all sockets are bound and XDP is attached\n"
    "  --trace-marker F               say every frame's moves in F, tracefs' trace_marker: outer q:0 0x1100 "
    "FILL -> RX\n"
    "  --stats                        one JSON line at the end\n"
    "  --fault NAME                   inject a fault; --list-faults names them\n"
    "  --fault-after N                after N forwarded packets (default 0)\n"
    "  --fault-on-signal              only after SIGUSR1; --fault-after then counts from the signal\n"
    "  --fault-count N                how many times, 1 to 64 (default 1)\n"
    "  --fault-seconds S              how long starve and rx-full last (default 2)\n"
    "  --fault-keep                   let a duplicated frame circulate instead of retiring the copy\n";

enum {
	OPT_OUTER = 256,
	OPT_INNER,
	OPT_OUTER_NETNS,
	OPT_INNER_NETNS,
	OPT_QUEUES,
	OPT_RING_SIZE,
	OPT_FRAMES,
	OPT_CHUNK,
	OPT_XDP_MODE,
	OPT_ZEROCOPY,
	OPT_NEED_WAKEUP,
	OPT_BUSY_POLL,
	OPT_RECV,
	OPT_THREADS,
	OPT_POISON_RX,
	OPT_COUNT,
	OPT_SECONDS,
	OPT_READY_FILE,
	OPT_TRACE_MARKER,
	OPT_STATS,
	OPT_FAULT,
	OPT_FAULT_AFTER,
	OPT_FAULT_ON_SIGNAL,
	OPT_FAULT_COUNT,
	OPT_FAULT_SECONDS,
	OPT_FAULT_KEEP,
	OPT_LIST_FAULTS,
	OPT_HELP,
};

static const struct option long_options[] = {
    {"outer", required_argument, NULL, OPT_OUTER},
    {"inner", required_argument, NULL, OPT_INNER},
    {"outer-netns", required_argument, NULL, OPT_OUTER_NETNS},
    {"inner-netns", required_argument, NULL, OPT_INNER_NETNS},
    {"queues", required_argument, NULL, OPT_QUEUES},
    {"ring-size", required_argument, NULL, OPT_RING_SIZE},
    {"frames", required_argument, NULL, OPT_FRAMES},
    {"chunk", required_argument, NULL, OPT_CHUNK},
    {"xdp-mode", required_argument, NULL, OPT_XDP_MODE},
    {"zerocopy", no_argument, NULL, OPT_ZEROCOPY},
    {"need-wakeup", no_argument, NULL, OPT_NEED_WAKEUP},
    {"busy-poll", no_argument, NULL, OPT_BUSY_POLL},
    {"recv", no_argument, NULL, OPT_RECV},
    {"threads", no_argument, NULL, OPT_THREADS},
    {"poison-rx", no_argument, NULL, OPT_POISON_RX},
    {"count", required_argument, NULL, OPT_COUNT},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"ready-file", required_argument, NULL, OPT_READY_FILE},
    {"trace-marker", required_argument, NULL, OPT_TRACE_MARKER},
    {"stats", no_argument, NULL, OPT_STATS},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"fault-after", required_argument, NULL, OPT_FAULT_AFTER},
    {"fault-on-signal", no_argument, NULL, OPT_FAULT_ON_SIGNAL},
    {"fault-count", required_argument, NULL, OPT_FAULT_COUNT},
    {"fault-seconds", required_argument, NULL, OPT_FAULT_SECONDS},
    {"fault-keep", no_argument, NULL, OPT_FAULT_KEEP},
    {"list-faults", no_argument, NULL, OPT_LIST_FAULTS},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

const char *fault_name(enum fault_kind kind)
{
	return fault_names[kind];
}

static void parse_number(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || *value < low || *value > high) {
		fprintf(stderr, "xsk-forwarder: %s %s: want a whole number from %llu to %llu\n", flag, text,
			(unsigned long long)low, (unsigned long long)high);
		exit(EXIT_USAGE);
	}
}

static uint32_t parse_small(const char *flag, const char *text, uint32_t low, uint32_t high)
{
	uint64_t value;

	parse_number(flag, text, low, high, &value);
	return value;
}

static double parse_seconds(const char *flag, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value <= 1e6)) {
		fprintf(stderr, "xsk-forwarder: %s %s: want seconds from 0 to 1000000\n", flag, text);
		exit(EXIT_USAGE);
	}
	return value;
}

static enum fault_kind parse_fault(const char *text)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (!strcmp(fault_names[i], text))
			return i;
	fprintf(stderr, "xsk-forwarder: --fault %s: no such fault; --list-faults names them\n", text);
	exit(EXIT_USAGE);
}

static void refuse(const char *message)
{
	fprintf(stderr, "xsk-forwarder: %s\n", message);
	exit(EXIT_USAGE);
}

static void check_together(struct options *o)
{
	if (o->ring_size & (o->ring_size - 1))
		refuse("--ring-size must be a power of two");
	if (o->chunk_size != 2048 && o->chunk_size != 4096)
		refuse("--chunk must be 2048 or 4096");
	uint32_t sockets = DEVICES * o->queues;
	if (!o->frames)
		o->frames = sockets * (o->ring_size + o->ring_size / 2);
	/* A FILL ring must hold its share and the copies that faults add to it. */
	if (o->frames < sockets || o->frames > sockets * (2 * o->ring_size - 8)) {
		fprintf(stderr, "xsk-forwarder: --frames %u: %u sockets and --ring-size %u allow %u to %u\n",
			o->frames, sockets, o->ring_size, sockets, sockets * (2 * o->ring_size - 8));
		exit(EXIT_USAGE);
	}
	if (o->zerocopy && !o->native)
		refuse("--zerocopy is a driver's: not with --xdp-mode skb");
	if (o->fault == FAULT_DOUBLE_FILL_OTHER && o->threads)
		refuse("--fault double-fill-other writes another queue's ring: not with --threads");
	if ((o->fault == FAULT_STARVE || o->fault == FAULT_RX_FULL) && o->threads)
		refuse("--fault starve and rx-full end on the main loop's clock: not with --threads");
}

int parse_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){
	    .ifname = {"outer", "inner"},
	    .netns = {NULL, "fr-inner"},
	    .queues = 2,
	    .ring_size = 512,
	    .chunk_size = 4096,
	    .native = true,
	    .fault_count = 1,
	    .fault_seconds = 2,
	};
	opterr = 0;
	for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		switch (opt) {
		case OPT_OUTER:
			o->ifname[0] = optarg;
			break;
		case OPT_INNER:
			o->ifname[1] = optarg;
			break;
		case OPT_OUTER_NETNS:
			o->netns[0] = optarg;
			break;
		case OPT_INNER_NETNS:
			o->netns[1] = optarg;
			break;
		case OPT_QUEUES:
			o->queues = parse_small("--queues", optarg, 1, MAX_QUEUES);
			break;
		case OPT_RING_SIZE:
			o->ring_size = parse_small("--ring-size", optarg, 16, 65536);
			break;
		case OPT_FRAMES:
			o->frames = parse_small("--frames", optarg, 2, 1 << 20);
			break;
		case OPT_CHUNK:
			o->chunk_size = parse_small("--chunk", optarg, 2048, 4096);
			break;
		case OPT_XDP_MODE:
			if (strcmp(optarg, "drv") && strcmp(optarg, "skb"))
				refuse("--xdp-mode must be drv or skb");
			o->native = !strcmp(optarg, "drv");
			break;
		case OPT_ZEROCOPY:
			o->zerocopy = true;
			break;
		case OPT_NEED_WAKEUP:
			o->need_wakeup = true;
			break;
		case OPT_BUSY_POLL:
			o->busy_poll = true;
			break;
		case OPT_RECV:
			o->recv = true;
			break;
		case OPT_THREADS:
			o->threads = true;
			break;
		case OPT_POISON_RX:
			o->poison_rx = true;
			break;
		case OPT_COUNT:
			parse_number("--count", optarg, 1, UINT64_MAX - 1, &o->count);
			break;
		case OPT_SECONDS:
			o->seconds = parse_seconds("--seconds", optarg);
			break;
		case OPT_READY_FILE:
			o->ready_file = optarg;
			break;
		case OPT_TRACE_MARKER:
			o->trace_marker = optarg;
			break;
		case OPT_STATS:
			o->stats = true;
			break;
		case OPT_FAULT:
			o->fault = parse_fault(optarg);
			break;
		case OPT_FAULT_AFTER:
			parse_number("--fault-after", optarg, 0, UINT64_MAX - 1, &o->fault_after);
			break;
		case OPT_FAULT_ON_SIGNAL:
			o->fault_on_signal = true;
			break;
		case OPT_FAULT_COUNT:
			o->fault_count = parse_small("--fault-count", optarg, 1, 64);
			break;
		case OPT_FAULT_SECONDS:
			o->fault_seconds = parse_seconds("--fault-seconds", optarg);
			break;
		case OPT_FAULT_KEEP:
			o->fault_keep = true;
			break;
		case OPT_LIST_FAULTS:
			for (size_t i = 1; i < FAULTS; i++)
				puts(fault_names[i]);
			exit(EXIT_FINE);
		case OPT_HELP:
			fputs(usage, stdout);
			exit(EXIT_FINE);
		default:
			fprintf(stderr,
				"xsk-forwarder: %s: unknown option or missing value; --help lists them\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xsk-forwarder: %s: unexpected argument; --help lists the options\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	check_together(o);
	return EXIT_FINE;
}
