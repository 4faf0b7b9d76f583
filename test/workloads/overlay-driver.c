// SPDX-License-Identifier: Apache-2.0
/* What the driver does with networks, peers and keys; each of its defects is a condition here. */
#include "overlay-driver.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Where threads of a real driver would be preempted, or wait for one another. */
#define PAUSE_US 60000
/* In a race one waits for the other for so long at most. */
#define RACE_S 10

static void lock(struct driver *d, bool broken)
{
	if (!broken)
		pthread_mutex_lock(&d->lock);
}

static void unlock(struct driver *d, bool broken)
{
	if (!broken)
		pthread_mutex_unlock(&d->lock);
}

static void *serve(void *argument)
{
	struct worker *w = argument;
	struct driver *d = w->driver;

	pthread_setname_np(pthread_self(), w->name);
	w->host = netns_socket(d->host, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	w->host_xfrm = netns_socket(d->host, AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
	w->remote_xfrm = netns_socket(d->remote_host, AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
	for (int i = 0; i < NETWORKS; i++)
		w->sandboxes[i] = netns_socket(d->networks[i].sandbox, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	for (;;) {
		sem_wait(&w->start);
		if (!w->job)
			return 0;
		w->job(w);
		sem_post(&w->done);
	}
}

void worker_open(struct worker *w, struct driver *d, const char *name)
{
	w->driver = d;
	w->name = name;
	sem_init(&w->start, 0, 0);
	sem_init(&w->done, 0, 0);
	nl_must(-pthread_create(&w->thread, 0, serve, w), "thread");
}

void worker_begin(struct worker *w, void (*job)(struct worker *w))
{
	w->job = job;
	sem_post(&w->start);
}

void worker_wait(struct worker *w)
{
	sem_wait(&w->done);
}

void worker_do(struct worker *w, void (*job)(struct worker *w))
{
	worker_begin(w, job);
	worker_wait(w);
}

static bool same_ip(struct in_addr a, struct in_addr b)
{
	return a.s_addr == b.s_addr;
}

static bool same_mac(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, sizeof(mac_address)) == 0;
}

static int rtnetlink_of(struct worker *w, const struct network *n)
{
	return w->sandboxes[n - w->driver->networks];
}

/* Key, addresses and direction make the SPI, so that both hosts come to the same one. */
static uint32_t spi_of(uint32_t key, struct in_addr from, struct in_addr to)
{
	return key << 16 | (ntohl(from.s_addr) & 0xff) << 8 | (ntohl(to.s_addr) & 0xff);
}

static void states_set(struct worker *w, struct in_addr local, struct in_addr vtep, uint32_t key, bool there)
{
	uint32_t out = spi_of(key, local, vtep), in = spi_of(key, vtep, local);
	int fds[] = {w->host_xfrm, w->remote_xfrm};

	for (int i = 0; i < 2; i++) {
		nl_must(there ? state_add(fds[i], local, vtep, out) : state_delete(fds[i], vtep, out),
			"state out");
		nl_must(there ? state_add(fds[i], vtep, local, in) : state_delete(fds[i], local, in),
			"state in");
	}
}

static void policies_set(struct worker *w, uint16_t type, struct in_addr local, struct in_addr vtep,
			 uint32_t key)
{
	nl_must(policy_set(w->host_xfrm, type, local, vtep, spi_of(key, local, vtep)), "policy");
	nl_must(policy_set(w->remote_xfrm, type, vtep, local, spi_of(key, vtep, local)), "policy");
}

static void wait_for(sem_t *semaphore)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RACE_S;
	sem_timedwait(semaphore, &until);
}

/* Where the real one talks to others: time passes, or in a race that which the other does. */
static void half_way(struct driver *d)
{
	if (!d->racing) {
		usleep(PAUSE_US);
		return;
	}
	d->racing = false;
	sem_post(&d->half_way);
	wait_for(&d->other_done);
}

void race(struct worker *first, void (*job)(struct worker *w), struct worker *second,
	  void (*other)(struct worker *w), bool defect)
{
	struct driver *d = first->driver;

	sem_init(&d->half_way, 0, 0);
	sem_init(&d->other_done, 0, 0);
	d->racing = defect;
	worker_begin(first, job);
	if (defect)
		wait_for(&d->half_way);
	else
		usleep(PAUSE_US / 5);
	worker_do(second, other);
	sem_post(&d->other_done);
	worker_wait(first);
}

/* Shared by all networks: the first peer behind a VTEP sets it up. */
static void encryption_add(struct worker *w, struct in_addr local, struct in_addr vtep)
{
	struct driver *d = w->driver;
	uint32_t key = d->key;
	int free = -1;

	for (int i = 0; i < VTEPS_MAX; i++) {
		if (d->encrypted[i].users && same_ip(d->encrypted[i].vtep, vtep) &&
		    same_ip(d->encrypted[i].local, local)) {
			d->encrypted[i].users++;
			return;
		}
		if (!d->encrypted[i].users)
			free = i;
	}
	if (free < 0)
		return;
	states_set(w, local, vtep, key, true);
	d->encrypted[free].local = local;
	d->encrypted[free].vtep = vtep;
	d->encrypted[free].users = 1;
	half_way(d);
	policies_set(w, XFRM_MSG_UPDPOLICY, local, vtep, key);
}

static void encryption_delete(struct worker *w, struct in_addr local, struct in_addr vtep)
{
	struct driver *d = w->driver;

	for (int i = 0; i < VTEPS_MAX; i++) {
		if (!d->encrypted[i].users || !same_ip(d->encrypted[i].vtep, vtep) ||
		    !same_ip(d->encrypted[i].local, local))
			continue;
		d->encrypted[i].users--;
		if (d->encrypted[i].users && !d->defects.shared_encryption)
			return;
		d->encrypted[i].users = 0;
		nl_must(policy_delete(w->host_xfrm, local, vtep), "policy");
		nl_must(policy_delete(w->remote_xfrm, vtep, local), "policy");
		states_set(w, local, vtep, d->key, false);
	}
}

int network_create(struct worker *w, struct network *n)
{
	struct driver *d = w->driver;
	mac_address mac = {0x02, 0x42, 0x0a, 0, n - d->networks + 1, 1};
	struct in_addr ip = {n->traffic_to.s_addr};
	struct peer self = {.local = true, .vtep = d->advertised, .known = true};
	int sandbox = rtnetlink_of(w, n), result;

	ip.s_addr = htonl((ntohl(ip.s_addr) & ~0xffu) | 1);
	lock(d, d->defects.delete_race);
	result = link_add_vxlan(w->host, n->ifindex, n->name, n->vni, d->advertised);
	if (!result) {
		nl_must(link_move(w->host, n->ifindex, n->sandbox), "vxlan into its sandbox");
		nl_must(link_set(sandbox, n->ifindex, mac, true), "vxlan up");
		nl_must(address_add(sandbox, n->ifindex, ip, 24), "address");
		self.ip = ip;
		memcpy(self.mac, mac, sizeof(mac));
		n->peers[0] = self;
		n->exists = true;
	}
	unlock(d, d->defects.delete_race);
	return result;
}

void network_fail(struct worker *w, struct network *n)
{
	struct driver *d = w->driver;
	int sandbox = rtnetlink_of(w, n);
	mac_address multicast = {0x01};

	nl_must(link_add_vxlan(w->host, n->ifindex, n->name, n->vni, d->advertised), "vxlan");
	nl_must(link_move(w->host, n->ifindex, n->sandbox), "vxlan into its sandbox");
	/* An address that no device may have. */
	if (!link_set(sandbox, n->ifindex, multicast, true))
		return;
	nl_must(link_move(sandbox, n->ifindex, d->host), "vxlan back");
	if (!d->defects.leak)
		nl_must(link_delete(w->host, n->ifindex), "vxlan that failed");
}

void network_delete(struct worker *w, struct network *n)
{
	struct driver *d = w->driver;

	lock(d, d->defects.delete_race);
	if (n->exists) {
		n->exists = false;
		nl_must(link_delete(rtnetlink_of(w, n), n->ifindex), "vxlan");
		for (int i = 0; i < PEERS_MAX; i++)
			if (n->peers[i].known && !n->peers[i].local)
				encryption_delete(w, d->advertised, n->peers[i].vtep);
		memset(n->peers, 0, sizeof(n->peers));
	}
	unlock(d, d->defects.delete_race);
}

/* The one that is in the kernel for this address, or the first that could be. */
static struct peer *peer_of(struct network *n, struct in_addr ip, bool programmed)
{
	for (int i = 0; i < PEERS_MAX; i++)
		if (n->peers[i].known && !n->peers[i].local && same_ip(n->peers[i].ip, ip) &&
		    n->peers[i].programmed == programmed)
			return &n->peers[i];
	return 0;
}

static void peer_program(struct worker *w, struct network *n, struct peer *peer)
{
	int sandbox = rtnetlink_of(w, n);

	/* As the real one does, it only logs what the kernel refuses. */
	(void)neighbour_add(sandbox, n->ifindex, peer->ip, peer->mac, NLM_F_EXCL);
	(void)forward_add(sandbox, n->ifindex, peer->mac, peer->vtep, NLM_F_REPLACE);
	peer->programmed = true;
}

void peer_add(struct worker *w, struct network *n, struct peer peer)
{
	struct driver *d = w->driver;
	struct peer *place = 0, *other;
	bool exists;

	/* Either of the two races leaves this function without the lock that the other side takes. */
	lock(d, d->defects.delete_race || d->defects.key_race);
	exists = n->exists;
	if (exists) {
		encryption_add(w, d->advertised, peer.vtep);
		half_way(d);
		for (int i = PEERS_MAX - 1; i >= 0; i--)
			if (!n->peers[i].known)
				place = &n->peers[i];
		other = peer_of(n, peer.ip, true);
		if (other && d->defects.conflict && !same_mac(other->mac, peer.mac))
			other = 0;
		if (place) {
			*place = peer;
			place->known = true;
			place->programmed = false;
			if (!other)
				peer_program(w, n, place);
		}
	}
	unlock(d, d->defects.delete_race || d->defects.key_race);
}

void peer_delete(struct worker *w, struct network *n, struct peer peer)
{
	struct driver *d = w->driver;
	int sandbox = rtnetlink_of(w, n);
	bool shared = false, was_programmed = false;
	struct peer *next;

	lock(d, d->defects.delete_race);
	for (int i = 0; i < PEERS_MAX; i++) {
		struct peer *one = &n->peers[i];

		if (!one->known || one->local)
			continue;
		if (same_ip(one->ip, peer.ip) && same_mac(one->mac, peer.mac)) {
			was_programmed = one->programmed;
			memset(one, 0, sizeof(*one));
		} else if (same_mac(one->mac, peer.mac)) {
			shared = true;
		}
	}
	if (was_programmed) {
		if (!shared || d->defects.shared_mac)
			(void)forward_delete(sandbox, n->ifindex, peer.mac, peer.vtep);
		(void)neighbour_delete(sandbox, n->ifindex, peer.ip, peer.mac);
		next = peer_of(n, peer.ip, false);
		if (next)
			peer_program(w, n, next);
	}
	encryption_delete(w, d->advertised, peer.vtep);
	unlock(d, d->defects.delete_race);
}

void keys_update(struct worker *w)
{
	struct driver *d = w->driver;
	uint32_t old;

	lock(d, d->defects.key_race);
	old = d->key++;
	for (int i = 0; i < VTEPS_MAX; i++) {
		struct in_addr local = d->encrypted[i].local, vtep = d->encrypted[i].vtep;

		if (!d->encrypted[i].users)
			continue;
		states_set(w, local, vtep, old + 1, true);
		policies_set(w, XFRM_MSG_UPDPOLICY, local, vtep, old + 1);
		/* What was encrypted before is still on its way. */
		usleep(PAUSE_US / 10);
		states_set(w, local, vtep, old, false);
	}
	unlock(d, d->defects.key_race);
}

void advertise(struct worker *w, struct in_addr address)
{
	struct driver *d = w->driver;

	lock(d, false);
	d->advertised = address;
	for (int i = 0; i < NETWORKS; i++)
		for (int j = 0; j < PEERS_MAX; j++) {
			const struct peer *peer = &d->networks[i].peers[j];
			bool local = d->defects.self_encryption ? same_ip(peer->vtep, address) : peer->local;

			if (d->networks[i].exists && peer->known && !local)
				encryption_add(w, address, peer->vtep);
		}
	unlock(d, false);
}
