// SPDX-License-Identifier: Apache-2.0
/* Runs the overlay driver through a story: with one of its defects, or in health through all of them. */
#include "overlay-driver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The line by which a fault is announced; in health there is none. */
#define announce(format, ...) (healthy ? 0 : printf(format "\n", ##__VA_ARGS__))

static bool healthy;
static struct driver driver = {.lock = PTHREAD_MUTEX_INITIALIZER, .key = 0x10};
static struct worker agent, other_agent, keys;
static struct network *const first = &driver.networks[0];
static struct network *const second = &driver.networks[1];

static struct peer peer_at(const char *ip, uint8_t number, const char *vtep)
{
	struct peer peer = {.mac = {0x02, 0x42, 0x0a, 0, 0x10, number}};

	inet_pton(AF_INET, ip, &peer.ip);
	inet_pton(AF_INET, vtep, &peer.vtep);
	return peer;
}

/* The peers that traffic goes to have the MAC of the other host's device. */
static struct peer peer_of_network(int number)
{
	char ip[INET_ADDRSTRLEN];
	struct peer peer;

	snprintf(ip, sizeof(ip), "10.0.%d.2", number);
	peer = peer_at(ip, 2, "192.0.2.2");
	peer.mac[4] = number;
	return peer;
}

static void create_first(struct worker *w)
{
	nl_must(network_create(w, first), "the first network");
	peer_add(w, first, peer_of_network(1));
}

static void create_second(struct worker *w)
{
	nl_must(network_create(w, second), "the second network");
	peer_add(w, second, peer_of_network(2));
}

#define REUSED "10.0.1.9"
#define REUSED_MAC "02:42:0a:00:10:09"
#define REUSED_OTHER_MAC "02:42:0a:00:10:0a"

static void add_reused(struct worker *w)
{
	peer_add(w, first, peer_at(REUSED, 9, "192.0.2.2"));
}

static void add_reused_with_other_mac(struct worker *w)
{
	peer_add(w, first, peer_at(REUSED, 10, "192.0.2.2"));
}

static void delete_reused(struct worker *w)
{
	peer_delete(w, first, peer_at(REUSED, 9, "192.0.2.2"));
}

static void delete_reused_with_other_mac(struct worker *w)
{
	peer_delete(w, first, peer_at(REUSED, 10, "192.0.2.2"));
}

/* An address is used again by a container with a MAC of its own, before the old peer is forgotten. */
static void conflict(void)
{
	worker_do(&agent, add_reused);
	worker_do(&other_agent, add_reused_with_other_mac);
	worker_do(&agent, delete_reused);
	announce("{\"fault\":\"conflict\",\"ip\":\"%s\",\"mac\":\"%s\",\"other_mac\":\"%s\"}", REUSED,
		 REUSED_MAC, REUSED_OTHER_MAC);
	if (!driver.defects.conflict)
		worker_do(&other_agent, delete_reused_with_other_mac);
}

#define SHARED "10.0.1.11"
#define OTHER_SHARED "10.0.1.12"

static void add_shared(struct worker *w)
{
	peer_add(w, first, peer_at(SHARED, 11, "192.0.2.2"));
	peer_add(w, first, peer_at(OTHER_SHARED, 11, "192.0.2.2"));
}

static void delete_shared(struct worker *w)
{
	peer_delete(w, first, peer_at(SHARED, 11, "192.0.2.2"));
}

static void delete_other_shared(struct worker *w)
{
	peer_delete(w, first, peer_at(OTHER_SHARED, 11, "192.0.2.2"));
}

/* An endpoint with two addresses loses one of them. */
static void shared_mac(void)
{
	worker_do(&agent, add_shared);
	worker_do(&agent, delete_shared);
	announce(
	    "{\"fault\":\"shared-mac\",\"mac\":\"02:42:0a:00:10:0b\",\"ip\":\"%s\",\"vtep\":\"192.0.2.2\","
	    "\"device\":\"%s\"}",
	    OTHER_SHARED, first->name);
	if (!driver.defects.shared_mac)
		worker_do(&agent, delete_other_shared);
}

static void delete_first(struct worker *w)
{
	network_delete(w, first);
}

/* One of two encrypted networks is deleted; the other goes on sending. */
static void shared_encryption(void)
{
	worker_do(&agent, delete_first);
	announce(
	    "{\"fault\":\"shared-encryption\",\"vtep\":\"192.0.2.2\",\"local\":\"192.0.2.1\",\"vni\":%u}",
	    second->vni);
	if (!driver.defects.shared_encryption)
		worker_do(&agent, create_first);
}

