// Reads Thrift's compact structures field by field, so that no claimed length or depth can exhaust memory.

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

/** Passes over one structure, checking it, and leaves the cursor behind it. */
export function guardStruct(cursor: Cursor, depth = 0): void {
  readStruct(cursor, () => false, depth);
}

/**
 * Reads one structure: `take` is called with the number and the type of each field, and reads it and returns true, or
 * returns false for the field to be passed over.
 */
export function readStruct(cursor: Cursor, take: (field: number, type: number) => boolean, depth = 0): void {
  if (depth > MAX_DEPTH) throw refuse(`structures are nested more than ${MAX_DEPTH} deep`);
  for (let field = 0; ; ) {
    const byte = next(cursor);
    const type = byte & 0x0f;
    if (type === TYPE.stop) return;
    const step = byte >> 4;
    field = step === 0 ? unzigzag(varint(cursor, 5)) : field + step;
    if (type !== TYPE.yes && type !== TYPE.no && !take(field, type)) guardValue(cursor, type, depth);
  }
}

/** The whole number of a field of this type; above 2^53 not exact. */
export function readInteger(cursor: Cursor, type: number): number {
  if (type !== TYPE.i16 && type !== TYPE.i32 && type !== TYPE.i64)
    throw refuse(`a number has the type ${type}`);
  let value = 0;
  for (let i = 0, scale = 1; i < 10; i++, scale *= 0x80) {
    const byte = next(cursor);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return unzigzag(value);
  }
  throw refuse('a number has more than 10 bytes');
}

export function readText(cursor: Cursor, type: number): string {
  if (type !== TYPE.binary) throw refuse(`a text has the type ${type}`);
  const length = varint(cursor, 5);
  const { bytes, at } = cursor;
  skip(cursor, length);
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('utf8');
}

/** Calls `read` once for each structure of a list, which has to read it. */
export function readStructs(cursor: Cursor, type: number, read: (index: number) => void): void {
  if (type !== TYPE.list) throw refuse(`a list has the type ${type}`);
  const byte = next(cursor);
  const length = listLength(cursor, byte);
  if (length > 0 && (byte & 0x0f) !== TYPE.struct) throw refuse(`a list holds the type ${byte & 0x0f}`);
  for (let i = 0; i < length; i++) read(i);
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
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
  const length = listLength(cursor, byte);
  for (let i = 0; i < length; i++) guardValue(cursor, byte & 0x0f, depth + 1);
}

function listLength(cursor: Cursor, byte: number): number {
  const length = byte >> 4 === 15 ? varint(cursor, 5) : byte >> 4;
  if (length > cursor.end - cursor.at) {
    throw refuse(`a list claims ${length} elements where ${cursor.end - cursor.at} bytes are left`);
  }
  return length;
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
