// What was drained and is still to be checked: the rings are emptied however long checking takes.

import { type Batch, CONTINUATION, HEAD, SLOT_LANES } from '../model/slot.ts';

/** In slots: what is checked before the rings are looked at again. */
const PIECE_SLOTS = 4096;
/** As many slots are kept at most; beyond that the rings wait, and overwrite their oldest events. */
export const BACKLOG_SLOTS = 262_144;

/** The batch in pieces of whole records. */
export function* piecesOf({ lanes, slots }: Batch): Generator<Batch, void, undefined> {
  for (let from = 0; from < slots; ) {
    let to = Math.min(from + PIECE_SLOTS, slots);
    while (to < slots && (lanes[to * SLOT_LANES + HEAD.seqHigh] as number) >= CONTINUATION) to++;
    yield to - from === slots
      ? { lanes, slots }
      : { lanes: lanes.subarray(from * SLOT_LANES, to * SLOT_LANES), slots: to - from };
    from = to;
  }
}

interface Waiting {
  readonly piece: Batch;
  /** All events older than this have been taken when the piece has, ns; 0 if further pieces of its drain follow. */
  readonly watermark: number;
}

/** First in, first out; each batch is taken whole or in pieces, and the rest copied. */
export class Backlog {
  #waiting: Waiting[] = [];
  #next = 0;
  #slots = 0;
  #watermark = 0;

  /** How many slots wait. */
  get slots(): number {
    return this.#slots;
  }

  /** Every event older than this was handed out, ns of CLOCK_MONOTONIC. */
  get watermark(): number {
    return this.#watermark;
  }

  /** Puts a drain's batch, whose memory is used again, behind what waits. */
  push({ lanes, slots }: Batch, watermark: number): void {
    if (slots === 0) {
      const last = this.#waiting.pop();
      if (last) this.#waiting.push({ ...last, watermark });
      else this.#watermark = watermark;
      return;
    }
    const pieces = [...piecesOf({ lanes: lanes.slice(0, slots * SLOT_LANES), slots })];
    for (const [i, piece] of pieces.entries())
      this.#waiting.push({ piece, watermark: i === pieces.length - 1 ? watermark : 0 });
    this.#slots += slots;
  }

  /**
   * What is to be checked now of what waits and then of this drain's batch: until `isLate` says that the rings must be
   * looked at again, and in any case down to BACKLOG_SLOTS.
   */
  *take(batch: Batch, watermark: number, isLate: () => boolean): Generator<Batch, void, undefined> {
    if (this.#slots === 0) {
      let left = batch.slots;
      for (const piece of piecesOf(batch)) {
        yield piece;
        left -= piece.slots;
        if (left === 0 || !isLate()) continue;
        const from = (batch.slots - left) * SLOT_LANES;
        this.push({ lanes: batch.lanes.subarray(from), slots: left }, watermark);
        return;
      }
      this.#watermark = watermark;
      return;
    }
    this.push(batch, watermark);
    while (this.#slots > 0) {
      const { piece, watermark: done } = this.#waiting[this.#next++] as Waiting;
      this.#slots -= piece.slots;
      yield piece;
      if (done > 0) this.#watermark = done;
      if (this.#slots <= BACKLOG_SLOTS && isLate()) break;
    }
    this.#waiting.splice(0, this.#next);
    this.#next = 0;
  }
}
