// What a Parquet footer says of its columns, row groups and key-value data; only that, whatever its size.

import { type Cursor, createCursor } from './decode.ts';
import { readInteger, readStruct, readStructs, readText } from './thrift.ts';

/** Numbers of parquet.thrift. */
export const PHYSICAL = { int32: 1, int64: 2, bytes: 6 } as const;
export const REPETITION = { required: 0, optional: 1 } as const;
const UNCOMPRESSED = 0;

export interface SchemaElement {
  readonly name: string;
  /** Number of the physical type; -1 if there is none. */
  readonly type: number;
  readonly repetition: number;
  readonly children: number;
}

export interface Footer {
  readonly schema: readonly SchemaElement[];
  readonly keyValues: ReadonlyMap<string, string>;
  /** What wrote the file, in its own words. */
  readonly createdBy: string;
  /** Calls `take` for each row group, in order; what it is given is used again for the next. */
  readGroups(take: (index: number, group: GroupFacts) => void): void;
}

/** One row group as the footer tells it. */
export interface GroupFacts {
  rows: number;
  /** Number of column chunks; the arrays hold at least so many. */
  columns: number;
  /** Where each chunk begins, and how many bytes it has; NaN if not told. */
  starts: Float64Array;
  lengths: Float64Array;
  /** Whether no chunk is compressed. */
  plain: boolean;
}

/** Throws a RecordingError for bytes that are no footer. */
export function readFooter(bytes: Uint8Array): Footer {
  const cursor = createCursor(bytes);
  const schema: SchemaElement[] = [];
  const keyValues = new Map<string, string>();
  let createdBy = '';
  let groupsAt = -1;
  let groupsType = 0;
  readStruct(cursor, (field, type) => {
    if (field === 2) readStructs(cursor, type, () => schema.push(readElement(cursor)));
    else if (field === 5) readStructs(cursor, type, () => readKeyValue(cursor, keyValues));
    else if (field === 6) createdBy = readText(cursor, type);
    else {
      if (field === 4) [groupsAt, groupsType] = [cursor.at, type];
      return false;
    }
    return true;
  });
  return {
    schema,
    keyValues,
    createdBy,
    readGroups(take) {
      if (groupsAt < 0) return;
      const from: Cursor = { bytes, at: groupsAt, end: bytes.length };
      const facts = {
        starts: new Float64Array(64),
        lengths: new Float64Array(64),
        rows: 0,
        columns: 0,
        plain: true,
      };
      readStructs(from, groupsType, (index) => {
        readGroup(from, facts);
        take(index, facts);
      });
    },
  };
}

function readElement(cursor: Cursor): SchemaElement {
  const element = { name: '', type: -1, repetition: -1, children: 0 };
  readStruct(cursor, (field, type) => {
    if (field === 1) element.type = readInteger(cursor, type);
    else if (field === 3) element.repetition = readInteger(cursor, type);
    else if (field === 4) element.name = readText(cursor, type);
    else if (field === 5) element.children = readInteger(cursor, type);
    else return false;
    return true;
  });
  return element;
}

function readKeyValue(cursor: Cursor, into: Map<string, string>): void {
  let [key, value] = ['', ''];
  readStruct(cursor, (field, type) => {
    if (field === 1) key = readText(cursor, type);
    else if (field === 2) value = readText(cursor, type);
    else return false;
    return true;
  });
  if (!into.has(key)) into.set(key, value);
}

function readGroup(cursor: Cursor, group: GroupFacts): void {
  group.rows = Number.NaN;
  group.columns = 0;
  group.plain = true;
  readStruct(cursor, (field, type) => {
    if (field === 1) {
      readStructs(cursor, type, (index) => {
        if (index >= group.starts.length) {
          group.starts = grown(group.starts);
          group.lengths = grown(group.lengths);
        }
        readChunk(cursor, group, index);
        group.columns = index + 1;
      });
    } else if (field === 3) group.rows = readInteger(cursor, type);
    else return false;
    return true;
  });
}

function grown(array: Float64Array): Float64Array {
  const longer = new Float64Array(array.length * 2);
  longer.set(array);
  return longer;
}

function readChunk(cursor: Cursor, group: GroupFacts, index: number): void {
  let codec = -1;
  let data = Number.NaN;
  let dictionary = Number.NaN;
  let length = Number.NaN;
  readStruct(cursor, (field) => {
    if (field !== 3) return false;
    readStruct(cursor, (inner, type) => {
      if (inner === 4) codec = readInteger(cursor, type);
      else if (inner === 7) length = readInteger(cursor, type);
      else if (inner === 9) data = readInteger(cursor, type);
      else if (inner === 11) dictionary = readInteger(cursor, type);
      else return false;
      return true;
    });
    return true;
  });
  if (codec !== UNCOMPRESSED) group.plain = false;
  group.starts[index] = Number.isNaN(dictionary) ? data : dictionary;
  group.lengths[index] = length;
}
