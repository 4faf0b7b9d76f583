/* SPDX-License-Identifier: Apache-2.0 */
/* Single-producer, single-consumer access to the four rings an AF_XDP socket shares with the kernel. */
#ifndef XSK_RING_H
#define XSK_RING_H

#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint32_t *producer;
	uint32_t *consumer;
	uint32_t *flags;
	void *entries;
	uint32_t size;
	uint32_t mask;
	uint32_t local; /* our index: not visible to the kernel until released */
	void *map;
	size_t map_length;
};

static inline uint64_t *ring_address(const struct ring *ring, uint32_t index)
{
	return (uint64_t *)ring->entries + (index & ring->mask);
}

static inline struct xdp_desc *ring_descriptor(const struct ring *ring, uint32_t index)
{
	return (struct xdp_desc *)ring->entries + (index & ring->mask);
}

static inline uint32_t ring_producer(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

static inline uint32_t ring_consumer(const struct ring *ring)
{
	return __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}

/* FILL and TX: we produce. */
static inline uint32_t ring_room(const struct ring *ring)
{
	return ring->size - (ring->local - ring_consumer(ring));
}

static inline uint32_t ring_backlog(const struct ring *ring)
{
	return ring_producer(ring) - ring_consumer(ring);
}

static inline void ring_put_address(struct ring *ring, uint64_t address)
{
	*ring_address(ring, ring->local++) = address;
}

static inline void ring_put_descriptor(struct ring *ring, uint64_t address, uint32_t length)
{
	struct xdp_desc *entry = ring_descriptor(ring, ring->local++);

	entry->addr = address;
	entry->len = length;
	entry->options = 0;
}

static inline void ring_publish(struct ring *ring)
{
	__atomic_store_n(ring->producer, ring->local, __ATOMIC_RELEASE);
}

/* RX and COMPLETION: we consume. */
static inline uint32_t ring_available(const struct ring *ring)
{
	return ring_producer(ring) - ring->local;
}

static inline void ring_release(struct ring *ring)
{
	__atomic_store_n(ring->consumer, ring->local, __ATOMIC_RELEASE);
}

static inline bool ring_wants_wakeup(const struct ring *ring)
{
	return __atomic_load_n(ring->flags, __ATOMIC_ACQUIRE) & XDP_RING_NEED_WAKEUP;
}

#endif
