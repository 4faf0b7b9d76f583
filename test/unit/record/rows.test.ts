// Snapshot records between events: where they go, and where a window begins.

import { describe, expect, test } from 'vitest';
import type { Batch } from '../../../src/model/slot.ts';
import {
  beginningOf,
  RowMerger,
  type Row,
  rowOf,
  rowsFor,
  withRows,
} from '../../../src/record/snapshot/rows.ts';
import { BatchBuilder, buildBatch } from '../batch.ts';
import { create, listOf, seen, update } from './neighbours.ts';

const A = { nud: 0x80, mac: '02:00:00:00:00:0a' };
const RECORD = seen(0, 0, { 1: A }).lanes;
const row = (ts: number, seq = 1): Row => rowOf({ lanes: RECORD, seq }, ts);

describe('placing', () => {
  const batch = () => buildBatch([update(10, 1, A), update(20, 1, A), update(30, 1, A)]);

  test('after the events of its time, before later ones', () => {
    expect(
      listOf(withRows([batch()], [row(5), row(20), row(25, 3), row(99, 5)])).map(([, ts]) => ts),
    ).toEqual([5, 10, 20, 20, 25, 30, 99]);
  });

  test('however the batches are cut', () => {
    const builder = new BatchBuilder();
    const cut = [[update(10, 1, A)], [], [update(20, 1, A), update(30, 1, A)]].map((events) =>
      builder.build(events),
    );
    const rows = [row(5), row(20), row(25, 3)];
    expect(listOf(withRows(cut, rows))).toEqual(listOf(withRows([batch()], rows)));
  });

  test('a merger hands back untouched what no row belongs to', () => {
    const merger = new RowMerger();
    const only = batch();
    expect([...merger.merge(only)]).toEqual([only]);
    expect([...merger.rest()]).toEqual([]);
  });
});

describe('the beginning of a window', () => {
  const gap = (ts: number, until: number) => ({ kind: 'gap', ts, lost: 1, until });

  test.each<[string, Batch[], number | null]>([
    ['its first event', [buildBatch([create(50, 1), create(60, 2)])], 49],
    ['where what its first gaps miss ends', [buildBatch([gap(10, 40), gap(10, 70), create(50, 1)])], 70],
    ['a gap later on says nothing of it', [buildBatch([create(50, 1), gap(60, 90)])], 49],
    ['no event', [], null],
  ])('%s', (_, batches, beginning) => {
    expect(beginningOf(batches)).toBe(beginning);
  });
});

test('the rows of a window: what exists at its beginning, and what was found later', () => {
  const versions = [
    { lanes: RECORD, seq: 1, from: 10, to: 100, told: true },
    { lanes: RECORD, seq: 1, from: 100, to: Number.POSITIVE_INFINITY, told: false },
    { lanes: RECORD, seq: 3, from: 10, to: 50, told: false },
    { lanes: RECORD, seq: 5, from: 80, to: Number.POSITIVE_INFINITY, told: true },
    { lanes: RECORD, seq: 7, from: 80, to: Number.POSITIVE_INFINITY, told: false },
    { lanes: RECORD, seq: 9, from: 900, to: Number.POSITIVE_INFINITY, told: true },
  ];
  const placed = rowsFor(versions, 60, 200).map(({ seq, ts }) => [seq, ts]);
  expect(placed).toEqual([
    [1, 60],
    [5, 80],
  ]);
});
