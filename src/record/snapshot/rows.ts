// Records of the snapshot: which of them a window needs, and how they are put between its events.

import { stampRecord } from '../../decode/encode-record.ts';
import { EventView } from '../../decode/event-view.ts';
import { type Batch, CONTINUATION, FLAG, GAP_KIND, HEAD, SLOT_LANES, timeAt } from '../../model/slot.ts';

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

/**
 * From when on a window's events can be judged: its first event, or where the events that its first gaps say are missing
 * end. Null for a window without events.
 */
export function beginningOf(batches: Iterable<Batch>): number | null {
  const view = new EventView();
  let until: number | null = null;
  for (const { lanes, slots } of batches)
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES) {
      if ((lanes[at + HEAD.seqHigh] as number) >= CONTINUATION) continue;
      const event = view.move(lanes, at);
      if (event.kindNumber !== GAP_KIND) return until ?? event.ts - 1;
      until = Math.max(until ?? 0, event.u53('until'), event.ts);
    }
  return until;
}

/**
 * What exists at `beginning`, told as of then, and what the dump told later inside the window. A state is told as of the
 * window's beginning, and not since when it is known, because invariants forget what lies before a gap.
 */
export function rowsFor(versions: readonly Version[], beginning: number, end: number): Row[] {
  const rows: Row[] = [];
  for (const version of versions) {
    const { from, to, told } = version;
    if (from <= beginning && beginning < to) rows.push(rowOf(version, beginning));
    else if (told && from > beginning && from <= end) rows.push(rowOf(version, from));
  }
  return inOrder(rows);
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
