// A record made of values reads back as those values, whatever slots it takes.

import { expect, test } from 'vitest';
import { encodeRecord, stampRecord } from '../../../src/decode/encode-record.ts';
import { EventView } from '../../../src/decode/event-view.ts';
import { parseIp, parseMac } from '../../../src/decode/address.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { CONTINUATION, FLAG, SLOT_LANES, SNAPSHOT_CPU } from '../../../src/model/slot.ts';

const NEIGH = LAYOUTS.find(({ kind }) => kind === 'neigh_exists') as (typeof LAYOUTS)[number];
const FIELDS = {
  netns: 2n ** 40n + 3n,
  ifindex: 7,
  family: 10,
  nud: 0x80,
  ip: 'fd00::1:2',
  mac: '02:00:00:00:00:09',
};

test('fields, head and continuation', () => {
  const lanes = encodeRecord(NEIGH, { kind: 'neigh_exists', tid: 5, tgid: 4, fields: FIELDS }) as Uint32Array;
  stampRecord(lanes, 0, NEIGH.slots, 2 ** 40 + 9, 123_456_789_012_345);
  expect(lanes).toHaveLength(2 * SLOT_LANES);
  const view = new EventView().move(lanes, 0);
  expect(view.ref()).toEqual({
    cpu: SNAPSHOT_CPU,
    seq: 2 ** 40 + 9,
    ts: 123_456_789_012_345,
    kind: 'neigh_exists',
  });
  expect([view.tid, view.pid, view.slots, view.flags & FLAG.snapshot]).toEqual([5, 4, 2, FLAG.snapshot]);
  expect(view.u64('netns')).toBe(FIELDS.netns);
  expect(['ifindex', 'nud', 'ip', 'mac'].map((name) => view.text(name))).toEqual([
    '7',
    '128',
    'fd00::1:2',
    '02:00:00:00:00:09',
  ]);
  expect((lanes[SLOT_LANES + 1] as number) & CONTINUATION).not.toBe(0);
});

test.each([
  ['a number that its field is too small for', { nud: 256 }],
  ['a number where text belongs', { ip: 7 }],
  ['text where a number belongs', { ifindex: 'lo' }],
  ['a fraction', { ifindex: 1.5 }],
  ['an address that is none', { ip: '10.0.0.300' }],
])('%s makes no record', (_, wrong) => {
  expect(encodeRecord(NEIGH, { kind: 'neigh_exists', fields: { ...FIELDS, ...wrong } })).toBeNull();
});

test('text is cut, and ends with a NUL', () => {
  const comm = LAYOUTS.find(({ kind }) => kind === 'task_comm') as (typeof LAYOUTS)[number];
  const lanes = encodeRecord(comm, {
    kind: 'task_comm',
    fields: { comm: 'sixteen-characters' },
  }) as Uint32Array;
  expect(new EventView().move(lanes, 0).text('comm')).toBe('sixteen-charact');
});

test('addresses', () => {
  const hex = (text: string) => Buffer.from(parseIp(text) ?? []).toString('hex');
  expect(hex('10.1.2.3')).toBe('00000000000000000000ffff0a010203');
  expect(hex('::ffff:10.1.2.3')).toBe('00000000000000000000ffff0a010203');
  expect(hex('::')).toBe('0'.repeat(32));
  expect(hex('fd00::1')).toBe('fd000000000000000000000000000001');
  expect(hex('1:2:3:4:5:6:7:8')).toBe('00010002000300040005000600070008');
  for (const wrong of ['', '10.0.0', 'fe80::1%eth0', '1::2::3', 'x']) expect(parseIp(wrong)).toBeNull();
  expect(parseMac('02:00:00:00:00:0G')).toBeNull();
  expect(parseMac('02:00:00:00:00')).toBeNull();
});
