// SPDX-License-Identifier: Apache-2.0
/* The merge of per-CPU rings (see rings.h); the order and its proof: ARCHITECTURE.md, "Order". */
#include <stdlib.h>
#include <string.h>
#include "rings.h"

/* The longest record, in slots, plus a gap in front of it. */
#define RECORD_MAX 16

int reader_init(struct reader *r, const struct rings *rings)
{
	memset(r, 0, sizeof(*r));
	r->cursors = calloc(BANKS * rings->cpus, sizeof(*r->cursors));
	r->floor_ts = calloc(rings->cpus, sizeof(*r->floor_ts));
	r->active = calloc(BANKS * rings->cpus, sizeof(*r->active));
	return r->cursors && r->floor_ts && r->active ? 0 : -1;
}

void reader_free(struct reader *r)
{
	free(r->cursors);
	free(r->floor_ts);
	free(r->active);
	memset(r, 0, sizeof(*r));
}

static uint8_t *ring_at(const struct rings *rings, uint32_t bank, uint32_t cpu)
{
	return rings->base + (uint64_t)(bank * rings->cpus + cpu) * rings->stride;
}

uint64_t ring_head(const struct rings *rings, uint32_t bank, uint32_t cpu)
{
	return __atomic_load_n((uint64_t *)ring_at(rings, bank, cpu), __ATOMIC_ACQUIRE);
}

static struct slot *slot_at(const struct rings *rings, uint8_t *ring, uint64_t index)
{
	return (struct slot *)(ring + RING_HEADER + (index & (rings->slots - 1)) * SLOT_BYTES);
}

void reader_seek(struct reader *r, const struct rings *rings, uint32_t bank, uint32_t cpu, uint64_t next)
{
	struct cursor *c = &r->cursors[bank * rings->cpus + cpu];

	memset(c, 0, sizeof(*c));
	c->next = next;
}

/*
 * Skips what the writers have overwritten. While they go on writing it lands a sixteenth of the ring ahead of
 * them, or the reader would be overtaken again at once.
 */
static void skip_overwritten(struct reader *r, const struct rings *rings, uint8_t *ring, struct cursor *c)
{
	uint64_t head = __atomic_load_n((uint64_t *)ring, __ATOMIC_ACQUIRE);
	uint64_t oldest = head > rings->slots ? head - rings->slots : 0;

	c->head = head;
	if (c->next < oldest) {
		if (r->live)
			oldest += rings->slots / 16;
		c->lost += oldest - c->next;
		r->lost += oldest - c->next;
		c->next = oldest;
	}
}

/*
 * Looks at the slot at the cursor. Returns 1 if a record begins there, with its clamped time in c->ts; 0 if
 * nothing was claimed or published yet. Continuation slots whose beginning was overwritten are counted as
 * lost with it.
 */
static int peek(struct reader *r, const struct rings *rings, uint8_t *ring, uint32_t cpu, struct cursor *c)
{
	for (;;) {
		struct slot *s;
		uint64_t seq, ts;

		if (c->next >= c->head)
			return 0;
		s = slot_at(rings, ring, c->next);
		seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);
		ts = s->ts;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((seq & ~CONTINUATION) == c->next + 1) {
			/* Whether it has been overwritten meanwhile is asked once, after copying it. */
			if (seq & CONTINUATION) {
				c->lost++;
				r->lost++;
				c->next++;
				continue;
			}
			c->ts = ts < r->floor_ts[cpu] ? r->floor_ts[cpu] : ts;
			return 1;
		}
		if ((seq & ~CONTINUATION) > c->next + 1) {
			skip_overwritten(r, rings, ring, c);
			continue;
		}
		return 0;
	}
}

uint64_t reader_next_ts(struct reader *r, const struct rings *rings, uint32_t bank, uint32_t cpu)
{
	struct cursor *c = &r->cursors[bank * rings->cpus + cpu];
	uint8_t *ring = ring_at(rings, bank, cpu);

	skip_overwritten(r, rings, ring, c);
	return peek(r, rings, ring, cpu, c) ? c->ts : 0;
}

void write_gap(struct slot *out, uint32_t cpu, uint32_t bank, uint64_t next, uint64_t ts, uint64_t lost,
	       uint32_t reason, uint64_t until_ts)
{
	memset(out, 0, sizeof(*out));
	out->seq = next;
	out->ts = ts;
	out->cpu = cpu;
	out->payload[0] = lost;
	out->payload[1] = reason | (uint64_t)bank << 32;
	out->payload[2] = until_ts;
}

