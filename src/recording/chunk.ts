// Decodes one column of one row group to a value for every row.

import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import type { Column } from './columns.ts';
import {
  createCursor,
  type Cursor,
  decodeDelta,
  decodeHybrid,
  decodeLevels,
  decodePlain,
  decodeStrings,
  malformed,
  takeByte,
} from './decode.ts';
import { guardStruct } from './thrift-guard.ts';

/** Values by row; 0 where there is none. A text is its number among the strings. */
export interface RowValues {
  /** 1 for each row with a value; null if every row has one. */
  readonly present: Uint32Array | null;
  readonly low: Uint32Array;
  readonly high: Uint32Array | null;
  readonly strings: readonly string[];
}

/** Bits of an index into a dictionary of 65 536 entries, the most that a row group can need. */
const MAX_INDEX_BITS = 17;

export function decodeChunk(bytes: Uint8Array, column: Column, rows: number): RowValues {
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
  const present = column.required ? null : new Uint32Array(rows);
  const count = present === null ? rows : decodeLevels(body, present, rows);
  const low = new Uint32Array(rows);
  const high = wide ? new Uint32Array(rows) : null;
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
  if (present !== null) spread(present, low, high, count, rows);
  return { present, low, high, strings: dictionary?.strings ?? [] };
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
  const { bytes, at } = cursor;
  guardStruct(cursor);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const {
    field_1: type,
    field_2: plain,
    field_3: size,
    ...rest
  } = deserializeTCompactProtocol({ view, offset: at });
  // Field 5 is a data page's own header, 7 a dictionary's; both begin with the number of values and the encoding.
  const own: Record<string, unknown> = (type === PAGE.dictionary ? rest['field_7'] : rest['field_5']) ?? {};
  if (size !== plain) throw malformed(`a page claims ${size} bytes, or ${plain}`);
  return {
    type: Number(type),
    size: Number(size),
    values: Number(own['field_1']),
    encoding: Number(own['field_2']),
  };
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
  decodeHybrid(body, low, count, width, dictionary.size - 1);
  if (text) return;
  for (let i = 0; i < count; i++) {
    const index = low[i] as number;
    low[i] = dictionary.low[index] as number;
    if (high !== null) high[i] = (dictionary.high as Uint32Array)[index] as number;
  }
}

/** Moves the values, packed at the front, to the rows that have one. */
function spread(
  present: Uint32Array,
  low: Uint32Array,
  high: Uint32Array | null,
  count: number,
  rows: number,
): void {
  if (count === rows) return;
  let from = count;
  for (let row = rows - 1; row >= 0; row--) {
    const has = present[row] === 1;
    if (has) from--;
    low[row] = has ? (low[from] as number) : 0;
    if (high !== null) high[row] = has ? (high[from] as number) : 0;
  }
}
