// A query finds the same events of an object as `show --object`, for every form and every kind of event.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import type { FieldLayout } from '../../../src/model/layout.ts';
import type { ObjectEntry } from '../../../src/model/objects.ts';
import { SLOT_LANES } from '../../../src/model/slot.ts';
import { concerning, type ObjectRows } from '../../../src/query/object-condition.ts';
import { openQuery } from '../../../src/query/query.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createMatcher, parseSelector, type Selector } from '../../../src/report/selector.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { metaOf, recordingFolder } from '../cli/recordings.ts';
import { OBJECTS } from '../report/story.ts';

/** Few values, so that events meet by chance. */
const POOL: Readonly<Record<string, readonly (number | bigint | string)[]>> = {
  ip: ['192.0.2.1', '192.0.2.2', '10.0.0.2'],
  mac: ['02:42:0a:00:10:0b', '02:42:0a:00:10:0c', '00:00:00:00:00:00'],
  netns: [1, 4, 8193],
  ifindex: [2, 4, 7],
  object: [0, 1, 2, 3, 4],
  umem_addr: [0x1000, 0x1100, 0x2000, 0x16ce000, 0xdeadbeefdeadbeefn],
  tid: [1, 2],
  pid: [1, 2],
  vni: [0, 4097, 4098],
  spi: [0x1001, 0x1002],
  cookie: [5, 6],
  result: [0],
};

/** Mulberry32. */
function* numbers(seed: number): Generator<number, never, undefined> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    yield (mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61))) >>> 1;
  }
}

function chanceEvents(perKind: number): EventSpec[] {
  const chance = numbers(7);
  const pick = <T>(values: readonly T[]): T => values[chance.next().value % values.length] as T;
  const value = ({ name, type, size }: FieldLayout): number | bigint | string => {
    const pool = POOL[name] ?? POOL[type];
    if (pool) return pick(pool);
    if (['comm', 'name', 'text', 'path'].includes(type)) return 'x';
    return pick(size === 1 ? [0, 1, 24, 32] : [0, 1, 3, 73]);
  };
  return LAYOUTS.filter(({ kind }) => kind !== 'gap').flatMap(({ kind, fields }) =>
    Array.from(
      { length: perKind },
      (_, i): EventSpec => ({
        kind,
        ts: 1000 + i,
        tid: pick([1, 2, 3]),
        ...Object.fromEntries(
          fields.filter(({ offset }) => offset >= 32).map((field) => [field.name, value(field)]),
        ),
      }),
    ),
  );
}

const SELECTORS = [
  'frame:0x1000@umem:0',
  'frame:0x16ce100@umem:0',
  'frame:0xdeadbeefdeadbeef@umem:0',
  'socket:2',
  'queue:3',
  'umem:0',
  'neighbour:192.0.2.1',
  'neighbour:192.0.2.1@4',
  'neighbour:10.0.0.2@4:8193',
  'fdb:02:42:0a:00:10:0b',
  'fdb:02:42:0a:00:10:0b@4:1',
  'vni:4097',
  'vni:4098@netns:4',
  'device:4',
  'device:4:8193',
  'device:2:1',
  'address:192.0.2.2',
  'address:192.0.2.1,192.0.2.2',
  'address:192.0.2.2@netns:4',
  'address:192.0.2.2@7:1',
  'netns:8193',
  'netns:4',
  'thread:1',
  'iterator:5',
  'iterator:5@cookie:6',
  'cookie:6',
  'sa:0x1001',
  'sa:0x1001@192.0.2.1',
  'sa:0x1001@192.0.2.1@netns:4',
  'policy:73',
  'policy:73@netns:1',
  'policy:192.0.2.1/24-192.0.2.2/32',
];

async function compare(file: string, selectors: readonly string[]): Promise<void> {
  const recording = await openRecording(file);
  const objects = createObjectTable(recording.meta.objects);
  using query = await openQuery(file);
  const rows = await query.rows<ObjectRows>('SELECT * FROM objects');
  for (const text of selectors) {
    const selector = parseSelector(text) as Selector;
    const matches = createMatcher(selector, objects);
    const expected: string[] = [];
    const event = new EventView();
    for (const { lanes, slots } of recording.batches())
      for (let at = 0; at < slots * SLOT_LANES; at += event.slots * SLOT_LANES) {
        event.move(lanes, at);
        if (event.kind !== 'gap' && matches(event)) expected.push(`${event.kind} ${event.cpu} ${event.seq}`);
      }
    const found = await query.rows<{ place: string }>(
      `SELECT kind || ' ' || cpu || ' ' || seq AS place FROM events WHERE ${concerning(selector, rows)} AND kind <> 'gap'`,
    );
    expect(found.map(({ place }) => place).sort(), text).toEqual(expected.sort());
    // A form that meets nothing would prove nothing.
    expect(expected.length, text).toBeGreaterThan(0);
  }
}

test.each([
  ['aligned', 0],
  ['unaligned', 1],
])('all forms, with frames of %s chunks', async (_, flags) => {
  using folder = recordingFolder();
  const file = join(folder.path, 'all.parquet');
  const objects = OBJECTS.map((entry): ObjectEntry => (entry.type === 'umem' ? { ...entry, flags } : entry));
  const batch = buildBatch(chanceEvents(150));
  writeParquet({ meta: { ...metaOf([]), objects }, batches: [batch] }, file);
  await compare(file, SELECTORS);
});

test.each(['bind-collision', 'double-fill', 'poison'])('what broke in %s', async (name) => {
  const file = `recordings/${name}.parquet`;
  const { meta } = await openRecording(file);
  const queues = meta.objects.map(({ type, index }) => `${type}:${index}`);
  await compare(file, [...meta.violations.map(({ object }) => object), ...queues.slice(0, 4)]);
});
