// Columns of a recording: their names, their order, and the places of their values in the slots.

import { expect, test } from 'vitest';
import { slotByte } from '../../../src/model/slot.ts';
import { checkLayouts, planColumns } from '../../../src/recording/columns.ts';
import { LAYOUTS, layout } from './sample.ts';

test('bytes of a record beyond its first slot lie behind the heads of the slots that follow', () => {
  expect([0, 63, 64, 119, 120, 175, 176].map(slotByte)).toEqual([0, 63, 72, 127, 136, 191, 200]);
});

test('the common columns come first, then one column for each name and type', () => {
  expect(planColumns(LAYOUTS).columns.map(({ name }) => name)).toEqual([
    'seq',
    'ts',
    'cpu',
    'tid',
    'pid',
    'comm',
    'netns',
    'path',
    'kind',
    'flags',
    'ifindex',
    'queue',
    'device',
    'lost',
    'reason',
    'bank',
    'family',
    'nud',
    'new_nud',
    'ip',
    'mac',
    'neigh_result',
    'object',
    'xsk_bind_result',
    'name',
    'xsk_comm',
    'position',
    'addr',
    'since',
    'len',
    'xsk_rx_publish_result',
  ]);
});

test('a name with two types is told apart by path, and inside one path by kind', () => {
  const layouts = [
    layout('a_one', 0, 'a', { value: 'u64', same: 'u32' }),
    layout('b_one', 1, 'b', { value: 'u32', same: 'u32' }),
    layout('c_one', 2, 'c', { other: 'u16', ts: 'ns' }),
    layout('c_two', 3, 'c', { other: 'ns', netns: 'u32' }),
  ];
  expect(
    planColumns(layouts)
      .columns.slice(13)
      .map(({ name }) => name),
  ).toEqual(['a_value', 'same', 'b_value', 'c_one_other', 'c_ts', 'c_two_other', 'c_netns']);
});

test('padding is no column', () => {
  const names = planColumns([layout('k', 0, 'p', { pad: 'u32', pad0: 'u64', kept: 'u8' })]).columns.map(
    ({ name }) => name,
  );
  expect(names.slice(13)).toEqual(['kept']);
});

const good = layout('k', 1, 'p', { a: 'u32', b: 'u64' });
test.each([
  ['two kinds of one name', [good, { ...good, number: 2 }]],
  ['two kinds of one number', [good, { ...good, kind: 'other' }]],
  ['a number that is no u15', [{ ...good, number: 0x8000 }]],
  ['a wrong number of slots', [{ ...good, slots: 2 }]],
  ['a record larger than sixteen slots', [{ ...good, size: 1000, slots: 18 }]],
  [
    'a field beyond the record',
    [{ ...good, fields: [{ name: 'a', type: 'u32' as const, offset: 64, size: 4 }] }],
  ],
  [
    'a field that is not aligned',
    [{ ...good, fields: [{ name: 'a', type: 'u32' as const, offset: 33, size: 4 }] }],
  ],
  [
    'a field of an odd size',
    [{ ...good, fields: [{ name: 'a', type: 'u32' as const, offset: 32, size: 3 }] }],
  ],
  [
    'a MAC address of 16 bytes',
    [{ ...good, fields: [{ name: 'a', type: 'mac' as const, offset: 32, size: 16 }] }],
  ],
  [
    'a field name that an object reserves',
    [{ ...good, fields: [{ name: '__proto__', type: 'u32' as const, offset: 32, size: 4 }] }],
  ],
  ['a path that is no name', [{ ...good, path: '1' }]],
  ['two fields of one name', [{ ...good, fields: [...good.fields, ...good.fields] }]],
])('%s is refused', (_what, layouts) => {
  expect(() => checkLayouts(layouts)).toThrow(expect.objectContaining({ code: 'BAD_LAYOUT' }));
});
