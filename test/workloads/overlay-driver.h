/* SPDX-License-Identifier: Apache-2.0 */
/* An overlay network driver in small: two hosts, two encrypted networks, and the threads that program them.
 */
#ifndef OVERLAY_DRIVER_H
#define OVERLAY_DRIVER_H

#include <pthread.h>
#include <semaphore.h>

#include "overlay-netlink.h"

#define NETWORKS 2
#define PEERS_MAX 8
#define VTEPS_MAX 4

/* What this driver may get wrong, each alone. */
struct defects {
	bool conflict;		/* conflicts are looked for by (IP, MAC), not by IP */
	bool shared_mac;	/* the forwarding entry goes with any peer of its MAC, not with the last */
	bool shared_encryption; /* each network deletes the encryption of its peers, not the last network */
	bool self_encryption;	/* local peers are told by the address advertised now, not by what they are */
	bool key_race;		/* keys are updated while peers are programmed */
	bool delete_race;	/* networks are deleted while peers are programmed */
	bool leak;		/* a device whose set-up failed is moved back and forgotten */
};

struct peer {
	struct in_addr ip;
	mac_address mac;
	struct in_addr vtep;
	bool known, local, programmed;
};

struct network {
	uint32_t vni;
	int ifindex;
	char name[16];
	bool exists;
	int sandbox, remote_sandbox;
	struct peer peers[PEERS_MAX];
	int traffic;
	struct in_addr traffic_to;
};

struct driver {
	struct defects defects;
	pthread_mutex_t lock;
	int host, remote_host;
	struct in_addr advertised, remote;
	struct network networks[NETWORKS];
	/* VTEPs with encryption, from which of our addresses. */
	struct {
		struct in_addr local, vtep;
		int users;
	} encrypted[VTEPS_MAX];
	uint32_t key;
	volatile bool ends;
	/* Set for a race: the next to come half-way waits there until the other is done. */
	volatile bool racing;
	sem_t half_way, other_done;
};

/* A thread of the driver, with sockets of its own, that does one job at a time. */
struct worker {
	struct driver *driver;
	const char *name;
	pthread_t thread;
	sem_t start, done;
	void (*job)(struct worker *w);
	int host, host_xfrm, remote_xfrm, sandboxes[NETWORKS];
};

void worker_open(struct worker *w, struct driver *d, const char *name);
void worker_begin(struct worker *w, void (*job)(struct worker *w));
void worker_wait(struct worker *w);
void worker_do(struct worker *w, void (*job)(struct worker *w));

/* Has the first do its job up to half-way, then the second all of its own. Without the defect a lock keeps
 * them apart. */
void race(struct worker *first, void (*job)(struct worker *w), struct worker *second,
	  void (*other)(struct worker *w), bool defect);

void world_make(struct driver *d);
void world_send(struct driver *d);

int network_create(struct worker *w, struct network *n);
void network_delete(struct worker *w, struct network *n);
/* A set-up that fails half-way, and what is made of the device. */
void network_fail(struct worker *w, struct network *n);
void peer_add(struct worker *w, struct network *n, struct peer peer);
void peer_delete(struct worker *w, struct network *n, struct peer peer);
void keys_update(struct worker *w);
void advertise(struct worker *w, struct in_addr address);

#endif
