// --last keeps so many events of each path, whatever the others do, and says where a path's history begins.

import { expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { type Batch, SLOT_LANES } from '../../../src/model/slot.ts';
import { lastRecords } from '../../../src/record/window.ts';
import { BatchBuilder, type EventSpec } from '../batch.ts';

/** In batches of so many events. */
function batchesOf(events: readonly EventSpec[], size: number): Batch[] {
  const builder = new BatchBuilder();
  const batches: Batch[] = [];
  for (let i = 0; i < events.length; i += size) batches.push(builder.build(events.slice(i, i + size)));
  return batches;
}

function textsOf(batches: Iterable<Batch>): string[] {
  const view = new EventView();
  const texts: string[] = [];
  for (const { lanes, slots } of batches)
    for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
      view.move(lanes, at);
      const about =
        view.kind === 'gap' ? ` ${view.text('share')} r${view.u32('reason')} <${view.u53('until')}` : '';
      texts.push(`${view.kind}${about}@${view.ts}`);
    }
  return texts;
}

const flood: EventSpec[] = [
  { kind: 'task_comm', ts: 5 },
  { kind: 'neigh_update', ts: 10 },
  { kind: 'task_comm', ts: 15 },
  ...Array.from({ length: 40 }, (_, i): EventSpec => ({ kind: 'neigh_update', ts: 20 + i, cpu: i & 1 })),
  { kind: 'task_comm', ts: 70 },
];

test.each([1, 3, 7, 100])('a flood of one path leaves the others, in batches of %i', (size) => {
  const batches = batchesOf(flood, size);
  expect(textsOf(lastRecords(() => batches, 4, 1000))).toEqual([
    'gap neigh r4 <56@5',
    'task_comm@5',
    'task_comm@15',
    ...[56, 57, 58, 59].map((ts) => `neigh_update@${ts}`),
    'task_comm@70',
  ]);
});

test('nothing to cut: the records up to the end of the window, as they are', () => {
  const batches = batchesOf(flood, 8);
  expect(textsOf(lastRecords(() => batches, 100, 1000))).toEqual(textsOf(batches));
  expect(textsOf(lastRecords(() => batches, 100, 15))).toEqual([
    'task_comm@5',
    'neigh_update@10',
    'task_comm@15',
  ]);
});

test('what came after the end of the window pushes nothing out', () => {
  const batches = batchesOf(flood, 8);
  expect(textsOf(lastRecords(() => batches, 1, 21))).toEqual([
    'gap neigh r4 <21@15',
    'task_comm@15',
    'neigh_update@21',
  ]);
});

test('the gap takes the place of the last event that was cut', () => {
  const batches = batchesOf(flood, 8);
  const all = new Set<string>();
  const view = new EventView();
  for (const { lanes, slots } of lastRecords(() => batches, 4, 1000))
    for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
      view.move(lanes, at);
      const place = `${view.cpu} ${view.seq}`;
      expect(all).not.toContain(place);
      all.add(place);
    }
});

test('gaps stay where something is left that they are about', () => {
  const gap = (share: string, ts: number, until: number): EventSpec => ({
    kind: 'gap',
    ts,
    share,
    until,
    reason: 1,
    cpu: 2,
  });
  const batches = batchesOf(
    [
      { kind: 'neigh_update', ts: 10 },
      gap('neigh', 11, 15),
      { kind: 'task_comm', ts: 12 },
      { kind: 'neigh_update', ts: 15 },
      // Of CPU 2 neighbour events are missing until 40: those kept of CPU 0 are not all there were.
      gap('neigh', 16, 40),
      { kind: 'neigh_update', ts: 20 },
      { kind: 'neigh_update', ts: 30 },
      gap('task', 31, 33),
      { kind: 'neigh_update', ts: 40, cpu: 2 },
    ],
    4,
  );
  expect(textsOf(lastRecords(() => batches, 2, 1000))).toEqual([
    'gap neigh r4 <30@12',
    'task_comm@12',
    'gap neigh r1 <40@16',
    'neigh_update@30',
    'gap task r1 <33@31',
    'neigh_update@40',
  ]);
});