static void advertise_other(struct worker *w)
{
	struct in_addr address;

	inet_pton(AF_INET, "192.0.2.11", &address);
	advertise(w, address);
}

/* The host advertises another of its addresses. */
static void self_encryption(void)
{
	worker_do(&keys, advertise_other);
	announce("{\"fault\":\"self-encryption\",\"self\":\"192.0.2.1\",\"local\":\"192.0.2.11\"}");
}

static void add_behind_new_vtep(struct worker *w)
{
	peer_add(w, second, peer_at("10.0.2.20", 20, "192.0.2.3"));
}

/* Keys are updated while the first peer behind a VTEP is programmed. */
static void key_race(void)
{
	race(&other_agent, add_behind_new_vtep, &keys, keys_update, driver.defects.key_race);
	announce("{\"fault\":\"key-race\",\"vtep\":\"192.0.2.3\",\"thread\":\"%s\",\"other_thread\":\"%s\"}",
		 other_agent.name, keys.name);
}

static void add_late(struct worker *w)
{
	peer_add(w, first, peer_at("10.0.1.30", 30, "192.0.2.2"));
}

/* A network is deleted, and made again, while a peer is programmed. */
static void delete_race(void)
{
	race(&other_agent, add_late, &agent, delete_first, driver.defects.delete_race);
	announce("{\"fault\":\"delete-race\",\"vni\":%u,\"device\":\"%s\"}", first->vni, first->name);
	worker_do(&agent, create_first);
}

static void fail_first(struct worker *w)
{
	network_delete(w, first);
	network_fail(w, first);
}

/* Setting a network up fails after its device was moved into the sandbox. */
static void leak(void)
{
	worker_do(&agent, fail_first);
	announce("{\"fault\":\"leak\",\"vni\":%u,\"device\":\"%s\"}", first->vni, first->name);
	if (!driver.defects.leak)
		worker_do(&agent, create_first);
}

static const struct {
	const char *name;
	bool *defect;
	void (*play)(void);
} stories[] = {
    {"conflict", &driver.defects.conflict, conflict},
    {"shared-mac", &driver.defects.shared_mac, shared_mac},
    {"key-race", &driver.defects.key_race, key_race},
    {"delete-race", &driver.defects.delete_race, delete_race},
    {"leak", &driver.defects.leak, leak},
    {"shared-encryption", &driver.defects.shared_encryption, shared_encryption},
    {"self-encryption", &driver.defects.self_encryption, self_encryption},
};

static void *send_on(void *unused)
{
	pthread_setname_np(pthread_self(), "traffic");
	while (!driver.ends) {
		world_send(&driver);
		usleep(20000);
	}
	return unused;
}

static void *check_health(void *unused)
{
	return unused;
}

int main(int argc, char **argv)
{
	size_t count = sizeof(stories) / sizeof(stories[0]), found = count;
	pthread_t traffic, check;

	for (size_t i = 0; argc == 2 && i < count; i++)
		if (!strcmp(argv[1], stories[i].name))
			found = i;
	if (argc != 2 || (found == count && strcmp(argv[1], "healthy"))) {
		fprintf(stderr, "usage: overlay-driver healthy");
		for (size_t i = 0; i < count; i++)
			fprintf(stderr, "|%s", stories[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	setvbuf(stdout, 0, _IOLBF, 0);
	healthy = found == count;
	if (!healthy)
		*stories[found].defect = true;
	world_make(&driver);
	worker_open(&agent, &driver, "agent");
	worker_open(&other_agent, &driver, "other-agent");
	worker_open(&keys, &driver, "keys");
	worker_do(&agent, create_first);
	worker_do(&other_agent, create_second);
	nl_must(-pthread_create(&traffic, 0, send_on, 0), "thread");
	usleep(200000);
	for (size_t i = 0; i < count; i++)
		if (found == count || found == i)
			stories[i].play();
	/* Longer than any invariant's limit of time; and as on any host, something is started now and then.
	 */
	for (int i = 0; i < 27; i++) {
		nl_must(-pthread_create(&check, 0, check_health, 0), "thread");
		pthread_join(check, 0);
		usleep(100000);
	}
	driver.ends = true;
	pthread_join(traffic, 0);
	return 0;
}
