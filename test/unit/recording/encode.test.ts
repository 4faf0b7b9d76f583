// Parquet encodings against literal bytes.

import { expect, test } from 'vitest';
import { createCursor, decodeDelta, decodeHybrid, decodeLevels } from '../../../src/recording/decode.ts';
import {
  createSink,
  encodeDelta,
  encodeHybrid,
  encodeLevels,
  findDistinct,
  type Sink,
  widthOf,
} from '../../../src/recording/encode.ts';

const bytesOf = (sink: Sink): number[] => [...sink.bytes.subarray(0, sink.length)];

test('eight values of three bits are packed as in the Parquet documentation', () => {
  const sink = createSink(1);
  encodeHybrid(sink, Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 8, 3);
  expect(bytesOf(sink)).toEqual([0b11, 0b10001000, 0b11000110, 0b11111010]);
});

test('a long run is its length and its value', () => {
  const sink = createSink(1);
  encodeHybrid(sink, new Uint32Array(100).fill(5), 100, 9);
  expect(bytesOf(sink)).toEqual([0xc8, 0x01, 5, 0]);
});

test('levels of a column without any value are one run behind its length', () => {
  const sink = createSink(1);
  encodeLevels(sink, new Uint32Array(0), 65_536, 0);
  expect(bytesOf(sink)).toEqual([4, 0, 0, 0, 0x80, 0x80, 0x08, 0]);
});

test('levels of a column whose last rows have no value end with a run', () => {
  const sink = createSink(1);
  const present = new Uint32Array(256);
  present[3] = 1;
  encodeLevels(sink, present, 65_536, 1);
  const levels = new Uint16Array(65_536);
  expect(decodeLevels(createCursor(sink.bytes.subarray(0, sink.length)), levels, 65_536)).toBe(1);
  expect(levels[0]).toBe(3);
});

test('deltas that are all alike take no bits', () => {
  const sink = createSink(1);
  expect(encodeDelta(sink, Float64Array.of(1, 2, 3, 4, 5), 5, 53, 1000)).toBe(true);
  expect(bytesOf(sink)).toEqual([0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0]);
});

test('deltas of different size: the documented example, in blocks of 128', () => {
  const sink = createSink(1);
  encodeDelta(sink, Float64Array.of(7, 5, 3, 1, 2, 3, 4, 5), 8, 53, 1000);
  const packed = [0b11000000, 0b00111111, ...Array<number>(6).fill(0)];
  expect(bytesOf(sink)).toEqual([0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0, ...packed]);
});

test('deltas longer than allowed leave no trace', () => {
  const sink = createSink(1);
  expect(encodeDelta(sink, Float64Array.of(0, 2 ** 40, 0, 2 ** 41), 4, 32, 1000)).toBe(false);
  expect(encodeDelta(sink, Float64Array.of(0, 3, 0, 9), 4, 32, 10)).toBe(false);
  expect(sink.length).toBe(0);
});

test('a dictionary names each value once, in order of appearance', () => {
  const found = findDistinct(Uint32Array.of(9, 7, 9, 7, 9), Uint32Array.of(0, 0, 1, 0, 0), 5, false);
  expect([...(found?.indices ?? [])]).toEqual([0, 1, 2, 1, 0]);
  expect([...(found?.firsts.subarray(0, found.size) ?? [])]).toEqual([0, 1, 2]);
});

test.each([
  [0, 0],
  [1, 1],
  [255, 8],
  [256, 9],
  [2 ** 32 - 1, 32],
  [2 ** 32, 33],
  [2 ** 53 - 1, 53],
])('%d has %d bits', (value, bits) => {
  expect(widthOf(value)).toBe(bits);
});

test.each([
  ['a run longer than the values', [0xc8, 0x01, 0]],
  ['a run of none', [0, 0]],
  ['groups beyond the values', [0x0b, 0, 0, 0]],
  ['packed values that end early', [0x03]],
  ['a value beyond the dictionary', [16, 7]],
  ['a length without end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
])('%s is refused', (_what, bytes) => {
  const cursor = createCursor(Uint8Array.from(bytes));
  expect(() => decodeHybrid(cursor, new Uint32Array(8), 8, 3, 5)).toThrow(
    expect.objectContaining({ code: 'BAD_PAGE' }),
  );
});

test.each([
  ['another block size', [64, 4, 8, 14]],
  ['another number of values', [0x80, 0x01, 4, 9, 14]],
  ['deltas of 60 bits', [0x80, 0x01, 4, 8, 14, 3, 60, 0, 0, 0]],
  ['deltas beyond the last value', [0x80, 0x01, 4, 8, 14, 3, 0, 1, 0, 0]],
  ['a value below zero', [0x80, 0x01, 4, 8, 14, 99, 0, 0, 0, 0]],
])('%s is refused', (_what, bytes) => {
  const cursor = createCursor(Uint8Array.from(bytes));
  expect(() => decodeDelta(cursor, new Uint32Array(8), new Uint32Array(8), 8)).toThrow(
    expect.objectContaining({ code: 'BAD_PAGE' }),
  );
});
