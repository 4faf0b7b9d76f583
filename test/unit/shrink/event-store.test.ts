// Events in memory of bounded size: what is named stays whatever comes, what is related longer than the rest.

import { expect, it } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { FLAG, SLOT_LANES } from '../../../src/model/slot.ts';
import { EventStore, RANK, type Rank } from '../../../src/shrink/event-store.ts';
import { viewsOf } from '../../../src/shrink/result.ts';
import { buildBatch, type EventSpec } from '../batch.ts';

function fill(store: EventStore, events: readonly EventSpec[], rankOf: (event: EventView) => Rank): void {
  for (const event of viewsOf(buildBatch(events)))
    store.add(event.lanes, event.at, event.slots, rankOf(event), 0);
}

/** Every fifth is of two slots. */
function numbered(count: number): EventSpec[] {
  return Array.from({ length: count }, (_, i) =>
    i % 5 === 0
      ? { kind: 'mark_set', ts: i, value: i }
      : { kind: 'xsk_rx_write', ts: i, object: 1, position: i, addr: 0x1000 },
  );
}

function timesOf(store: EventStore): number[] {
  const all = Array.from({ length: store.length }, (_, event) => event);
  return Array.from(viewsOf(store.batchOf(all)), ({ ts }) => ts);
}

it('gives any of its events, in order', () => {
  const store = new EventStore(1000);
  fill(store, numbered(100), () => RANK.other);
  const { lanes, slots } = store.batchOf([0, 3, 4, 5, 99]);
  expect(Array.from(viewsOf({ lanes, slots }), ({ ts, slots: size }) => [ts, size])).toEqual([
    [0, 2],
    [3, 1],
    [4, 1],
    [5, 2],
    [99, 1],
  ]);
  expect(lanes.length).toBe(7 * SLOT_LANES);
  expect(store.batchOf([])).toMatchObject({ slots: 0 });
});

it('sets flags in its copy only', () => {
  const batch = buildBatch(numbered(2));
  const store = new EventStore(10);
  store.add(batch.lanes, 0, 2, RANK.other, FLAG.cut);
  expect([...viewsOf(store.batchOf([0]))][0]?.flags).toBe(FLAG.cut | 1);
  expect(new EventView().move(batch.lanes, 0).flags).toBe(1);
});

it('drops old events when it is full, related ones last and named ones never', () => {
  const store = new EventStore(300);
  const rankOf = ({ ts }: EventView): Rank =>
    ts === 7 || ts === 1500 ? RANK.named : ts % 50 === 1 ? RANK.related : RANK.other;
  fill(store, numbered(3000), rankOf);
  const times = timesOf(store);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times).toContain(7);
  expect(times).toContain(1500);
  expect(times.at(-1)).toBe(2999);
  expect(times.slice(0, 20).filter((ts) => ts % 50 === 1).length).toBeGreaterThan(10);
  expect(store.dropped).toBe(3000 - store.length);
  expect(store.lanes.length).toBeLessThanOrEqual(4096 * SLOT_LANES);
});

it('drops even related events when there are too many of them', () => {
  const store = new EventStore(300);
  fill(store, numbered(3000), ({ ts }) => (ts === 7 ? RANK.named : RANK.related));
  const times = timesOf(store);
  expect(times[0]).toBe(7);
  expect(times[1]).toBeGreaterThan(2500);
  expect(times.at(-1)).toBe(2999);
});
