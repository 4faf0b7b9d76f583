// Decodes one column of one row group to its values, in the order of the rows that have one.

import type { Column } from './columns.ts';
import {
  type Cursor,
  createCursor,
  decodeDelta,
  decodeHybrid,
  decodeLevels,
  decodePlain,
  decodeStrings,
  LEVELS_SLACK,
  malformed,
  takeByte,
} from './decode.ts';
import { readInteger, readStruct } from './thrift.ts';

/** A column's values in one row group. The memory is used again for the next. */
export interface ChunkValues {
  /** The rows that have a value, rising; null if every row has one. */
  rows: Uint16Array | null;
  /** How many values there are; the arrays may be longer. */
  count: number;
  /** The values without the rows that have none; of a text its number among the strings. */
  low: Uint32Array;
  high: Uint32Array | null;
  strings: readonly string[];
}

export function createChunkValues(): ChunkValues {
  return { rows: null, count: 0, low: new Uint32Array(), high: null, strings: [] };
}

/** Bits of an index into a dictionary of 65 536 entries, the most that a row group can need. */
const MAX_INDEX_BITS = 17;

export function decodeChunk(bytes: Uint8Array, column: Column, rows: number, into: ChunkValues): void {
  const cursor = createCursor(bytes);
  const wide = column.storage === 'u64' || column.storage === 'i64';
  let header = readHeader(cursor);
  let dictionary: Dictionary | null = null;
  if (header.type === PAGE.dictionary) {
    dictionary = readDictionary(pageBody(cursor, header), column, header.values, rows, wide);
    header = readHeader(cursor);
  }
  if (header.type !== PAGE.data || header.values !== rows) {
    throw malformed(`a page of ${rows} rows of ${column.name} was expected`);
  }
  const body = pageBody(cursor, header);
  into.rows = column.required ? null : roomForRows(into.rows, rows);
  const count = into.rows === null ? rows : decodeLevels(body, into.rows, rows);
  into.count = count;
  into.strings = dictionary?.strings ?? [];
  into.low = roomFor(into.low, count);
  into.high = wide ? roomFor(into.high, count) : null;
  const { low, high } = into;
  if (header.encoding === ENCODING.dictionary && dictionary !== null) {
    decodeIndices(body, dictionary, low, high, count, column.storage === 'text');
  } else if (column.storage === 'text') {
    if (count > 0) throw malformed(`${column.name} has texts without a dictionary`);
  } else if (header.encoding === ENCODING.delta) {
    decodeDelta(body, low, high, count);
  } else if (header.encoding === ENCODING.plain) {
    decodePlain(body, low, high, count);
  } else {
    throw malformed(`${column.name} has the encoding ${header.encoding}`);
  }
}

function roomFor(array: Uint32Array | null, count: number): Uint32Array {
  return array !== null && array.length >= count ? array : new Uint32Array(count);
}

function roomForRows(array: Uint16Array | null, rows: number): Uint16Array {
  return array !== null && array.length >= rows + LEVELS_SLACK ? array : new Uint16Array(rows + LEVELS_SLACK);
}

/** Numbers of parquet.thrift. */
const PAGE = { data: 0, dictionary: 2 } as const;
const ENCODING = { plain: 0, delta: 5, dictionary: 8 } as const;

interface PageHeader {
  readonly type: number;
  readonly size: number;
  readonly values: number;
  readonly encoding: number;
}

function readHeader(cursor: Cursor): PageHeader {
  let [kind, plain, size, values, encoding] = [-1, -1, -1, -1, -1];
  readStruct(cursor, (field, type) => {
    if (field === 1) kind = readInteger(cursor, type);
    else if (field === 2) plain = readInteger(cursor, type);
    else if (field === 3) size = readInteger(cursor, type);
    else if (field === 5 || field === 7) {
      // A data page's own header, or a dictionary's: both begin with the number of values and the encoding.
      readStruct(cursor, (inner, innerType) => {
        if (inner === 1) values = readInteger(cursor, innerType);
        else if (inner === 2) encoding = readInteger(cursor, innerType);
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  if (size !== plain) throw malformed(`a page claims ${size} bytes, or ${plain}`);
  return { type: kind, size, values, encoding };
}

function pageBody(cursor: Cursor, { size }: PageHeader): Cursor {
  if (!(size >= 0 && size <= cursor.end - cursor.at)) {
    throw malformed(`a page claims ${size} bytes, ${cursor.end - cursor.at} are left`);
  }
  const at = cursor.at;
  cursor.at += size;
  return { bytes: cursor.bytes, at, end: cursor.at };
}

interface Dictionary {
  readonly size: number;
  readonly strings: readonly string[];
  readonly low: Uint32Array;
  readonly high: Uint32Array | null;
}

function readDictionary(body: Cursor, column: Column, size: number, rows: number, wide: boolean): Dictionary {
  if (!(size >= 1 && size <= rows))
    throw malformed(`a dictionary of ${size} entries for ${rows} rows of ${column.name}`);
  if (column.storage === 'text') {
    return { size, strings: decodeStrings(body, size), low: new Uint32Array(), high: null };
  }
  const low = new Uint32Array(size);
  const high = wide ? new Uint32Array(size) : null;
  decodePlain(body, low, high, size);
  return { size, strings: [], low, high };
}

function decodeIndices(
  body: Cursor,
  dictionary: Dictionary,
  low: Uint32Array,
  high: Uint32Array | null,
  count: number,
  text: boolean,
): void {
  const width = takeByte(body);
  if (width < 1 || width > MAX_INDEX_BITS) throw malformed(`indices of ${width} bits`);
  const { low: lows, high: highs, size } = dictionary;
  if (text) return decodeHybrid(body, low, count, width, size - 1);
  if (high === null || highs === null) return decodeHybrid(body, low, count, width, size - 1, lows);
  decodeHybrid(body, low, count, width, size - 1);
  for (let i = 0; i < count; i++) {
    const index = low[i] as number;
    low[i] = lows[index] as number;
    high[i] = highs[index] as number;
  }
}
