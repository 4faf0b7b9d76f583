// SPDX-License-Identifier: Apache-2.0
/* Writing a frozen bank to a file, in total order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "recorder.h"

static int write_slots(int fd, const struct slot *slots, uint32_t count)
{
	const uint8_t *p = (const uint8_t *)slots, *end = (const uint8_t *)(slots + count);

	while (p < end) {
		ssize_t w = write(fd, p, end - p);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		p += w;
	}
	return 0;
}

/* Figures of fr_save: per CPU and share. */
enum { FIRST_TS, LAST_TS, EVENTS, OVERWRITTEN, FIGURES };

/*
 * Busy shares reach back less far than the others. In front of all records a gap says, for each that was
 * overwritten, up to when its events are missing. Returns the slots written.
 */
static int64_t write_beginnings(struct recorder *r, struct reader *reader, uint32_t bank, int fd,
				uint64_t from_ns, const uint64_t *figures, struct slot *out)
{
	uint64_t oldest = UINT64_MAX;
	uint32_t n = 0;
	int err;

	for (uint32_t i = 0; i < r->rings.recorded * r->rings.cpus; i++) {
		uint32_t cpu = i % r->rings.cpus, number = r->rings.number[i / r->rings.cpus];
		uint32_t lane = lane_of(&r->rings, bank, 0, 0) + i;
		struct cursor *c = &reader->cursors[lane];
		uint64_t ts = reader_next_ts(reader, c);

		/* The rest of a record whose beginning was overwritten belongs to what is not in the window.
		 */
		c->lost = 0;
		if (!ts)
			continue;
		if (ts < oldest)
			oldest = ts;
		if (figures[(cpu * r->rings.shares + number) * FIGURES + OVERWRITTEN] && ts > from_ns)
			write_gap(&out[n++], &r->rings, lane, c->next, 0, 0, GAP_BEFORE_WINDOW, ts);
	}
	reader->told = reader->lost;
	for (uint32_t i = 0; i < n; i++)
		out[i].ts = oldest > from_ns ? oldest : from_ns;
	err = write_slots(fd, out, n);
	return err ? err : (int64_t)n;
}

/*
 * Writes the frozen bank's records, in total order, to the file from byte `at` on. `starts` holds, per CPU
 * and share, how many slots had been claimed when the bank was last armed; only records from `from_ns` on are
 * written. Returns slots written or a negative errno; `figures` gets, per CPU and share: first ts, last ts,
 * events, overwritten.
 */
API int64_t fr_save(int handle, uint32_t bank, const uint64_t *starts, int fd, int64_t at, uint64_t from_ns,
		    uint64_t *figures)
{
	struct recorder *r = recorder(handle);
	const uint32_t chunk = 16384;
	struct reader reader;
	struct slot *out;
	uint64_t give_up = now_ns() + 100000000;
	int64_t written = 0;
	int err = 0;

	if (!r || bank >= BANKS)
		return -EBADF;
	out = malloc((size_t)chunk * SLOT_BYTES);
	if (!out || reader_init(&reader, &r->rings)) {
		reader_free(&reader);
		free(out);
		return -ENOMEM;
	}
	if (lseek(fd, at, SEEK_SET) < 0) {
		err = -errno;
		goto done;
	}
	memset(figures, 0, (size_t)r->rings.cpus * r->rings.shares * FIGURES * sizeof(*figures));
	for (uint32_t cpu = 0; cpu < r->rings.cpus; cpu++)
		for (uint32_t i = 0; i < r->rings.recorded; i++) {
			uint32_t number = r->rings.number[i], at = cpu * r->rings.shares + number;
			const struct share *share = &r->rings.share[number];
			uint64_t head = ring_head(&r->rings, bank, cpu, number);
			uint64_t start = share->base + starts[at];

			if (head - start > share->slots) {
				figures[at * FIGURES + OVERWRITTEN] = head - start - share->slots;
				start = head - share->slots;
			}
			reader_seek(&reader.cursors[lane_of(&r->rings, bank, i, cpu)], start);
		}
	written = write_beginnings(r, &reader, bank, fd, from_ns, figures, out);
	if (written < 0) {
		err = written;
		goto done;
	}
	for (;;) {
		uint32_t n = reader_drain(&reader, &r->rings, 1u << bank, UINT64_MAX, out, chunk), first = 0,
			 i;

		for (i = 0; i < n; i++) {
			uint64_t *f;

			/* A gap or continuation stays with what it belongs to. */
			if (first == i && !(out[i].seq & CONTINUATION) && out[i].ts < from_ns) {
				first = i + 1 + (out[i].flags & SLOTS_MASK);
				continue;
			}
			if (i < first || (out[i].seq & CONTINUATION) || !out[i].kind)
				continue;
			f = &figures[(out[i].cpu * r->rings.shares + (out[i].seq >> SHARE_SHIFT)) * FIGURES];
			if (!f[FIRST_TS])
				f[FIRST_TS] = out[i].ts;
			f[LAST_TS] = out[i].ts;
			f[EVENTS]++;
		}
		err = n > first ? write_slots(fd, out + first, n - first) : 0;
		if (err)
			goto done;
		written += n > first ? n - first : 0;
		if (n)
			continue;
		/* A writer that had claimed before the flip may still be writing. */
		if (!reader.unpublished || now_ns() > give_up)
			break;
		reader.unpublished = 0;
		usleep(50);
	}
done:
	reader_free(&reader);
	free(out);
	return err ? err : written;
}
