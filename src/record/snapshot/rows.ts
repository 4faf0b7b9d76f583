// Records of the snapshot: which of them a window needs, and how they are put between its events.

import { stampRecord } from '../../decode/encode-record.ts';
import { gapPath } from '../../decode/once.ts';
import { type ShareSet, sharesOf, sharesOfName } from '../../decode/shares.ts';
import { LANE, LAYOUTS, SHARES } from '../../generated/layouts.ts';
import {
  type Batch,
  CONTINUATION,
  FLAG,
  GAP_KIND,
  HEAD,
  SLOT_LANES,
  SNAPSHOT_TELLING,
  timeAt,
} from '../../model/slot.ts';

/** A state that an object had from one time up to another. */
export interface Version {
  /** A whole record, without place in the order. */
  readonly lanes: Uint32Array;
  /** The object's own number, the same for all its states: with SNAPSHOT_CPU it names one record of a recording. */
  readonly seq: number;
  readonly from: number;
  to: number;
  /** It was found by the dump, and the checker was told so as of `from`. */
  readonly told: boolean;
}

/** A record at its place in the order. */
export interface Row {
  readonly lanes: Uint32Array;
  readonly seq: number;
  readonly ts: number;
}

/** A copy of the version's record, as told at `ts`. */
export function rowOf({ lanes, seq }: Pick<Version, 'lanes' | 'seq'>, ts: number): Row {
  const copy = lanes.slice();
  stampRecord(copy, 0, copy.length / SLOT_LANES, seq, ts);
  return { lanes: copy, seq, ts };
}

export function inOrder(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.ts - b.ts || a.seq - b.seq);
}

/** Puts rows, which are in order, between events: each after the events of its time and before those of a later one. */
export class RowMerger {
  #rows: readonly Row[] = [];
  #next = 0;

  add(rows: readonly Row[]): void {
    this.#rows = inOrder([...this.#rows.slice(this.#next), ...rows]);
    this.#next = 0;
  }

