// SPDX-License-Identifier: Apache-2.0
/* The merge of per-CPU rings (see rings.h); the order and its proof: ARCHITECTURE.md, "Order". */
#include <stdlib.h>
#include <string.h>
#include "rings.h"

/* The longest record, in slots, plus a gap in front of it. */
#define RECORD_MAX 16

void rings_layout(struct rings *rings)
{
	uint64_t offset = RING_HEADER;

	rings->recorded = 0;
	for (uint32_t s = 0; s < rings->shares; s++) {
		struct share *share = &rings->share[s];

		share->base = (uint64_t)s << SHARE_SHIFT;
		share->offset = offset;
		offset += share->slots * SLOT_BYTES;
		if (share->slots)
			rings->number[rings->recorded++] = s;
	}
	rings->stride = offset;
}

static uint64_t *head_at(const struct rings *rings, uint32_t bank, uint32_t cpu, uint32_t share)
{
	return (uint64_t *)(rings->base + (uint64_t)(bank * rings->cpus + cpu) * rings->stride +
			    share * HEAD_BYTES);
}

void rings_begin(const struct rings *rings)
{
	for (uint32_t bank = 0; bank < BANKS; bank++)
		for (uint32_t cpu = 0; cpu < rings->cpus; cpu++)
			for (uint32_t i = 0; i < rings->recorded; i++) {
				uint32_t share = rings->number[i];

				__atomic_store_n(head_at(rings, bank, cpu, share), rings->share[share].base,
						 __ATOMIC_RELEASE);
			}
}

uint64_t ring_head(const struct rings *rings, uint32_t bank, uint32_t cpu, uint32_t share)
{
	return __atomic_load_n(head_at(rings, bank, cpu, share), __ATOMIC_ACQUIRE);
}

uint32_t lane_of(const struct rings *rings, uint32_t bank, uint32_t i, uint32_t cpu)
{
	return (bank * rings->recorded + i) * rings->cpus + cpu;
}

int reader_init(struct reader *r, const struct rings *rings)
{
	memset(r, 0, sizeof(*r));
	r->lanes = BANKS * rings->recorded * rings->cpus;
	r->cursors = calloc(r->lanes, sizeof(*r->cursors));
	r->active = calloc(r->lanes, sizeof(*r->active));
	if (!r->cursors || !r->active)
		return -1;
	for (uint32_t lane = 0; lane < r->lanes; lane++) {
		struct cursor *c = &r->cursors[lane];
		uint32_t cpu = lane % rings->cpus, bank = lane / rings->cpus / rings->recorded;
		uint32_t number = rings->number[lane / rings->cpus % rings->recorded];
		const struct share *share = &rings->share[number];

		c->head_at = head_at(rings, bank, cpu, number);
		c->first = (struct slot *)((uint8_t *)head_at(rings, bank, cpu, 0) + share->offset);
		c->slots = share->slots;
		c->base = share->base;
		c->next = share->base;
	}
	return 0;
}

void reader_free(struct reader *r)
{
	free(r->cursors);
	free(r->active);
	memset(r, 0, sizeof(*r));
}

static struct slot *slot_at(const struct cursor *c, uint64_t index)
{
	return &c->first[index & (c->slots - 1)];
}

void reader_seek(struct cursor *c, uint64_t next)
{
	c->next = next;
	c->lost = 0;
	c->floor = 0;
	c->ready = 0;
}

/*
 * Skips what the writers have overwritten. While they go on writing it lands a sixteenth of the share ahead
 * of them, or the reader would be overtaken again at once.
 */
static void skip_overwritten(struct reader *r, struct cursor *c)
{
	uint64_t head = __atomic_load_n(c->head_at, __ATOMIC_ACQUIRE);
	uint64_t oldest = head - c->base > c->slots ? head - c->slots : c->base;

	c->head = head;
	if (c->next < oldest) {
		if (r->live)
			oldest += c->slots / 16;
		c->lost += oldest - c->next;
		r->lost += oldest - c->next;
		c->next = oldest;
	}
}

/*
 * Looks at the slot at the cursor. Returns 1 if a record begins there, with its clamped time in c->ts; 0 if
 * nothing was claimed or published yet. Continuation slots whose beginning was overwritten are counted as
 * lost with it.
 *
 * Times are clamped lane by lane, not CPU by CPU: what makes a time step back is that slots are read in the
 * order of their claims, and a writer that was interrupted between claim and clock has the later time in the
 * earlier slot. Between two lanes there is no such order: their records are merged by time, and an interrupt
 * that wrote to another share has its true place there. Clamping over all of a CPU's lanes would give it the
 * time of whatever was delivered before, which depends on when was drained.
 */
