// A hole in one path's history concerns only the invariants that get events of that path.

import { expect, test } from 'vitest';
import { Checker } from '../../../src/check/checker.ts';
import { defineInvariant } from '../../../src/check/invariant.ts';
import { type Batch, HEAD, SLOT_LANES } from '../../../src/model/slot.ts';
import { buildBatch, type EventSpec, ObjectTableInMemory } from '../batch.ts';

/** Notes what it sees, as `kind@ts`, and a `gap` wherever its history is interrupted. */
function noting(name: string, needs: readonly string[]) {
  const seen: string[] = [];
  const invariant = defineInvariant({
    name,
    claim: 'Whatever comes is noted.',
    object: '(event)',
    source: 'this test',
    needs,
    start: () => ({
      step: (event) => void seen.push(`${event.kind}@${event.ts}`),
      gap: () => void seen.push('gap'),
    }),
  });
  return { invariant, seen };
}

const gap = (share: string, ts: number, until: number, lost = 5): EventSpec => ({
  kind: 'gap',
  ts,
  share,
  until,
  lost,
});
const neigh = (ts: number, cpu = 0): EventSpec => ({ kind: 'neigh_update', ts, cpu });
const task = (ts: number, cpu = 0): EventSpec => ({ kind: 'task_comm', ts, cpu });

const EVENTS: readonly EventSpec[] = [
  neigh(10),
  task(20),
  gap('neigh', 30, 60),
  task(30),
  neigh(40, 1),
  task(50),
  task(60),
  neigh(60),
  neigh(70),
];

function run(events: readonly EventSpec[], cut = events.length) {
  const neighbours = noting('test.neigh', ['neigh_update']);
  const names = noting('test.task', ['task_comm']);
  const both = noting('test.both', ['task_comm', 'neigh_update']);
  const checker = new Checker(
    [neighbours, names, both].map(({ invariant }) => invariant),
    new ObjectTableInMemory(),
  );
  const whole = buildBatch(events);
  const slotsBefore = buildBatch(events.slice(0, cut)).slots;
  const part = (from: number, to: number): Batch => ({
    lanes: whole.lanes.slice(from * SLOT_LANES, to * SLOT_LANES),
    slots: to - from,
  });
  checker.check(part(0, slotsBefore));
  checker.check(part(slotsBefore, whole.slots));
  return { neighbours: neighbours.seen, names: names.seen, both: both.seen, checker };
}

test.each(EVENTS.map((_, cut) => cut))('cut into batches behind %i events', (cut) => {
  const { neighbours, names, both, checker } = run(EVENTS, cut);
  // From the gap until 60 neighbour events of some CPU are missing: those of the others can't be judged.
  expect(neighbours).toEqual(['neigh_update@10', 'gap', 'neigh_update@60', 'neigh_update@70']);
  expect(names).toEqual(['task_comm@20', 'task_comm@30', 'task_comm@50', 'task_comm@60']);
  // Half of what it needs is no basis for a judgement either.
  expect(both).toEqual([
    'neigh_update@10',
    'task_comm@20',
    'gap',
    'task_comm@60',
    'neigh_update@60',
    'neigh_update@70',
  ]);
  expect(checker.lost).toBe(5);
  expect([...checker.lostOf]).toEqual([['neigh', 5]]);
});

test('a gap of an old recording, which names no path, and one of a path unknown here concern everybody', () => {
  for (const share of ['', 'unknown']) {
    const { names, both } = run([task(10), gap(share, 20, 40), task(30, 1), task(50)]);
    expect(names).toEqual(['task_comm@10', 'gap', 'task_comm@50']);
    expect(both).toEqual(names);
  }
});

test('gaps of two paths at once end each at its own time', () => {
  const { neighbours, names, both } = run([
    neigh(5),
    task(6),
    gap('neigh', 10, 40),
    gap('task', 10, 20),
    task(15, 1),
    task(20),
    neigh(30, 1),
    neigh(40),
    task(50),
  ]);
  expect(neighbours).toEqual(['neigh_update@5', 'gap', 'neigh_update@40']);
  expect(names).toEqual(['task_comm@6', 'gap', 'task_comm@20', 'task_comm@50']);
  expect(both).toEqual(['neigh_update@5', 'task_comm@6', 'gap', 'neigh_update@40', 'task_comm@50']);
});

test('who knows nothing yet has nothing to forget', () => {
  const { names, checker } = run([gap('task', 10, 20), task(20), task(30)]);
  expect(names).toEqual(['task_comm@20', 'task_comm@30']);
  expect(checker.counts()['test.task']).toMatchObject({ checked: 2, unknown: 0 });
});

test('the positions of shared rings survive the gap of another path', () => {
  const submit = (ts: number, position: number): EventSpec => ({ kind: 'xsk_fill_submit', ts, position });
  const events = [submit(10, 7), gap('neigh', 11, 12), submit(13, 7), gap('xsk', 14, 15), submit(16, 7)];
  const batch = buildBatch(events);
  const checker = new Checker([], new ObjectTableInMemory());
  checker.check(batch);
  expect(checker.positions.repeated).toBe(1);
  // Repeated is marked at the event itself.
  const repeated = events.map(
    (_, slot) => (batch.lanes[slot * SLOT_LANES + HEAD.kindFlags] as number) & 0x8000,
  );
  expect(repeated.map((flag) => flag !== 0)).toEqual([false, false, true, false, false]);
});
