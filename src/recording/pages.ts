// Picks a short encoding for one column of one row group and makes its page bodies.

import type { Column } from './columns.ts';
import {
  createSink,
  encodeDelta,
  encodeHybrid,
  encodeLevels,
  encodePlain,
  encodeStrings,
  findDistinct,
  putByte,
  type Sink,
  widthOf,
} from './encode.ts';
import type { ColumnValues } from './gather.ts';

type PageEncoding = 'PLAIN' | 'RLE_DICTIONARY' | 'DELTA_BINARY_PACKED';

export interface EncodedColumn {
  /** Body of the dictionary page, null if there is none. */
  readonly dictionary: Uint8Array | null;
  readonly dictionarySize: number;
  /** Body of the data page: levels, then values. */
  readonly page: Uint8Array;
  readonly encoding: PageEncoding;
}

export type ColumnEncoder = (
  column: Column,
  values: ColumnValues,
  rows: number,
  strings: readonly string[],
) => EncodedColumn;

/** What the encoder returns lies in memory that its next call uses again. */
export function createColumnEncoder(groupRows: number): ColumnEncoder {
  const page = createSink(groupRows * 9);
  const dictionary = createSink(1 << 16);
  const numbers = new Float64Array(groupRows);
  const result = (encoding: PageEncoding, dictionarySize: number): EncodedColumn => ({
    dictionary: dictionarySize === 0 ? null : dictionary.bytes.subarray(0, dictionary.length),
    dictionarySize,
    page: page.bytes.subarray(0, page.length),
    encoding,
  });
  return ({ storage }, values, rows, strings) => {
    page.length = 0;
    dictionary.length = 0;
    const { low, high, count, present } = values;
    if (present !== null) encodeLevels(page, present, rows, count);
    if (count === 0) return result('PLAIN', 0);
    // Sequence numbers and times never repeat enough for a dictionary; other numbers seldom rise evenly.
    const rising = storage === 'i64';
    if (rising && putDelta(page, storage, values, numbers)) return result('DELTA_BINARY_PACKED', 0);
    const distinct = rising ? null : findDistinct(low, high, count, storage === 'text');
    if (distinct !== null) {
      const { firsts, indices, size } = distinct;
      if (storage === 'text') {
        encodeStrings(
          dictionary,
          Array.from(firsts.subarray(0, size), (first) => strings[low[first] as number] as string),
        );
      } else {
        const pick = (from: Uint32Array): Uint32Array =>
          firsts.subarray(0, size).map((first) => from[first] as number);
        encodePlain(dictionary, pick(low), high === null ? null : pick(high), size);
      }
      const width = Math.max(1, widthOf(size - 1));
      putByte(page, width);
      encodeHybrid(page, indices, count, width);
      return result('RLE_DICTIONARY', size);
    }
    if (!rising && putDelta(page, storage, values, numbers)) return result('DELTA_BINARY_PACKED', 0);
    encodePlain(page, low, high, count);
    return result('PLAIN', 0);
  };
}

/** Appends the values as deltas, or nothing and returns false if that were no shorter than plain. */
function putDelta(
  page: Sink,
  storage: Column['storage'],
  { low, high, count }: ColumnValues,
  numbers: Float64Array,
): boolean {
  if (high === null) {
    const signed = new Int32Array(low.buffer, low.byteOffset, count);
    for (let i = 0; i < count; i++) numbers[i] = signed[i] as number;
    return encodeDelta(page, numbers, count, 32, count * 4);
  }
  for (let i = 0; i < count; i++) {
    const upper = high[i] as number;
    if (upper >= 2 ** 20) return false;
    numbers[i] = upper * 2 ** 32 + (low[i] as number);
  }
  return encodeDelta(page, numbers, count, storage === 'i64' ? 53 : 52, count * 8);
}
