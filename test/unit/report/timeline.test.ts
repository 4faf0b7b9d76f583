// An object's life as a picture, exactly.

import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { collectLife, type LifeOptions } from '../../../src/report/life.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { parseSelector, type Selector } from '../../../src/report/selector.ts';
import { createThreadNames } from '../../../src/report/threads.ts';
import { timeline } from '../../../src/report/timeline.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, story, T0, VIOLATION } from './story.ts';

const KNOWN = { objects: createObjectTable(META.objects), threads: createThreadNames(META.threads) };
const PLAIN = createPalette(false);

function lifeOf(object: string, events?: readonly EventSpec[], options?: LifeOptions) {
  return collectLife(
    [events ? buildBatch(events) : story()],
    parseSelector(object) as Selector,
    KNOWN,
    options,
  );
}

test('a frame wanders over the CPUs and ends at the violation', () => {
  const life = lifeOf(VIOLATION.object, undefined, { violation: VIOLATION });
  expect(timeline(life, { palette: PLAIN, violation: VIOLATION }).join('\n')).toBe(
    `
frame 0x16ce000 of umem 0   7 events, 1.87ms, 2 CPUs

      time   after  move     CPU 0   1     thread              where
   -1.87ms          FILL         ●         xsk-forwarder-4711  outer q1 netns 8193  since -12.3µs
   -1.85ms  20.0µs  take         ╰───●     <idle>-0
   -1.85ms  1.50µs  RX               ●     <idle>-0                                 len=60
   -1.84ms  8.50µs  publish          ●     <idle>-0                                 len=60
   -1.78ms  60.0µs  TX           ◆───╯     xsk-forwarder-4711  inner q0 netns 1     len=60 since -19.0µs
   -1.78ms  1.20µs  send         ●         xsk-forwarder-4711
  ### 1234 events lost on CPU 1 (overwritten before they were read) ###
         0  1.78ms  RX           ╰───✗     ksoftirqd/1-21      outer q1 netns 8193  len=60 flags=urgent

  ✗ xsk.ownership
    frame 0x16ce000 of umem 0 went from TX to RX on outer q1 (netns 8193) without passing COMP and FILL`.slice(
      1,
    ),
  );
});

test('in colour, the violation is red and the rest reads the same', () => {
  const coloured = timeline(lifeOf(VIOLATION.object, undefined, { violation: VIOLATION }), {
    palette: createPalette(true),
    violation: VIOLATION,
  });
  const plain = timeline(lifeOf(VIOLATION.object, undefined, { violation: VIOLATION }), {
    palette: PLAIN,
    violation: VIOLATION,
  });
  expect(coloured.join('\n')).toContain('\x1b[31m✗');
  expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(plain);
});

test('events alike in a row are one row with their number', () => {
  const polls = Array.from({ length: 5 }, (_, i) => ({
    kind: 'xsk_wakeup',
    ts: T0 + i * 1000,
    tid: 4711,
    object: 2,
    reason: 3,
  }));
  const rows = timeline(
    lifeOf('socket:2', [...polls, { kind: 'xsk_release', ts: T0 + 9000, tid: 4711, object: 2 }]),
    { palette: PLAIN },
  );
  expect(rows.slice(3)).toEqual([
    '   -9.00µs          wakeup       ●     xsk-forwarder-4711  outer q1 netns 8193  ×5 in 4.00µs',
    '         0  5.00µs  release      ●     xsk-forwarder-4711',
  ]);
  expect(rows[0]).toBe('socket 2   6 events, 9.00µs, 1 CPU');
});

test('the events behind a violation are never folded, and are there even if they concern others', () => {
  const polls = Array.from({ length: 4 }, (_, i) => ({
    kind: 'xsk_wakeup',
    ts: T0 + i * 1000,
    tid: 4711,
    object: 2,
    reason: 3,
  }));
  const ref = (seq: number, kind: string) => ({ cpu: 0, seq, ts: T0 + (seq - 1) * 1000, kind });
  const told = [
    ...polls.slice(0, 3),
    { kind: 'xsk_flush', ts: T0 + 2500, tid: 4711, object: 3 },
    ...polls.slice(3),
  ];
  const evidence = [ref(1, 'xsk_wakeup'), ref(4, 'xsk_flush'), ref(5, 'xsk_wakeup')];
  const life = lifeOf('socket:2', told, { violation: { ...VIOLATION, at: ref(5, 'xsk_wakeup'), evidence } });
  expect(life.events.map(({ ref: { kind }, times, behind }) => [kind, times, behind])).toEqual([
    ['xsk_wakeup', 1, true],
    ['xsk_wakeup', 2, false],
    ['xsk_flush', 1, true],
    ['xsk_wakeup', 1, true],
  ]);
});

test('of a long life the end is shown, and how much went before', () => {
  const moves = Array.from({ length: 100 }, (_, i) => ({
    kind: i % 2 ? 'xsk_fill_take' : 'xsk_fill_submit',
    ts: T0 + i * 1000,
    object: 1,
    position: i >> 1,
    addr: 0x1000,
    since: T0,
  }));
  const rows = timeline(lifeOf('frame:0x1000@umem:0', moves), { palette: PLAIN });
  expect(rows[0]).toBe('frame 0x1000 of umem 0   the last 14 of 100 events, 13.0µs, 1 CPU');
  expect(rows).toHaveLength(17);
});

test('three CPUs are crossed, thirteen are only numbered', () => {
  const at = (cpu: number, i: number) => ({
    kind: 'xsk_flush',
    ts: T0 + i * 1000,
    cpu,
    tid: 4711,
    object: 1,
  });
  const rows = timeline(lifeOf('queue:1', [at(0, 0), at(5, 1), at(2, 2), at(0, 3)]), { palette: PLAIN });
  expect(rows.slice(2).map((row) => row.slice(19, 43).trimEnd())).toEqual([
    ' move   CPU 0   2   5',
    ' flush      ●',
    ' flush      ╰───────●',
    ' flush          ●───╯',
    ' flush      ●───╯',
  ]);
  const many = timeline(
    lifeOf(
      'queue:1',
      Array.from({ length: 13 }, (_, i) => at(i, i)),
    ),
    { palette: PLAIN },
  );
  expect(many.at(-1)).toContain('● 12');
});

test('an object that nothing happened to says so', () => {
  expect(timeline(lifeOf('frame:0x5000@umem:0'), { palette: PLAIN })).toEqual([
    'frame 0x5000 of umem 0: no event in this recording concerns it',
  ]);
});

test("a neighbour's life tells its states", () => {
  const event = { ts: T0, netns: 1, ifindex: 7, family: 2, ip: '10.0.0.2', mac: '02:00:00:00:00:01' };
  const rows = timeline(
    lifeOf('neighbour:10.0.0.2', [
      { ...event, kind: 'neigh_create' },
      { ...event, kind: 'neigh_update_done', ts: T0 + 1000, nud: 2 },
    ]),
    { palette: PLAIN },
  );
  expect(rows[0]).toBe('neighbour 10.0.0.2   2 events, 1.00µs, 1 CPU');
  expect(rows.at(-2)).toContain('inner netns 1');
  expect(rows.at(-1)).toContain('update_done');
  expect(rows.at(-1)).toContain('nud=REACHABLE mac=02:00:00:00:00:01 result=0');
});
