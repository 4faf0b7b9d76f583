// What `--object` takes, and which events concern the object.

import { describe, expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createMatcher, parseSelector, type Selector, selectorText } from '../../../src/report/selector.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, OBJECTS, T0, VIOLATION } from './story.ts';

const TABLE = createObjectTable(META.objects);

function concerns(text: string, event: EventSpec, objects = TABLE): boolean {
  const { lanes } = buildBatch([event]);
  return createMatcher(parseSelector(text) as Selector, objects)(new EventView().move(lanes, 0));
}

test.each([
  ['frame:0x16ce900@umem:3', 'frame:0x16ce900@umem:3'],
  ['frame 0x16ce900 of umem 3', 'frame:0x16ce900@umem:3'],
  ['frame:4096@umem:0', 'frame:0x1000@umem:0'],
  ['socket:4', 'socket:4'],
  ['queue 2', 'queue:2'],
  ['umem 3', 'umem:3'],
  ['neighbour:10.0.0.2', 'neighbour:10.0.0.2'],
  ['neighbour:10.0.0.2@5', 'neighbour:10.0.0.2@5'],
  ['neighbour:10.0.0.2@5:8193', 'neighbour:10.0.0.2@5:8193'],
  ['neighbour:fe80::1@5:8193', 'neighbour:fe80::1@5:8193'],
  ['neighbour 10.0.0.2 on ifindex 5 (netns 8193)', 'neighbour:10.0.0.2@5:8193'],
])('%s is %s', (text, normal) => {
  expect(selectorText(parseSelector(text) as Selector)).toBe(normal);
});

test.each(['', 'frame:0x1', 'frame:zz@umem:1', 'socket', 'socket:x', 'device:1', 'neighbour:'])(
  '"%s" is no object',
  (text) => {
    expect(parseSelector(text)).toBeUndefined();
  },
);

test("a violation's own words select its frame", () => {
  expect(selectorText(parseSelector(VIOLATION.object) as Selector)).toBe('frame:0x16ce000@umem:0');
});

describe('a frame', () => {
  test('is met by any address in its chunk, through queue and socket alike', () => {
    for (const object of [1, 2, 3, 4])
      expect(
        concerns('frame:0x16ce010@umem:0', { kind: 'xsk_comp_submit', ts: T0, object, addr: 0x16cefff }),
      ).toBe(true);
    expect(
      concerns('frame:0x16ce010@umem:0', { kind: 'xsk_comp_submit', ts: T0, object: 1, addr: 0x16cf000 }),
    ).toBe(false);
    expect(concerns('frame:0x16ce010@umem:0', { kind: 'xsk_wakeup', ts: T0, object: 2, reason: 1 })).toBe(
      false,
    );
  });

  test('of an unaligned umem is met with the offset in the upper bits', () => {
    const unaligned = createObjectTable(
      OBJECTS.map((entry) => (entry.type === 'umem' ? { ...entry, flags: 1 } : entry)),
    );
    const addr = 0x16ce000n | (0x100n << 48n);
    expect(
      concerns('frame:0x16ce000@umem:0', { kind: 'xsk_rx_write', ts: T0, object: 2, addr }, unaligned),
    ).toBe(true);
  });

  test('outside its umem is met where exactly that address was put into a ring', () => {
    const poison = 0xdeadbeefdeadbeefn;
    const selector = 'frame:0xdeadbeefdeadbeef@umem:0';
    expect(concerns(selector, { kind: 'xsk_rx_write', ts: T0, object: 2, addr: poison })).toBe(true);
    expect(concerns(selector, { kind: 'xsk_rx_write', ts: T0, object: 2, addr: poison + 1n })).toBe(false);
  });
});

test('a socket is met wherever a field names it', () => {
  expect(concerns('umem:0', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(true);
  expect(concerns('socket:4', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(true);
  expect(concerns('socket:2', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(false);
});

test('a queue has its sockets, a umem all that uses it', () => {
  const write = { kind: 'xsk_rx_write', ts: T0, object: 2, addr: 0x1000 };
  expect(concerns('queue:1', write)).toBe(true);
  expect(concerns('queue:3', write)).toBe(false);
  expect(concerns('umem:0', write)).toBe(true);
  expect(concerns('socket:2', { kind: 'xsk_drop', ts: T0, object: 1, reason: 1 })).toBe(false);
});

test('a neighbour is met by address, and by device and namespace if given', () => {
  const event = { kind: 'neigh_release', ts: T0, netns: 8193, ifindex: 5, family: 2, ip: '10.0.0.2' };
  expect(concerns('neighbour:10.0.0.2', event)).toBe(true);
  expect(concerns('neighbour:10.0.0.2@5:8193', event)).toBe(true);
  expect(concerns('neighbour:10.0.0.2@6', event)).toBe(false);
  expect(concerns('neighbour:10.0.0.2@5:1', event)).toBe(false);
  expect(concerns('neighbour:10.0.0.3', event)).toBe(false);
});

test('an object that is not there is refused with those that are', () => {
  expect(() => concerns('queue:7', { kind: 'xsk_flush', ts: T0 })).toThrow(
    'This recording has no queue:7; it has queue 1, 3.',
  );
  expect(() => concerns('socket:7', { kind: 'xsk_flush', ts: T0 }, createObjectTable([]))).toThrow(
    'no socket at all',
  );
});
