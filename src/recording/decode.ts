// The reverse of encode.ts for bytes that can't be trusted: every length is checked before it is used.

import { RecordingError } from '../model/errors.ts';

/** Bytes with a reading position; reading beyond `end` is an error. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

export function createCursor(bytes: Uint8Array): Cursor {
  return { bytes, at: 0, end: bytes.length };
}

export function malformed(what: string): RecordingError {
  return new RecordingError('BAD_PAGE', `The recording holds a page that can't be decoded: ${what}.`);
}

/** Passes over `count` bytes and returns where they begin. */
function take(cursor: Cursor, count: number): number {
  if (count < 0 || count > cursor.end - cursor.at) {
    throw malformed(`${count} bytes wanted, ${cursor.end - cursor.at} left`);
  }
  const at = cursor.at;
  cursor.at += count;
  return at;
}

export function takeByte(cursor: Cursor): number {
  return cursor.bytes[take(cursor, 1)] as number;
}

function takeU32(cursor: Cursor): number {
  const at = take(cursor, 4);
  const { bytes } = cursor;
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** A varint; more than 53 bits are an error. */
function takeVarint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = takeByte(cursor);
    value += (byte & 0x7f) * scale;
    if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number of more than 53 bits');
    if (byte < 0x80) return value;
    scale *= 0x80;
    if (scale > 2 ** 56) throw malformed('a number without end');
  }
}

function takeZigzag(cursor: Cursor): number {
  const value = takeVarint(cursor);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Fills `out` with `count` values of `width` bits, at most 24, each at most `max`. */
export function decodeHybrid(
  cursor: Cursor,
  out: Uint32Array,
  count: number,
  width: number,
  max: number,
): void {
  const valueBytes = (width + 7) >> 3;
  const mask = 2 ** width - 1;
  const { bytes } = cursor;
  let done = 0;
  while (done < count) {
    const header = takeVarint(cursor);
    if (header % 2 === 0) {
      const run = header / 2;
      if (run === 0 || run > count - done) throw malformed(`a run of ${run}, ${count - done} values left`);
      const at = take(cursor, valueBytes);
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value |= (bytes[at + i] as number) << (i * 8);
      if (value > max) throw malformed(`the value ${value}, at most ${max} expected`);
      out.fill(value, done, done + run);
      done += run;
      continue;
    }
    const groups = (header - 1) / 2;
    if (groups === 0 || groups > Math.ceil((count - done) / 8)) {
      throw malformed(`${groups} groups of eight, ${count - done} values left`);
    }
    let at = take(cursor, groups * width);
    const end = Math.min(done + groups * 8, count);
    let held = 0;
    let bits = 0;
    for (; done < end; done++) {
      while (bits < width) {
        held |= (bytes[at++] as number) << bits;
        bits += 8;
      }
      const value = held & mask;
      if (value > max) throw malformed(`the value ${value}, at most ${max} expected`);
      out[done] = value;
      held >>>= width;
      bits -= width;
    }
  }
}

/** Definition levels of `rows` rows, 1 for a value; returns how many values there are. */
export function decodeLevels(cursor: Cursor, out: Uint32Array, rows: number): number {
  const length = takeU32(cursor);
  const start = take(cursor, length);
  decodeHybrid({ bytes: cursor.bytes, at: start, end: start + length }, out, rows, 1, 1);
  let values = 0;
  for (let i = 0; i < rows; i++) values += out[i] as number;
  return values;
}

export function decodePlain(cursor: Cursor, low: Uint32Array, high: Uint32Array | null, count: number): void {
  const size = high === null ? 4 : 8;
  const at = take(cursor, count * size);
  const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + at, count * size);
  for (let i = 0; i < count; i++) {
    low[i] = view.getUint32(i * size, true);
    if (high !== null) high[i] = view.getUint32(i * size + 4, true);
  }
}

/** Strings of a PLAIN dictionary page. */
export function decodeStrings(cursor: Cursor, count: number): string[] {
  if (count > (cursor.end - cursor.at) / 4)
    throw malformed(`${count} texts in ${cursor.end - cursor.at} bytes`);
  const strings: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = takeU32(cursor);
    const at = take(cursor, length);
    strings.push(Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + at, length).toString('utf8'));
  }
  return strings;
}

/** DELTA_BINARY_PACKED as encode.ts writes it: blocks of 128 in four parts, integers of magnitude below 2^53. */
export function decodeDelta(cursor: Cursor, low: Uint32Array, high: Uint32Array | null, count: number): void {
  const [block, parts, total] = [takeVarint(cursor), takeVarint(cursor), takeVarint(cursor)];
  if (block !== 128 || parts !== 4 || total !== count) {
    throw malformed(`${total} deltas in blocks of ${block} in ${parts} parts, ${count} values expected`);
  }
  let value = takeZigzag(cursor);
  const deltas = new Float64Array(32);
  for (let at = 0; at < count; ) {
    if (at === 0) {
      putNumber(low, high, at++, value);
      continue;
    }
    const least = takeZigzag(cursor);
    const widths = take(cursor, 4);
    for (let part = 0; part < 4; part++) {
      const width = cursor.bytes[widths + part] as number;
      if (width > 53 || (at >= count && width > 0)) throw malformed(`deltas of ${width} bits`);
      if (at >= count) continue;
      unpackDeltas(cursor.bytes, take(cursor, width * 4), width, deltas);
      const end = Math.min(at + 32, count);
      for (let i = 0; at < end; i++) {
        value += least + (deltas[i] as number);
        putNumber(low, high, at++, value);
      }
    }
  }
}

/** Stores a number as one signed lane, or as two lanes if it is at least 0. */
function putNumber(low: Uint32Array, high: Uint32Array | null, at: number, value: number): void {
  const upper = Math.floor(value / 0x1_0000_0000);
  if (high === null) {
    if (upper !== 0 && upper !== -1) throw malformed('a delta out of range');
  } else {
    if (!(upper >= 0 && upper < 0x20_0000)) throw malformed('a delta out of range');
    high[at] = upper;
  }
  low[at] = value - upper * 0x1_0000_0000;
}

/** Reads 32 numbers of `width` bits, in pieces of 16. */
function unpackDeltas(bytes: Uint8Array, start: number, width: number, out: Float64Array): void {
  let from = start;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < 32; i++) {
    let delta = 0;
    let scale = 1;
    for (let left = width; left > 0; left -= 16) {
      const piece = left < 16 ? left : 16;
      while (bits < piece) {
        held |= (bytes[from++] as number) << bits;
        bits += 8;
      }
      delta += (held & ((1 << piece) - 1)) * scale;
      held >>>= piece;
      bits -= piece;
      scale *= 0x1_0000;
    }
    out[i] = delta;
  }
}
