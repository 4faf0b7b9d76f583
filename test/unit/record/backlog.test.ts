import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTINUATION, HEAD, SLOT_LANES, type Batch } from '../../../src/model/slot.ts';
import { Backlog, BACKLOG_SLOTS, piecesOf } from '../../../src/record/backlog.ts';

/** Slots whose first lane is their number; `lengths` are those of the records. */
function batchOf(first: number, lengths: readonly number[]): Batch {
  const slots = lengths.reduce((sum, length) => sum + length, 0);
  const lanes = new Uint32Array(slots * SLOT_LANES);
  let slot = 0;
  for (const length of lengths)
    for (let i = 0; i < length; i++, slot++) {
      lanes[slot * SLOT_LANES] = first + slot;
      if (i > 0) lanes[slot * SLOT_LANES + HEAD.seqHigh] = CONTINUATION;
    }
  return { lanes, slots };
}

function numbersOf({ lanes, slots }: Batch): number[] {
  return Array.from({ length: slots }, (_, slot) => lanes[slot * SLOT_LANES] as number);
}

const manyRecords = (count: number) => Array.from({ length: count }, (_, i) => (i % 3) + 1);

describe('pieces of a batch', () => {
  test('are all of it, in order, and no record is cut', () => {
    const batch = batchOf(0, manyRecords(9000));
    const pieces = [...piecesOf(batch)];
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.flatMap(numbersOf)).toEqual(numbersOf(batch));
    for (const { lanes } of pieces) expect(lanes[HEAD.seqHigh]).toBeLessThan(CONTINUATION);
  });

  test('are none of an empty one', () => expect([...piecesOf(batchOf(0, []))]).toEqual([]));
});

describe('the backlog', () => {
  test('hands out a batch whole while there is time, without copying it', () => {
    const backlog = new Backlog();
    const batch = batchOf(0, [1, 2, 1]);
    const [piece] = [...backlog.take(batch, 70, () => false)];
    expect(piece?.lanes).toBe(batch.lanes);
    expect(backlog).toMatchObject({ slots: 0, watermark: 70 });
  });

  test('keeps what there was no time for, and knows up to when all was handed out', () => {
    const backlog = new Backlog();
    const batch = batchOf(0, manyRecords(9000));
    const first = [...backlog.take(batch, 70, () => true)].flatMap(numbersOf);
    expect(first.length).toBeLessThan(batch.slots);
    expect(backlog).toMatchObject({ slots: batch.slots - first.length, watermark: 0 });
    const expected = numbersOf(batch);
    batch.lanes.fill(0);
    const rest = [...backlog.take(batchOf(batch.slots, [1]), 90, () => false)].flatMap(numbersOf);
    expect([...first, ...rest]).toEqual([...expected, batch.slots]);
    expect(backlog).toMatchObject({ slots: 0, watermark: 90 });
  });

  test('is checked down to its bound even when it is late', () => {
    const backlog = new Backlog();
    for (let i = 0; i < 5; i++)
      backlog.push(
        batchOf(
          0,
          Array.from({ length: 65_536 }, () => 1),
        ),
        10 + i,
      );
    const pieces = [...backlog.take(batchOf(0, []), 20, () => true)];
    expect(pieces.length).toBeGreaterThan(0);
    expect(backlog.slots).toBeLessThanOrEqual(BACKLOG_SLOTS);
    expect(backlog.watermark).toBe(10);
  });

  test('whatever the drains and the times, nothing is lost, doubled or told too early', () => {
    const drain = fc.record({ held: fc.boolean(), records: fc.nat(6000), times: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(drain, { maxLength: 12 }), (drains) => {
        const backlog = new Backlog();
        const out: number[] = [];
        let drained = 0;
        const ends: number[] = [0];
        for (const [i, { held, records, times }] of drains.entries()) {
          const batch = batchOf(drained, manyRecords(records));
          drained += batch.slots;
          ends.push(drained);
          let left = times;
          if (held) backlog.push(batch, i + 1);
          else
            for (const piece of backlog.take(batch, i + 1, () => left-- <= 0)) out.push(...numbersOf(piece));
          expect(out.length + backlog.slots).toBe(drained);
          expect(ends[backlog.watermark]).toBeLessThanOrEqual(out.length);
        }
        for (const piece of backlog.take(batchOf(0, []), drains.length + 1, () => false))
          out.push(...numbersOf(piece));
        expect(out).toEqual(Array.from({ length: drained }, (_, i) => i));
        expect(backlog.watermark).toBe(drains.length + 1);
      }),
      { numRuns: 60 },
    );
  });
});
