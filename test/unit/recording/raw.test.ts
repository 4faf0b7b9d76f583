// Raw recordings: whole, unfinished, damaged, shortened.

import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { openRecording } from '../../../src/recording/open.ts';
import { beginRaw, RAW_HEADER_BYTES, readRaw } from '../../../src/recording/raw.ts';
import {
  batchOf,
  kindOf,
  lanesOf,
  LAYOUTS,
  layout,
  META,
  sameLanes,
  sampleEvents,
  scratchFolder,
  slotsOf,
} from './sample.ts';

function save(path: string, records: readonly Uint32Array[]): Uint32Array {
  const { lanes, slots } = batchOf(records);
  const raw = beginRaw(path);
  writeSync(raw.fd, new Uint8Array(lanes.buffer), 0, lanes.byteLength, RAW_HEADER_BYTES);
  raw.finish(slots, META);
  return lanes;
}

test('a raw recording gives back its slots and its description', async () => {
  using folder = scratchFolder();
  const path = folder.file('a.raw');
  const lanes = save(path, sampleEvents());
  const recording = await openRecording(path, { layouts: LAYOUTS });
  expect(recording).toMatchObject({ form: 'raw', meta: META, rows: 5, damage: null });
  expect(lanesOf(recording.batches())).toEqual(lanes);
});

test('the header is where the shim and other readers expect it', () => {
  using folder = scratchFolder();
  save(folder.file('a.raw'), sampleEvents());
  const bytes = readFileSync(folder.file('a.raw'));
  expect(bytes.toString('latin1', 0, 8)).toBe('FLRING01');
  expect(bytes.readUInt32LE(8)).toBe(64);
  expect(Number(bytes.readBigUInt64LE(16))).toBe(7);
  expect(Number(bytes.readBigUInt64LE(24))).toBe(bytes.length);
  expect(statSync(folder.file('a.raw')).mode & 0o777).toBe(0o600);
});

test('nothing is called by its name before it is whole', () => {
  using folder = scratchFolder();
  const raw = beginRaw(folder.file('a.raw'));
  writeSync(raw.fd, Buffer.alloc(64), 0, 64, RAW_HEADER_BYTES);
  expect(readdirSync(folder.path)).toEqual(['a.raw.part']);
  expect(() => readRaw(folder.file('a.raw.part'))).toThrow(expect.objectContaining({ code: 'BAD_HEADER' }));
  raw.discard();
  expect(readdirSync(folder.path)).toEqual([]);
});

test('what a killed recorder left behind is replaced', () => {
  using folder = scratchFolder();
  writeFileSync(folder.file('a.raw.part'), 'half');
  save(folder.file('a.raw'), sampleEvents());
  expect(existsSync(folder.file('a.raw.part'))).toBe(false);
});

test('records are never split over two batches', () => {
  using folder = scratchFolder();
  const one = slotsOf({ kind: kindOf('xsk_fill_take') });
  const two = slotsOf({ kind: kindOf('neigh_update') });
  const records = [...Array<Uint32Array>(65_535).fill(one), two, one];
  const lanes = save(folder.file('a.raw'), records);
  const recording = readRaw(folder.file('a.raw'));
  expect(recording.rows).toBe(65_537);
  expect(Array.from(recording.batches(), ({ slots }) => slots)).toEqual([65_535, 3]);
  expect(sameLanes(lanesOf(recording.batches()), lanes)).toBe(true);
});

test('damage among the slots: what is in front of it can be read', () => {
  using folder = scratchFolder();
  const path = folder.file('a.raw');
  const lanes = save(path, Array<Uint32Array>(3000).fill(slotsOf({ kind: kindOf('xsk_fill_take') })));
  const bytes = readFileSync(path);
  const place = RAW_HEADER_BYTES + 1500 * 64;
  bytes[place] = (bytes[place] as number) ^ 1;
  writeFileSync(path, bytes);
  const recording = readRaw(path);
  expect(recording.damage).toEqual({
    offset: RAW_HEADER_BYTES + 65_536,
    message: 'the file is damaged between byte 69632 and 135168',
    rowsReadable: 1024,
  });
  expect(sameLanes(lanesOf(recording.batches()), lanes.subarray(0, 1024 * 16))).toBe(true);
});

test('a file with bytes missing or added is refused with both sizes', () => {
  using folder = scratchFolder();
  const path = folder.file('a.raw');
  save(path, sampleEvents());
  const { size } = statSync(path);
  truncateSync(path, size - 1);
  expect(() => readRaw(path)).toThrow(`it has ${size - 1} bytes, should have ${size}`);
  appendFileSync(path, 'xx');
  expect(() => readRaw(path)).toThrow(`it has ${size + 1} bytes, should have ${size}`);
  truncateSync(path, 100);
  expect(() => readRaw(path)).toThrow('is 100 bytes long, shorter than');
});

test('slots that are no whole record are left out and counted', async () => {
  using folder = scratchFolder();
  const two = slotsOf({ kind: kindOf('neigh_update') });
  const later = slotsOf({ kind: layout('later', 90, 'xsk', {}) });
  save(folder.file('a.raw'), [two.subarray(16), later, ...sampleEvents(), two.subarray(0, 16), later]);
  const recording = await openRecording(folder.file('a.raw'), { layouts: LAYOUTS });
  expect(sameLanes(lanesOf(recording.batches()), batchOf(sampleEvents()).lanes)).toBe(true);
  expect([...recording.unknownKinds]).toEqual([['no record', 4]]);
});
