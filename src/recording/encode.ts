// Parquet's value encodings for whole columns of numbers: RLE/bit-packed hybrid, dictionary, delta, plain.

/** Bytes that grow; `length` of them are in use. */
export interface Sink {
  bytes: Uint8Array;
  length: number;
}

export function createSink(capacity: number): Sink {
  return { bytes: new Uint8Array(capacity), length: 0 };
}

/** Makes room for `more` bytes. */
function reserve(sink: Sink, more: number): void {
  if (sink.length + more <= sink.bytes.length) return;
  const grown = new Uint8Array(Math.max(sink.bytes.length * 2, sink.length + more));
  grown.set(sink.bytes.subarray(0, sink.length));
  sink.bytes = grown;
}

export function putByte(sink: Sink, byte: number): void {
  reserve(sink, 1);
  sink.bytes[sink.length++] = byte;
}

export function putBytes(sink: Sink, bytes: Uint8Array): void {
  reserve(sink, bytes.length);
  sink.bytes.set(bytes, sink.length);
  sink.length += bytes.length;
}

function putVarint(sink: Sink, value: number): void {
  reserve(sink, 10);
  let rest = value;
  while (rest >= 0x80) {
    sink.bytes[sink.length++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  sink.bytes[sink.length++] = rest;
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Bits needed for values up to `max`, which is below 2^53. */
export function widthOf(max: number): number {
  return max < 2 ** 32 ? 32 - Math.clz32(max) : 64 - Math.clz32(Math.floor(max / 2 ** 32));
}

/** Appends `count` values of `width` (at most 24) bits, whose number is rounded up to eight by zeros. */
function packGroups(sink: Sink, values: Uint32Array, from: number, count: number, width: number): void {
  const groups = Math.ceil(count / 8);
  reserve(sink, groups * width);
  const { bytes } = sink;
  let at = sink.length;
  let held = 0;
  let bits = 0;
  const end = from + count;
  for (let i = from; i < from + groups * 8; i++) {
    held |= (i < end ? (values[i] as number) : 0) << bits;
    bits += width;
    while (bits >= 8) {
      bytes[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  sink.length = at;
}

/** The hybrid of repeated runs and bit-packed groups of eight (Parquet, Encodings: RLE = 3). */
export function encodeHybrid(sink: Sink, values: Uint32Array, count: number, width: number): void {
  let literal = 0;
  let at = 0;
  while (at < count) {
    const value = values[at] as number;
    let end = at + 1;
    while (end < count && values[end] === value) end++;
    const run = end - at;
    if (run < 16 && !(run >= 8 && end === count)) {
      at = Math.min(at + 8, count);
      continue;
    }
    if (at > literal) putLiteral(sink, values, literal, at - literal, width);
    putRun(sink, value, run, width);
    at = end;
    literal = end;
  }
  if (at > literal) putLiteral(sink, values, literal, at - literal, width);
}

function putRun(sink: Sink, value: number, run: number, width: number): void {
  putVarint(sink, run * 2);
  for (let bits = 0; bits < width; bits += 8) putByte(sink, value >>> bits);
}

function putLiteral(sink: Sink, values: Uint32Array, from: number, count: number, width: number): void {
  putVarint(sink, Math.ceil(count / 8) * 2 + 1);
  packGroups(sink, values, from, count, width);
}

function padded(values: Uint32Array, length: number): Uint32Array {
  const longer = new Uint32Array(length);
  longer.set(values);
  return longer;
}

/**
 * Definition levels of an optional column of which `count` of the rows have a value: a hybrid of one bit behind its length.
 * `present` may end behind the last row that has one.
 */
export function encodeLevels(sink: Sink, present: Uint32Array, rows: number, count: number): void {
  reserve(sink, 4);
  const start = sink.length;
  sink.length += 4;
  if (count === 0 || count === rows) {
    if (rows > 0) putRun(sink, count === 0 ? 0 : 1, rows, 1);
  } else encodeHybrid(sink, present.length < rows ? padded(present, rows) : present, rows, 1);
  new DataView(sink.bytes.buffer).setUint32(start, sink.length - start - 4, true);
}

export function encodePlain(sink: Sink, low: Uint32Array, high: Uint32Array | null, count: number): void {
  const size = high === null ? 4 : 8;
  reserve(sink, count * size);
  const view = new DataView(sink.bytes.buffer, sink.length, count * size);
  if (high === null) {
    for (let i = 0; i < count; i++) view.setUint32(i * 4, low[i] as number, true);
  } else {
    for (let i = 0; i < count; i++) {
      view.setUint32(i * 8, low[i] as number, true);
      view.setUint32(i * 8 + 4, high[i] as number, true);
    }
  }
  sink.length += count * size;
}

/** Texts of a PLAIN dictionary page, each behind its length. */
export function encodeStrings(sink: Sink, strings: readonly string[]): void {
  for (const text of strings) {
    const bytes = Buffer.from(text, 'utf8');
    reserve(sink, 4 + bytes.length);
    new DataView(sink.bytes.buffer).setUint32(sink.length, bytes.length, true);
    sink.bytes.set(bytes, sink.length + 4);
    sink.length += 4 + bytes.length;
  }
}

export interface Dictionary {
  /** For each value, its number in the dictionary. */
  readonly indices: Uint32Array;
  /** Places of the first occurrence of each distinct value, in order. */
  readonly firsts: Uint32Array;
  readonly size: number;
}

const HASH_SLOTS = 1 << 16;
const MAX_DISTINCT = 1 << 14;
/** Values looked at before most of them being new means that a dictionary is no use. */
const PROBE = 12_288;
const sharedTable = new Int32Array(1 << 18);

/** The distinct values, or null when there are too many of them for a dictionary to be shorter, unless `always`. */
export function findDistinct(
  low: Uint32Array,
  high: Uint32Array | null,
  count: number,
  always: boolean,
): Dictionary | null {
  const slots = always ? 1 << widthOf(count * 2) : HASH_SLOTS;
  const most = always ? count : Math.min(count, MAX_DISTINCT);
  const table = slots > sharedTable.length ? new Int32Array(slots) : sharedTable.subarray(0, slots);
  table.fill(-1);
  const indices = new Uint32Array(count);
  const firsts = new Uint32Array(most);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const a = low[i] as number;
    const b = high === null ? 0 : (high[i] as number);
    let hash = Math.imul(a ^ Math.imul(b, 0x85ebca6b), 0x9e3779b1);
    hash = (hash ^ (hash >>> 15)) & (slots - 1);
    for (;;) {
      const known = table[hash] as number;
      if (known < 0) {
        if (size === most || (!always && i > PROBE && size * 2 > i)) return null;
        table[hash] = size;
        firsts[size] = i;
        indices[i] = size++;
        break;
      }
      const first = firsts[known] as number;
      if (low[first] === a && (high === null || high[first] === b)) {
        indices[i] = known;
        break;
      }
      hash = (hash + 1) & (slots - 1);
    }
  }
  return { indices, firsts, size };
}

const BLOCK = 128;
const MINI = 32;
const deltas = new Float64Array(BLOCK);

/**
 * DELTA_BINARY_PACKED. `values` are integers of magnitude below 2^52. Returns false, with the sink as it was, if a width
 * would exceed `maxWidth` or the result `maxBytes`.
 */
export function encodeDelta(
  sink: Sink,
  values: Float64Array,
  count: number,
  maxWidth: number,
  maxBytes: number,
): boolean {
  const start = sink.length;
  putVarint(sink, BLOCK);
  putVarint(sink, BLOCK / MINI);
  putVarint(sink, count);
  let last = count > 0 ? (values[0] as number) : 0;
  putVarint(sink, zigzag(last));
  for (let at = 1; at < count; at += BLOCK) {
    const length = Math.min(BLOCK, count - at);
    let least = Infinity;
    for (let i = 0; i < length; i++) {
      const value = values[at + i] as number;
      const delta = value - last;
      last = value;
      deltas[i] = delta;
      if (delta < least) least = delta;
    }
    putVarint(sink, zigzag(least));
    const widths = sink.length;
    reserve(sink, BLOCK / MINI);
    sink.length += BLOCK / MINI;
    for (let mini = 0; mini < BLOCK / MINI; mini++) {
      const from = mini * MINI;
      const to = Math.min(from + MINI, length);
      let most = 0;
      for (let i = from; i < to; i++) {
        const rest = (deltas[i] as number) - least;
        deltas[i] = rest;
        if (rest > most) most = rest;
      }
      const width = widthOf(most);
      if (width > maxWidth) {
        sink.length = start;
        return false;
      }
      sink.bytes[widths + mini] = width;
      if (to > from) packMini(sink, from, to, width);
    }
    if (sink.length - start > maxBytes) {
      sink.length = start;
      return false;
    }
  }
  return true;
}

/** Appends 32 deltas of `width` bits, zeros after `to`; values of more than 16 bits go in pieces of 16. */
function packMini(sink: Sink, from: number, to: number, width: number): void {
  reserve(sink, width * 4);
  const { bytes } = sink;
  let at = sink.length;
  let held = 0;
  let bits = 0;
  for (let i = from; i < from + MINI; i++) {
    let rest = i < to ? (deltas[i] as number) : 0;
    for (let left = width; left > 0; left -= 16) {
      held |= (rest % 0x1_0000) << bits;
      rest = Math.floor(rest / 0x1_0000);
      bits += Math.min(16, left);
      while (bits >= 8) {
        bytes[at++] = held;
        held >>>= 8;
        bits -= 8;
      }
    }
  }
  sink.length = at;
}
