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

/** Bytes that the unpacking of bits looks at beyond the last: a buffer that has them behind its pages saves a copy. */
export const SLACK_BYTES = 8;

/** A view of `length` bytes from `start` on, and of SLACK_BYTES more. */
function viewOf(bytes: Uint8Array, start: number, length: number): DataView {
  const from = bytes.byteOffset + start;
  if (from + length + SLACK_BYTES <= bytes.buffer.byteLength) {
    return new DataView(bytes.buffer, from, length + SLACK_BYTES);
  }
  const copy = new Uint8Array(length + SLACK_BYTES);
  copy.set(bytes.subarray(start, start + length));
  return new DataView(copy.buffer);
}

/** The longest value whose bits, from wherever in a byte, lie in 32. */
const MAX_WIDTH = 25;

/** Fills `out` with `count` values of `width` bits, at most 24, each at most `max`; or with what stands there in `lookup`. */
export function decodeHybrid(
  cursor: Cursor,
  out: Uint32Array,
  count: number,
  width: number,
  max: number,
  lookup: Uint32Array | null = null,
): void {
  if (width < 1 || width >= MAX_WIDTH) throw malformed(`values of ${width} bits`);
  const valueBytes = (width + 7) >> 3;
  let done = 0;
  while (done < count) {
    const header = takeVarint(cursor);
    if (header % 2 === 0) {
      const value = takeRun(cursor, header / 2, count - done, valueBytes, max);
      out.fill(lookup === null ? value : (lookup[value] as number), done, done + header / 2);
      done += header / 2;
      continue;
    }
    const groups = takeGroups(header, count - done);
    const at = take(cursor, groups * width);
    const end = Math.min(done + groups * 8, count);
    const view = viewOf(cursor.bytes, at, groups * width);
    if (lookup === null) unpack(view, width, out, done, end, max);
    else unpackEntries(view, width, out, done, end, max, lookup);
    done = end;
  }
}

/** A run of one value; returns it. */
function takeRun(cursor: Cursor, run: number, left: number, valueBytes: number, max: number): number {
  if (run === 0 || run > left) throw malformed(`a run of ${run}, ${left} values left`);
  const at = take(cursor, valueBytes);
  let value = 0;
  for (let i = 0; i < valueBytes; i++) value |= (cursor.bytes[at + i] as number) << (i * 8);
  if (value > max) throw malformed(`the value ${value}, at most ${max} expected`);
  return value;
}

function takeGroups(header: number, left: number): number {
  const groups = (header - 1) / 2;
  if (groups === 0 || groups > Math.ceil(left / 8)) {
    throw malformed(`${groups} groups of eight, ${left} values left`);
  }
  return groups;
}

