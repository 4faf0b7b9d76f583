/* SPDX-License-Identifier: Apache-2.0 */
/* Reading per-CPU overwriting rings: one exact total order over all CPUs and both banks, every loss counted.
 */
#ifndef FLIGHTRING_RINGS_H
#define FLIGHTRING_RINGS_H

#include <stdint.h>

#define SLOT_BYTES 64
#define RING_HEADER 4096
#define CONTINUATION (1ull << 63)
#define BANKS 2
#define SLOTS_MASK 0x000f
#define CLAMPED 0x0020

struct slot {
	uint64_t seq;
	uint64_t ts;
	uint32_t tid, tgid;
	uint16_t kind, flags;
	uint32_t cpu;
	uint64_t payload[4];
};

/* BANKS * cpus rings at `base`, `stride` bytes apart: a header whose first word is the head, then the slots.
 */
struct rings {
	uint8_t *base;
	uint64_t stride;
	uint64_t slots; /* per ring, a power of two */
	uint32_t cpus;
};

/* How far one reader has come in one ring. */
struct cursor {
	uint64_t next; /* sequence number - 1 of the next slot to read */
	uint64_t head; /* as read in this pass */
	uint64_t ts;   /* clamped time of the record at `next` */
	uint64_t lost; /* found overwritten and not reported yet */
	int ready;     /* a published record lies at `next` */
};

struct reader {
	struct cursor *cursors; /* BANKS * cpus */
	uint64_t *floor_ts;	/* per CPU: no later record may be older */
	uint32_t *active;	/* rings that still have something in this pass */
	int live;		/* the rings are still written */
	uint64_t lost;		/* slots overwritten before they were read */
	uint64_t told;		/* of these, told by a gap */
	uint64_t read;		/* slots read */
	uint64_t unpublished;	/* passes that ended at a slot claimed but not published */
	uint64_t watermark;	/* everything older than this has been delivered */
};

int reader_init(struct reader *r, const struct rings *rings);
void reader_free(struct reader *r);
/* Moves the reader of one ring to where reading shall begin. */
void reader_seek(struct reader *r, const struct rings *rings, uint32_t bank, uint32_t cpu, uint64_t next);
/* The time of the next record of a ring; 0 if there is none that can be read. */
uint64_t reader_next_ts(struct reader *r, const struct rings *rings, uint32_t bank, uint32_t cpu);
/* A gap record: `lost` slots up to sequence number `next`, the last of them no later than `until_ts`. */
void write_gap(struct slot *out, uint32_t cpu, uint32_t bank, uint64_t next, uint64_t ts, uint64_t lost,
	       uint32_t reason, uint64_t until_ts);
#define GAP_OVERWRITTEN 1
#define GAP_BEFORE_WINDOW 3
uint64_t ring_head(const struct rings *rings, uint32_t bank, uint32_t cpu);
/*
 * Copies up to `max` slots of records older than `until` (ns) to `out`, in order of (time, CPU, sequence),
 * gap records in their places. `until` must have been read from the clock before the call. Returns the number
 * of slots.
 */
uint32_t reader_drain(struct reader *r, const struct rings *rings, uint32_t banks_mask, uint64_t until,
		      struct slot *out, uint32_t max);

#endif