static int peek(struct reader *r, struct cursor *c)
{
	for (;;) {
		struct slot *s;
		uint64_t seq, ts;

		if (c->next >= c->head)
			return 0;
		s = slot_at(c, c->next);
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
			c->ts = ts < c->floor ? c->floor : ts;
			return 1;
		}
		if ((seq & ~CONTINUATION) > c->next + 1) {
			skip_overwritten(r, c);
			continue;
		}
		return 0;
	}
}

uint64_t reader_next_ts(struct reader *r, struct cursor *c)
{
	skip_overwritten(r, c);
	return peek(r, c) ? c->ts : 0;
}

void write_gap(struct slot *out, const struct rings *rings, uint32_t lane, uint64_t next, uint64_t ts,
	       uint64_t lost, uint32_t reason, uint64_t until_ts)
{
	uint64_t bank = lane / rings->cpus / rings->recorded;

	memset(out, 0, sizeof(*out));
	out->seq = next;
	out->ts = ts;
	out->cpu = lane % rings->cpus;
	out->payload[0] = lost;
	out->payload[1] = reason | bank << 32;
	out->payload[2] = until_ts;
	out->payload[3] = rings->share[rings->number[lane / rings->cpus % rings->recorded]].name;
}

/*
 * Tells what was lost in the lanes that are read, in front of the next record of any: from there on nobody
 * knows what the lost events did, up to the first one that is there again. Returns the number of gaps.
 */
static uint32_t write_gaps(struct reader *r, const struct rings *rings, uint32_t active, uint64_t ts,
			   struct slot *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < active; i++) {
		const uint32_t lane = r->active[i];
		struct cursor *c = &r->cursors[lane];

		if (!c->lost)
			continue;
		write_gap(&out[n++], rings, lane, c->next, ts, c->lost, GAP_OVERWRITTEN, c->ts);
		r->told += c->lost;
		c->lost = 0;
	}
	return n;
}

/* Copies the record at the cursor; returns its slots, 0 if it was overwritten meanwhile (the cursor has moved
 * on). */
static uint32_t take(struct reader *r, struct cursor *c, struct slot *out)
{
	struct slot *s = slot_at(c, c->next);
	uint32_t n, i;

	memcpy(out, s, SLOT_BYTES);
	n = 1 + (out->flags & SLOTS_MASK);
	for (i = 1; i < n; i++) {
		s = slot_at(c, c->next + i);
		if (__atomic_load_n(&s->seq, __ATOMIC_ACQUIRE) != ((c->next + i + 1) | CONTINUATION))
			break;
		memcpy(&out[i], s, SLOT_BYTES);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(c->head_at, __ATOMIC_ACQUIRE) > c->next + c->slots || i < n) {
		c->ready = 0;
		skip_overwritten(r, c);
		return 0;
	}
	if (out->ts < c->ts) {
		out->ts = c->ts;
		out->flags |= CLAMPED;
	}
	c->floor = c->ts;
	c->next += n;
	c->ready = 0;
	r->read += n;
	return n;
}

uint32_t reader_drain(struct reader *r, const struct rings *rings, uint32_t banks_mask, uint64_t until,
		      struct slot *out, uint32_t max)
{
	const uint32_t per_bank = rings->recorded * rings->cpus;
	uint32_t n = 0, active = 0;

	/*
	 * A lane's records can only be awaited at the first slot that is claimed and not published: its time,
	 * when it comes, is no older than the last one's before it. So nobody may pass that time yet.
	 */
	for (uint32_t lane = 0; lane < r->lanes; lane++) {
		struct cursor *c = &r->cursors[lane];

		c->ready = 0;
		if (!(banks_mask & 1u << lane / per_bank)) {
			c->head = c->next;
			continue;
		}
		skip_overwritten(r, c);
		if (c->next < c->head)
			r->active[active++] = lane;
	}
	for (;;) {
		struct cursor *best = 0;
		uint32_t best_cpu = 0, left = 0;
		uint64_t second = until;

		for (uint32_t i = 0; i < active; i++) {
			const uint32_t lane = r->active[i];
			struct cursor *c = &r->cursors[lane];
			uint32_t cpu = lane % rings->cpus;

			if (!c->ready && c->next < c->head)
				c->ready = peek(r, c);
			if (!c->ready) {
				if (c->next < c->head) {
					r->unpublished++;
					if (c->floor < until)
						until = c->floor;
				}
				continue;
			}
			r->active[left++] = lane;
			/*
			 * Ties: lower CPU first; on one CPU the lower lane, which is the bank that was
			 * written first, then the share with the lower sequence numbers.
			 */
			if (!best || c->ts < best->ts || (c->ts == best->ts && cpu < best_cpu)) {
				if (best && best->ts < second)
					second = best->ts;
				best = c;
				best_cpu = cpu;
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

		/* A run: this lane stays the first until its time reaches the second's. */
		do {
			n += take(r, best, &out[n]);
			best->ready = peek(r, best);
		} while (best->ready && best->ts < second && !best->lost && n + RECORD_MAX + 1 <= max);
	}
	r->watermark = until;
	return n;
}
