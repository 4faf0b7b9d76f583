// Snapshot records between events: where they go, and where a window begins.

import { describe, expect, test } from 'vitest';
import { sharesOf } from '../../../src/decode/shares.ts';
import { KIND } from '../../../src/generated/layouts.ts';
import { type Batch, SNAPSHOT_TELLING } from '../../../src/model/slot.ts';
import {
  Beginnings,
  type Row,
  RowMerger,
  rowOf,
  rowsFor,
  tellingTimes,
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

describe('where a window begins', () => {
  const gap = (ts: number, until: number, share: string) => ({ kind: 'gap', ts, lost: 1, until, share });
  const at = (batches: Batch[], kinds: string[]) => new Beginnings(batches, 999).of(sharesOf(kinds));
  const NEIGH = ['neigh_exists'];
  const BOTH = ['neigh_exists', 'task_comm'];

  test.each<[string, Batch[], string[], number]>([
    ['before its first event', [buildBatch([create(50, 1), create(60, 2)])], NEIGH, 49],
    [
      'where what its first gaps miss ends',
      [buildBatch([gap(10, 40, ''), gap(10, 70, ''), create(50, 1)])],
      NEIGH,
      70,
    ],
    ['a gap of another path is none', [buildBatch([gap(10, 70, 'task'), create(50, 1)])], NEIGH, 9],
    ['of two paths, where both are there', [buildBatch([gap(10, 70, 'task'), create(50, 1)])], BOTH, 70],
    ['a gap later on says nothing of it', [buildBatch([create(50, 1), gap(60, 90, '')])], NEIGH, 49],
    ['without events, its end', [], NEIGH, 999],
  ])('%s', (_, batches, kinds, beginning) => {
    expect(at(batches, kinds)).toBe(beginning);
  });

  test('a kind is told of once for itself, and once for those who need another path beside it', () => {
    const beginnings = new Beginnings([buildBatch([gap(10, 70, 'task'), create(50, 1)])], 999);
    expect(tellingTimes(KIND.neigh_exists, beginnings, [NEIGH])).toEqual([9]);
    expect(tellingTimes(KIND.neigh_exists, beginnings, [NEIGH, BOTH])).toEqual([9, 70]);
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
  const placed = rowsFor(versions, () => [60], 200).map(({ seq, ts }) => [seq, ts]);
  expect(placed).toEqual([
    [1, 60],
    [5, 80],
  ]);
});

test('an object that is told of twice has a number for each telling', () => {
  const versions = [{ lanes: RECORD, seq: 7, from: 10, to: Number.POSITIVE_INFINITY, told: true }];
  const placed = rowsFor(versions, () => [60, 80], 200);
  expect(placed.map(({ seq, ts }) => [seq, ts])).toEqual([
    [7, 60],
    [7 + SNAPSHOT_TELLING, 80],
  ]);
  expect(listOf(placed.map(({ lanes }) => ({ lanes, slots: lanes.length / 16 })))).toEqual([
    ['neigh_exists', 60],
    ['neigh_exists', 80],
  ]);
});
