// Walks a Thrift compact structure before a parser sees it, so that no claimed length or depth can exhaust memory.

import { RecordingError } from '../model/errors.ts';
import { type Cursor } from './decode.ts';

const MAX_DEPTH = 12;
const TYPE = {
  stop: 0,
  yes: 1,
  no: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  struct: 12,
} as const;

function refuse(what: string): RecordingError {
  return new RecordingError('BAD_FOOTER', `The recording's Parquet structure can't be read: ${what}.`);
}

/** Checks one structure and leaves the cursor behind it. */
export function guardStruct(cursor: Cursor, depth = 0): void {
  if (depth > MAX_DEPTH) throw refuse(`structures are nested more than ${MAX_DEPTH} deep`);
  for (;;) {
    const byte = next(cursor);
    const type = byte & 0x0f;
    if (type === TYPE.stop) return;
    if (byte >> 4 === 0) varint(cursor, 5);
    if (type !== TYPE.yes && type !== TYPE.no) guardValue(cursor, type, depth);
  }
}

function guardValue(cursor: Cursor, type: number, depth: number): void {
  switch (type) {
    case TYPE.yes:
    case TYPE.no:
    case TYPE.byte:
      return skip(cursor, 1);
    case TYPE.i16:
    case TYPE.i32:
      varint(cursor, 5);
      return;
    case TYPE.i64:
      varint(cursor, 10);
      return;
    case TYPE.double:
      return skip(cursor, 8);
    case TYPE.binary:
      return skip(cursor, varint(cursor, 5));
    case TYPE.list:
      return guardList(cursor, depth);
    case TYPE.struct:
      return guardStruct(cursor, depth + 1);
    default:
      throw refuse(`the type ${type} is unknown`);
  }
}

function guardList(cursor: Cursor, depth: number): void {
  if (depth > MAX_DEPTH) throw refuse(`lists are nested more than ${MAX_DEPTH} deep`);
  const byte = next(cursor);
  const length = byte >> 4 === 15 ? varint(cursor, 5) : byte >> 4;
  if (length > cursor.end - cursor.at) {
    throw refuse(`a list claims ${length} elements where ${cursor.end - cursor.at} bytes are left`);
  }
  for (let i = 0; i < length; i++) guardValue(cursor, byte & 0x0f, depth + 1);
}

function next(cursor: Cursor): number {
  if (cursor.at >= cursor.end) throw refuse('it ends too early');
  return cursor.bytes[cursor.at++] as number;
}

function skip(cursor: Cursor, count: number): void {
  if (count > cursor.end - cursor.at) {
    throw refuse(`${count} bytes are claimed where ${cursor.end - cursor.at} are left`);
  }
  cursor.at += count;
}

/** A varint of at most `most` bytes; only the low 32 bits count. */
function varint(cursor: Cursor, most: number): number {
  let value = 0;
  for (let i = 0; i < most; i++) {
    const byte = next(cursor);
    if (i < 5) value |= (byte & 0x7f) << (i * 7);
    if (byte < 0x80) return value >>> 0;
  }
  throw refuse(`a number has more than ${most} bytes`);
}
