/* SPDX-License-Identifier: Apache-2.0 */
/* Reading per-CPU overwriting rings: one exact total order over all CPUs, shares and both banks, every loss
 * counted. */
#ifndef FLIGHTRING_RINGS_H
#define FLIGHTRING_RINGS_H

#include <stdint.h>

#define SLOT_BYTES 64
#define RING_HEADER 4096
#define HEAD_BYTES 64
#define CONTINUATION (1ull << 63)
#define BANKS 2
#define SHARES_MAX 16
/* A share's number stands above this bit of its sequence numbers. */
#define SHARE_SHIFT 48
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

/* What each ring gives to one path. */
struct share {
	uint64_t slots;	 /* a power of two; 0: this path isn't recorded */
	uint64_t name;	 /* eight characters, as gap records carry them */
	uint64_t offset; /* of its slots in each ring, in bytes; set by rings_layout */
	uint64_t base;	 /* its head before anything is claimed; set by rings_layout */
};

/*
 * BANKS * cpus rings at `base`, `stride` bytes apart: a header with the head of each share on a cache line of
 * its own, then the slots of one share after the other. A lane is one share of one ring: (bank * recorded +
 * i) * cpus + cpu, where i counts the shares that are recorded.
 */
struct rings {
	uint8_t *base;
	uint64_t stride;
	uint32_t cpus;
	uint32_t shares;
	uint32_t recorded;
	struct share share[SHARES_MAX];
	uint32_t number[SHARES_MAX]; /* of the recorded ones */
};

/* How far one reader has come in one lane. */
struct cursor {
	uint64_t *head_at; /* of the writers */
	struct slot *first;
	uint64_t slots;
	uint64_t base;
	uint64_t next;	/* sequence number - 1 of the next slot to read */
	uint64_t head;	/* as read in this pass */
	uint64_t ts;	/* clamped time of the record at `next` */
	uint64_t floor; /* no later record may be older */
	uint64_t lost;	/* found overwritten and not reported yet */
	int ready;	/* a published record lies at `next` */
};

struct reader {
	struct cursor *cursors; /* of all lanes */
	uint32_t *active;	/* lanes that still have something in this pass */
	uint32_t lanes;
	int live;	      /* the rings are still written */
	uint64_t lost;	      /* slots overwritten before they were read */
	uint64_t told;	      /* of these, told by a gap */
	uint64_t read;	      /* slots read */
	uint64_t unpublished; /* passes that ended at a slot claimed but not published */
	uint64_t watermark;   /* everything older than this has been delivered */
};

/* Sets offsets, bases, the recorded shares and the stride from the shares' slots. */
void rings_layout(struct rings *rings);
/* Sets all heads to their bases; nothing may be recorded yet. */
void rings_begin(const struct rings *rings);
int reader_init(struct reader *r, const struct rings *rings);
void reader_free(struct reader *r);
/* The lane of the i-th recorded share. */
uint32_t lane_of(const struct rings *rings, uint32_t bank, uint32_t i, uint32_t cpu);
/* Where reading a lane shall begin. */
void reader_seek(struct cursor *c, uint64_t next);
/* The time of the next record of a lane; 0 if there is none that can be read. */
uint64_t reader_next_ts(struct reader *r, struct cursor *c);
/* A gap record: `lost` slots up to sequence number `next`, the last of them no later than `until_ts`. */
void write_gap(struct slot *out, const struct rings *rings, uint32_t lane, uint64_t next, uint64_t ts,
	       uint64_t lost, uint32_t reason, uint64_t until_ts);
#define GAP_OVERWRITTEN 1
#define GAP_BEFORE_WINDOW 3
/* The head of share number `share`: its base and how many slots were ever claimed. */
uint64_t ring_head(const struct rings *rings, uint32_t bank, uint32_t cpu, uint32_t share);
/*
 * Copies up to `max` slots of records older than `until` (ns) to `out`, in order of (time, CPU, sequence),
 * gap records in their places. `until` must have been read from the clock before the call. Returns the number
 * of slots.
 */
uint32_t reader_drain(struct reader *r, const struct rings *rings, uint32_t banks_mask, uint64_t until,
		      struct slot *out, uint32_t max);

#endif