  /** The batch, in pieces if rows belong into it. */
  *merge(batch: Batch): Generator<Batch, void, undefined> {
    const { lanes, slots } = batch;
    let from = 0;
    for (let slot = 0; slot < slots && this.#next < this.#rows.length; slot++) {
      const at = slot * SLOT_LANES;
      if ((lanes[at + HEAD.seqHigh] as number) >= CONTINUATION) continue;
      const ts = timeAt(lanes, at);
      if ((this.#rows[this.#next] as Row).ts >= ts) continue;
      if (slot > from) yield pieceOf(batch, from, slot);
      yield* this.rest(ts);
      from = slot;
    }
    if (from === 0) {
      if (slots > 0) yield batch;
    } else yield pieceOf(batch, from, slots);
  }

  /** The rows left that are older than `before`, as one batch. */
  *rest(before = Number.POSITIVE_INFINITY): Generator<Batch, void, undefined> {
    const first = this.#next;
    let length = 0;
    for (let row = this.#rows[this.#next]; row && row.ts < before; row = this.#rows[++this.#next])
      length += row.lanes.length;
    if (length === 0) return;
    const lanes = new Uint32Array(length);
    let at = 0;
    for (const row of this.#rows.slice(first, this.#next)) {
      lanes.set(row.lanes, at);
      at += row.lanes.length;
    }
    yield { lanes, slots: length / SLOT_LANES };
  }
}

function pieceOf({ lanes }: Batch, from: number, to: number): Batch {
  return { lanes: lanes.subarray(from * SLOT_LANES, to * SLOT_LANES), slots: to - from };
}

/** The batches with the rows between their events. */
export function* withRows(batches: Iterable<Batch>, rows: readonly Row[]): Generator<Batch, void, undefined> {
  const merger = new RowMerger();
  merger.add(rows);
  for (const batch of batches) yield* merger.merge(batch);
  yield* merger.rest();
}

/** From when on a window's events can be judged. */
export class Beginnings {
  /** Just before its first event. */
  readonly first: number;
  /** By share: where the events that the gaps at the beginning say are missing end. */
  readonly #until = new Float64Array(SHARES.length);

  constructor(batches: Iterable<Batch>, end: number) {
    this.first = end;
    for (const { lanes, slots } of batches)
      for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
        if ((lanes[at + HEAD.seqHigh] as number) >= CONTINUATION) continue;
        const ts = timeAt(lanes, at);
        this.first = Math.min(this.first, ts - 1);
        if (((lanes[at + HEAD.kindFlags] as number) & 0xffff) !== GAP_KIND) return;
        const until = timeAt(lanes, at + LANE.gap.until - HEAD.tsLow);
        const shares = sharesOfName(gapPath(lanes, at));
        for (let share = 0; share < SHARES.length; share++)
          if ((shares >>> share) & 1) this.#until[share] = Math.max(this.#until[share] as number, until, ts);
      }
  }

  /** Where the events of all these shares are there. */
  of(shares: ShareSet): number {
    let latest = this.first;
    for (let share = 0; share < SHARES.length; share++)
      if ((shares >>> share) & 1) latest = Math.max(latest, this.#until[share] as number);
    return latest;
  }
}

/**
 * By kind, the times at which a window tells of what exists: where the events of the kind's path begin, and where those begin
 * of all paths that an invariant needs beside it, which forgets what it was told before.
 */
export function tellingTimes(
  kind: number,
  beginnings: Beginnings,
  needs: readonly (readonly string[])[],
): readonly number[] {
  const name = LAYOUTS[kind]?.kind ?? '';
  const times = new Set([beginnings.of(sharesOf([name]))]);
  for (const needed of needs) if (needed.includes(name)) times.add(beginnings.of(sharesOf(needed)));
  return [...times].sort((a, b) => a - b);
}

/**
 * What exists at the kinds' times, told as of then, and what the dump told later inside the window. A state is told as of
 * the window's beginning, and not since when it is known, because invariants forget what lies before a gap.
 */
export function rowsFor(
  versions: readonly Version[],
  timesOf: (kind: number) => readonly number[],
  end: number,
): Row[] {
  const rows: Row[] = [];
  for (const version of versions) {
    const { from, to, told, lanes } = version;
    const times = timesOf((lanes[HEAD.kindFlags] as number) & 0xffff);
    for (const time of times) if (from <= time && time < to) rows.push(rowOf(version, time));
    if (told && from <= end && from > (times[0] ?? 0) && !times.includes(from))
      rows.push(rowOf(version, from));
  }
  inOrder(rows);
  // Each telling of an object has a number of its own.
  const tellings = new Map<number, number>();
  return rows.map(({ lanes, seq, ts }) => {
    const before = tellings.get(seq) ?? 0;
    tellings.set(seq, before + 1);
    return before === 0 ? { lanes, seq, ts } : rowOf({ lanes, seq: seq + before * SNAPSHOT_TELLING }, ts);
  });
}

/** Versions as two plain arrays, to be handed to another thread. */
export interface PackedVersions {
  readonly lanes: Uint32Array;
  /** Of each: seq, from, to, told. */
  readonly figures: Float64Array;
}

export function packVersions(versions: readonly Version[]): PackedVersions {
  const lanes = new Uint32Array(versions.reduce((sum, version) => sum + version.lanes.length, 0));
  const figures = new Float64Array(versions.length * 4);
  let at = 0;
  for (const [i, version] of versions.entries()) {
    lanes.set(version.lanes, at);
    at += version.lanes.length;
    figures.set([version.seq, version.from, version.to, version.told ? 1 : 0], i * 4);
  }
  return { lanes, figures };
}

export function unpackVersions({ lanes, figures }: PackedVersions): Version[] {
  const versions: Version[] = [];
  let at = 0;
  for (let i = 0; i < figures.length; i += 4) {
    const length = (1 + (((lanes[at + HEAD.kindFlags] as number) >>> 16) & FLAG.slots)) * SLOT_LANES;
    const [seq, from, to, told] = figures.subarray(i, i + 4) as unknown as [number, number, number, number];
    versions.push({ lanes: lanes.subarray(at, at + length), seq, from, to, told: told === 1 });
    at += length;
  }
  return versions;
}
