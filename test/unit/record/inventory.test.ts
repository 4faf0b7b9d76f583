// The inventory: what existed before, what events made of it, and what it admits not to know.

import { describe, expect, test } from 'vitest';
import { SNAPSHOT_CPU } from '../../../src/model/slot.ts';
import { Inventory } from '../../../src/record/snapshot/inventory.ts';
import { packVersions, rowsFor, unpackVersions } from '../../../src/record/snapshot/rows.ts';
import type { DumpPart } from '../../../src/source/snapshot/dump.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { ARMED, create, KINDS, release, seen, timer, update, words, wordsOf } from './neighbours.ts';

const A = { nud: 0x80, mac: '02:00:00:00:00:0a' };
const B = { nud: 0x80, mac: '02:00:00:00:00:0b' };

function inventoryOf(slots = 1 << 20): Inventory {
  return new Inventory({ kinds: KINDS, armedAt: ARMED, slots });
}

/** Rows told after these events and this dump. */
function settled(events: readonly EventSpec[], parts: readonly DumpPart[], floor = ARMED) {
  const inventory = inventoryOf();
  inventory.follow(buildBatch(events));
  const rows = inventory.settle(parts, floor);
  return { inventory, told: rows.map(({ lanes, ts }) => [ts, wordsOf(lanes)]) };
}

function existing(inventory: Inventory, at: number): string[] {
  return rowsFor(inventory.versions(), () => [at], at).map(({ lanes }) => wordsOf(lanes));
}

describe('reconciling a dump with the events', () => {
  const dump = seen(2000, 3000, { 1: A });

  test.each<[string, EventSpec[], [number, string][]]>([
    ['untouched: known since the probes were armed', [], [[ARMED, words(1, A)]]],
    ['made while it was asked for: the events tell', [create(1500, 1), update(1600, 1, A)], []],
    ['made after it was asked for: another one', [create(3500, 1)], [[ARMED, words(1, A)]]],
    ['changed before: known from the change on', [update(1500, 1, A)], [[1500, words(1, A)]]],
    ['changed meanwhile: known from the change on', [update(2500, 1, B)], [[2500, words(1, B)]]],
    ['changed later: as it was seen', [update(3500, 1, B)], [[ARMED, words(1, A)]]],
    ['ended meanwhile: it had been there', [release(2500, 1)], [[ARMED, words(1, A)]]],
    [
      'changed and ended meanwhile: which state was seen is unclear',
      [update(2200, 1, B), release(2500, 1)],
      [],
    ],
    ['ended and made again', [release(1500, 1), create(1600, 1), update(1700, 1, A)], []],
  ])('%s', (_, events, told) => {
    expect(settled(events, [dump]).told).toEqual(told);
  });

  test('a change that tells only a part leaves the rest as it was seen', () => {
    expect(settled([timer(2500, 1, 4)], [dump]).told).toEqual([[2500, words(1, { ...A, nud: 4 })]]);
  });

  test('what the checker has passed already is told as of then', () => {
    const { told, inventory } = settled(
      [update(3500, 1, B), release(9000, 2)],
      [dump, seen(2000, 3000, { 2: A })],
      5000,
    );
    expect(told).toEqual([
      [5000, words(1, B)],
      [5000, words(2, A)],
    ]);
    expect(existing(inventory, 9500)).toEqual([words(1, B)]);
  });

  test('what ended before that is told no more', () => {
    expect(settled([release(3500, 1)], [dump], 5000).told).toEqual([]);
  });

  test('seen twice, told once', () => {
    expect(settled([], [dump, dump]).told).toHaveLength(1);
  });
});

test('states of the past are told until no window can begin before them', () => {
  const inventory = inventoryOf(8);
  inventory.settle([seen(2000, 3000, { 1: A })], ARMED);
  inventory.follow(buildBatch([update(4000, 1, B), release(5000, 1)]));
  expect(existing(inventory, 3999)).toEqual([words(1, A)]);
  expect(existing(inventory, 4000)).toEqual([words(1, B)]);
  expect(existing(inventory, 5000)).toEqual([]);
  inventory.follow(buildBatch(Array.from({ length: 10 }, (_, i) => timer(6000 + i, 9, 4))));
  expect(inventory.versions()).toEqual([]);
});

test('all states of an object have one number, those of others another', () => {
  const inventory = inventoryOf();
  inventory.settle([seen(2000, 3000, { 1: A, 2: A })], ARMED);
  inventory.follow(buildBatch([update(4000, 1, B), create(4500, 3)]));
  const seqs = inventory.versions().map(({ seq }) => seq);
  expect(new Set(seqs).size).toBe(3);
  const [row] = rowsFor(inventory.versions(), () => [4000], 4000);
  expect([row?.lanes[7], row?.lanes[0]]).toEqual([SNAPSHOT_CPU, row?.seq]);
});

test('a gap makes objects unknown from there on, not before, and says how many', () => {
  const inventory = inventoryOf();
  inventory.settle([seen(2000, 3000, { 1: A, 2: A })], ARMED);
  inventory.follow(
    buildBatch([{ kind: 'gap', ts: 4000, lost: 9, until: 4500 }, create(4200, 3), create(5000, 4)]),
  );
  expect(existing(inventory, 3999)).toHaveLength(2);
  expect(existing(inventory, 4400)).toEqual([]);
  expect(existing(inventory, 6000)).toEqual([words(4, { nud: 0, mac: '00:00:00:00:00:00' })]);
  expect(inventory.notes).toEqual(['2 objects became unknown where events were lost']);
});

test('a dump that was asked for before a gap ended is not believed', () => {
  const { told, inventory } = settled(
    [{ kind: 'gap', ts: 2100, lost: 9, until: 2500 }],
    [seen(2000, 3000, { 1: A }), seen(2600, 3000, { 2: A })],
  );
  expect(told).toEqual([[2500, words(2, A)]]);
  expect(inventory.notes.join()).toContain('1 objects of it could not be placed');
});

test('a flood while the dump is awaited gives it up, and says so', () => {
  const inventory = inventoryOf();
  for (let round = 0; round < 70; round++)
    inventory.follow(buildBatch(Array.from({ length: 1000 }, (_, i) => timer(2000 + round, i % 250, 4))));
  expect(inventory.settle([seen(2000, 3000, { 1: A })], ARMED)).toEqual([]);
  expect(inventory.notes.join()).toContain('that is not known');
});

test('before the dump has come, that is said', () => {
  expect(inventoryOf().notes).toEqual(['what existed before recording was not known yet']);
});

test('versions survive the way to another thread', () => {
  const inventory = inventoryOf();
  inventory.settle([seen(2000, 3000, { 1: A, 2: B })], ARMED);
  inventory.follow(buildBatch([release(4000, 1)]));
  expect(unpackVersions(packVersions(inventory.versions()))).toEqual(inventory.versions());
});

test('an event that was refused changes nothing', () => {
  const inventory = inventoryOf();
  inventory.settle([seen(2000, 3000, { 1: A })], ARMED);
  inventory.follow(buildBatch([{ ...update(4000, 1, B), result: -1 }]));
  expect(existing(inventory, 5000)).toEqual([words(1, A)]);
});
