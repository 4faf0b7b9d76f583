/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the forwarder share: options, devices, ports, frames and faults. */
#ifndef XSK_FORWARDER_H
#define XSK_FORWARDER_H

#include "xsk-ring.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define MAX_QUEUES 16
#define DEVICES 2
#define MAX_PORTS (DEVICES * MAX_QUEUES)
#define BATCH 64
#define POISON 0xdeadbeefdeadbeefULL

enum exit_code {
	EXIT_FINE = 0,
	EXIT_UNBALANCED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,
};

enum ring_kind {
	RING_NONE,
	RING_FILL,
	RING_RX,
	RING_TX,
	RING_COMP,
};

enum fault_kind {
	FAULT_NONE,
	FAULT_DOUBLE_FILL,
	FAULT_DOUBLE_FILL_OTHER,
	FAULT_FILL_WHILE_TX,
	FAULT_COMP_SKIPPED,
	FAULT_REWRITE_FILL,
	FAULT_OUT_OF_BOUNDS,
	FAULT_OUT_OF_BOUNDS_TX,
	FAULT_CROSS_CHUNK_TX,
	FAULT_MISALIGNED,
	FAULT_POISON,
	FAULT_BIND_COLLISION,
	FAULT_STARVE,
	FAULT_RX_FULL,
};

struct options {
	const char *ifname[DEVICES];
	const char *netns[DEVICES]; /* NULL: the namespace we were started in */
	uint32_t queues;
	uint32_t frames; /* 0: one and a half RX rings for each socket */
	uint32_t ring_size;
	uint32_t chunk_size;
	bool native;
	bool zerocopy;
	bool need_wakeup;
	bool busy_poll;
	bool recv;
	bool threads;
	bool stats;
	bool poison_rx;
	uint64_t count;
	double seconds;
	const char *ready_file;
	const char *trace_marker; /* NULL: no markers */
	enum fault_kind fault;
	uint64_t fault_after;
	uint32_t fault_count;
	double fault_seconds;
	bool fault_on_signal;
	bool fault_keep;
};

struct device {
	const char *role;
	const char *ifname;
	int netns_fd;
	uint64_t netns_inode;
	unsigned int ifindex;
	struct bpf_object *object;
	int program_fd;
	int map_fd;
	int link_fd;
};

struct port_stats {
	uint64_t rx;
	uint64_t tx;
	uint64_t completed;
	uint64_t filled;
	uint64_t dropped;    /* received, but the other side's TX ring had no room */
	uint64_t unexpected; /* received a frame which by our own books was not in FILL */
	uint64_t unknown;    /* received or completed a frame outside the umem, or completed one not in TX */
	uint64_t refused; /* completions of a bad TX descriptor: kernels differ in whether they return it */
};

struct port {
	int fd;
	uint32_t queue;
	struct device *device;
	struct port *peer;
	struct ring fill;
	struct ring comp;
	struct ring rx;
	struct ring tx;
	uint32_t *spare; /* frames held back from FILL while a starve fault lasts */
	uint32_t spares;
	bool starved;
	bool deaf;
	bool kick;
	struct port_stats stats;
};

/* Our own books: how many copies of a frame lie in the rings, and where it goes when it is done. */
struct frame {
	struct port *home;
	uint8_t in_fill;
	uint8_t in_tx;
	uint8_t ring;  /* enum ring_kind: the one that we saw it in last */
	uint8_t extra; /* copies made by a fault, to be retired on their next return */
};

struct fault {
	_Atomic bool armed;
	_Atomic uint32_t left;
	uint64_t due_at;	 /* packets forwarded */
	_Atomic uint64_t bad_tx; /* address of the bad TX descriptor, 0: none */
	struct port *stalled;
	uint64_t stalled_until; /* CLOCK_MONOTONIC ns */
};

struct forwarder {
	struct options options;
	struct device devices[DEVICES];
	struct port ports[MAX_PORTS]; /* outer queues first, then inner queues */
	uint32_t port_count;
	void *area;
	uint64_t area_size;
	struct frame *frames;
	uint32_t frame_count;
	struct fault fault;
	_Atomic uint64_t forwarded;
	_Atomic uint64_t retired;
	int marker_fd;	   /* -1: no markers */
	_Atomic bool gone; /* a device went away under us */
};

/* The ports one thread serves; both ends of a queue pair belong to the same thread. */
struct worker {
	struct forwarder *fw;
	struct port *ports[MAX_PORTS];
	uint32_t port_count;
	uint64_t deadline; /* CLOCK_MONOTONIC ns, 0: none */
	pthread_t thread;
};

extern volatile sig_atomic_t stop_requested;
extern volatile sig_atomic_t fault_requested;

/* xsk-options.c */
int parse_options(int argc, char **argv, struct options *options);
const char *fault_name(enum fault_kind kind);

/* xsk-port.c */
int open_device(struct device *device, const char *role, const char *ifname, const char *netns);
int create_umem(struct forwarder *fw);
int open_ports(struct forwarder *fw);
int enter_netns(const struct device *device);
int fail(const char *what, const char *who);

/* xsk-attach.c */
int attach_redirect(struct forwarder *fw, struct device *device);
void detach_redirect(struct device *device);

/* xsk-faults.c */
uint64_t now_ns(void);
void arm_fault_on_signal(struct forwarder *fw);
void fault_on_forward(struct forwarder *fw, struct port *port, uint64_t address, uint32_t length);
bool fault_on_recycle(struct forwarder *fw, struct port *home, uint64_t base);
void end_stall(struct forwarder *fw);
void print_bind_collision(const struct forwarder *fw, const struct port *port, const struct port *earlier,
			  int error);

/* xsk-report.c */
bool print_stats(struct forwarder *fw);

/* xsk-marker.c */
int open_marker(struct forwarder *fw);
void mark_move(struct forwarder *fw, const struct port *port, uint64_t address, enum ring_kind to);

/* xsk-loop.c */
void fill_frame(struct forwarder *fw, struct port *port, uint64_t address);
void *run_worker(void *argument);
void drain(struct worker *worker);

#endif