function unpack(
  view: DataView,
  width: number,
  out: Uint32Array,
  from: number,
  end: number,
  max: number,
): void {
  const mask = 2 ** width - 1;
  let bit = 0;
  for (let i = from; i < end; i++) {
    const value = (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask;
    if (value > max) throw malformed(`the value ${value}, at most ${max} expected`);
    out[i] = value;
    bit += width;
  }
}

function unpackEntries(
  view: DataView,
  width: number,
  out: Uint32Array,
  from: number,
  end: number,
  max: number,
  lookup: Uint32Array,
): void {
  const mask = 2 ** width - 1;
  let bit = 0;
  for (let i = from; i < end; i++) {
    const value = (view.getUint32(bit >>> 3, true) >>> (bit & 7)) & mask;
    if (value > max) throw malformed(`the value ${value}, at most ${max} expected`);
    out[i] = lookup[value] as number;
    bit += width;
  }
}

/** Entries that `decodeLevels` may write behind the last. */
export const LEVELS_SLACK = 8;

/** Definition levels of `rows` rows, at most 65 536: fills `out` with the numbers of those that have a value; returns how many. */
export function decodeLevels(cursor: Cursor, out: Uint16Array, rows: number): number {
  const length = takeU32(cursor);
  const start = take(cursor, length);
  const levels: Cursor = { bytes: cursor.bytes, at: start, end: start + length };
  const { bytes } = cursor;
  let values = 0;
  let row = 0;
  while (row < rows) {
    const header = takeVarint(levels);
    if (header % 2 === 0) {
      const run = header / 2;
      const end = row + run;
      if (takeRun(levels, run, rows - row, 1, 1) === 0) row = end;
      for (; row < end; row++) out[values++] = row;
      continue;
    }
    const groups = takeGroups(header, rows - row);
    let at = take(levels, groups);
    const end = Math.min(row + groups * 8, rows);
    for (; row < end; row += 8) {
      let byte = bytes[at++] as number;
      if (end - row < 8) byte &= (1 << (end - row)) - 1;
      // Without a branch, which would be mispredicted: what is no value is written over by the next.
      for (let bit = 0; bit < 8; bit++) {
        out[values] = row + bit;
        values += (byte >> bit) & 1;
      }
    }
    row = end;
  }
  return values;
}

export function decodePlain(cursor: Cursor, low: Uint32Array, high: Uint32Array | null, count: number): void {
  const size = high === null ? 4 : 8;
  const at = take(cursor, count * size);
  const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + at, count * size);
  if (high === null) {
    for (let i = 0; i < count; i++) low[i] = view.getUint32(i * 4, true);
    return;
  }
  for (let i = 0; i < count; i++) {
    low[i] = view.getUint32(i * 8, true);
    high[i] = view.getUint32(i * 8 + 4, true);
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
  const first = takeZigzag(cursor);
  if (count === 0) return;
  const { bytes } = cursor;
  const view = viewOf(bytes, 0, bytes.length);
  let value = first;
  if (high === null ? !isNarrow(value) : !isWide(value)) throw malformed('a delta out of range');
  low[0] = value;
  if (high !== null) high[0] = value / 0x1_0000_0000;
  for (let at = 1; at < count; ) {
    const least = takeZigzag(cursor);
    const widths = take(cursor, 4);
    for (let part = 0; part < 4; part++) {
      const width = bytes[widths + part] as number;
      if (width > 53 || (at >= count && width > 0)) throw malformed(`deltas of ${width} bits`);
      if (at >= count) continue;
      unpackDeltas(view, take(cursor, width * 4), width);
      const end = Math.min(at + 32, count);
      value =
        high === null ? addNarrow(low, at, end, value, least) : addWide(low, high, at, end, value, least);
      at = end;
    }
  }
}

/** Whether a number fits one signed or unsigned lane. */
function isNarrow(value: number): boolean {
  return value >= -0x1_0000_0000 && value < 0x1_0000_0000;
}

/** Whether a number fits two lanes, exactly. */
function isWide(value: number): boolean {
  return value >= 0 && value < 0x20_0000_0000_0000;
}

/** The deltas unpacked last. */
const deltas = new Float64Array(32);

// A store into a Uint32Array keeps the low 32 bits of what is left of a number without its fraction.

function addNarrow(low: Uint32Array, from: number, end: number, before: number, least: number): number {
  let value = before;
  for (let at = from; at < end; at++) {
    value += least + (deltas[at - from] as number);
    if (!isNarrow(value)) throw malformed('a delta out of range');
    low[at] = value;
  }
  return value;
}

function addWide(
  low: Uint32Array,
  high: Uint32Array,
  from: number,
  end: number,
  before: number,
  least: number,
): number {
  let value = before;
  for (let at = from; at < end; at++) {
    value += least + (deltas[at - from] as number);
    if (!isWide(value)) throw malformed('a delta out of range');
    low[at] = value;
    high[at] = value / 0x1_0000_0000;
  }
  return value;
}

/** Reads 32 numbers of `width` bits, at most 53, that begin at byte `start` of the view. */
function unpackDeltas(view: DataView, start: number, width: number): void {
  if (width === 0) {
    deltas.fill(0);
    return;
  }
  const mask = width >= 32 ? -1 : (1 << width) - 1;
  let bit = 0;
  if (width <= MAX_WIDTH) {
    for (let i = 0; i < 32; i++, bit += width) {
      deltas[i] = (view.getUint32(start + (bit >>> 3), true) >>> (bit & 7)) & mask;
    }
    return;
  }
  for (let i = 0; i < 32; i++, bit += width) {
    const shift = bit & 7;
    const byte = start + (bit >>> 3);
    const low = view.getUint32(byte, true) >>> shift;
    const above = width + shift - 32;
    deltas[i] =
      above <= 0
        ? (low & mask) >>> 0
        : low + (view.getUint32(byte + 4, true) & ((1 << above) - 1)) * 2 ** (32 - shift);
  }
}