/*
 * Tells what was lost in the rings that are read, in front of the next record of any CPU: from there on
 * nobody knows what the lost events did, up to the first one that is there again. Returns the number of gaps.
 */
static uint32_t write_gaps(struct reader *r, const struct rings *rings, uint32_t active, uint64_t ts,
			   struct slot *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < active; i++) {
		const uint32_t index = r->active[i];
		struct cursor *c = &r->cursors[index];

		if (!c->lost)
			continue;
		write_gap(&out[n++], index % rings->cpus, index / rings->cpus, c->next, ts, c->lost,
			  GAP_OVERWRITTEN, c->ts);
		r->told += c->lost;
		c->lost = 0;
	}
	return n;
}

/* Copies the record at the cursor; returns its slots, 0 if it was overwritten meanwhile (the cursor has moved
 * on). */
static uint32_t take(struct reader *r, const struct rings *rings, uint8_t *ring, uint32_t cpu,
		     struct cursor *c, struct slot *out)
{
	struct slot *s = slot_at(rings, ring, c->next);
	uint32_t n, i;

	memcpy(out, s, SLOT_BYTES);
	n = 1 + (out->flags & SLOTS_MASK);
	for (i = 1; i < n; i++) {
		s = slot_at(rings, ring, c->next + i);
		if (__atomic_load_n(&s->seq, __ATOMIC_ACQUIRE) != ((c->next + i + 1) | CONTINUATION))
			break;
		memcpy(&out[i], s, SLOT_BYTES);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n((uint64_t *)ring, __ATOMIC_ACQUIRE) > c->next + rings->slots || i < n) {
		c->ready = 0;
		skip_overwritten(r, rings, ring, c);
		return 0;
	}
	if (out->ts < c->ts) {
		out->ts = c->ts;
		out->flags |= CLAMPED;
	}
	r->floor_ts[cpu] = c->ts;
	c->next += n;
	c->ready = 0;
	r->read += n;
	return n;
}

uint32_t reader_drain(struct reader *r, const struct rings *rings, uint32_t banks_mask, uint64_t until,
		      struct slot *out, uint32_t max)
{
	const uint32_t count = BANKS * rings->cpus;
	uint32_t n = 0, active = 0;

	/*
	 * A CPU's records can only be awaited at the first slot that is claimed and not published: its time,
	 * when it comes, is no older than the last one's before it. So nobody may pass that time yet.
	 */
	for (uint32_t i = 0; i < count; i++) {
		struct cursor *c = &r->cursors[i];
		uint32_t bank = i / rings->cpus, cpu = i % rings->cpus;
		uint8_t *ring = ring_at(rings, bank, cpu);

		c->ready = 0;
		if (!(banks_mask & 1u << bank)) {
			c->head = c->next;
			continue;
		}
		skip_overwritten(r, rings, ring, c);
		if (c->next < c->head)
			r->active[active++] = i;
	}
	for (;;) {
		struct cursor *best = 0;
		uint32_t at = 0, left = 0;
		uint64_t second = until;

		for (uint32_t i = 0; i < active; i++) {
			const uint32_t index = r->active[i];
			struct cursor *c = &r->cursors[index];
			uint32_t cpu = index % rings->cpus;

			if (!c->ready && c->next < c->head)
				c->ready = peek(r, rings, ring_at(rings, index / rings->cpus, cpu), cpu, c);
			if (!c->ready) {
				if (c->next < c->head) {
					r->unpublished++;
					if (r->floor_ts[cpu] < until)
						until = r->floor_ts[cpu];
				}
				continue;
			}
			r->active[left++] = index;
			/* Ties: lower CPU first; on one CPU the bank that was written first has the older
			 * times. */
			if (!best || c->ts < best->ts || (c->ts == best->ts && cpu < at % rings->cpus)) {
				if (best && best->ts < second)
					second = best->ts;
				best = c;
				at = index;
			} else if (c->ts < second) {
				second = c->ts;
			}
		}
		active = left;
		if (!best || best->ts >= until || n + RECORD_MAX + active > max)
			break;
		if (r->lost != r->told)
			n += write_gaps(r, rings, active, best->ts, &out[n]);
		if (second > until)
			second = until;
		uint32_t cpu = at % rings->cpus;
		uint8_t *ring = ring_at(rings, at / rings->cpus, cpu);

		/* A run: this ring stays the first until its time reaches the second's. */
		do {
			n += take(r, rings, ring, cpu, best, &out[n]);
			best->ready = peek(r, rings, ring, cpu, best);
		} while (best->ready && best->ts < second && !best->lost && n + RECORD_MAX + 1 <= max);
	}
	r->watermark = until;
	return n;
}
