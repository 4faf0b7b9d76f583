// The raw form of a recording: a frozen bank exactly as it was, behind a header and before its description.

import { closeSync, fstatSync, fsync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { RecordingError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { type Batch, CONTINUATION, FLAG, HEAD, SLOT_BYTES, SLOT_LANES } from '../model/slot.ts';
import { createPart, openToRead, writeAll, writeError } from './files.ts';
import { type Damage, readExactly, readInto } from './integrity.ts';
import { partialKinds } from './translate.ts';
import { planColumns } from './columns.ts';
import { type Newer, readDescription, serialiseMeta } from './meta.ts';
import { BATCH_SLOTS } from './slots.ts';

// Layout, little-endian: header | slots | CRC32 of each piece of 64 KiB of slots | JSON.
// Header: magic 8, slot bytes u32, pieces u32, slots u64, file bytes u64, JSON bytes u32, JSON CRC32 u32,
//         pieces CRC32 u32, zeros; the header's own CRC32 in its last four bytes.
export const RAW_MAGIC = 'FLRING01';
/** Where the first slot lies. */
export const RAW_HEADER_BYTES = 4096;
const PIECE_SLOTS = 1024;

export interface RawWriter {
  /** The slots are written here, from byte RAW_HEADER_BYTES on. */
  readonly fd: number;
  /** Completes the file: `slots` slots lie in it. Nothing looks like a recording before this. */
  finish(slots: number, meta: RecordingMeta): void;
  /** Gives the file up. */
  discard(): void;
}

/** Opens `path`.part; it is named `path` only once it is whole and on disk. */
export function beginRaw(path: string): RawWriter {
  const part = createPart(path);
  return {
    fd: part.fd,
    finish(slots, meta) {
      try {
        finishRaw(part.fd, slots, meta);
        part.commit();
      } catch (error) {
        part.discard();
        throw writeError(error, path, null);
      }
    },
    discard: () => part.discard(),
  };
}

function finishRaw(fd: number, slots: number, meta: RecordingMeta): void {
  // The slots go to disk on another thread while their checksums are taken; commit waits for both.
  fsync(fd, () => {});
  const table = Buffer.concat(Array.from(pieceChecksums(fd, slots), ({ crc }) => u32(crc)));
  const pieces = table.length / 4;
  const json = Buffer.from(serialiseMeta(meta));
  const tableAt = RAW_HEADER_BYTES + slots * SLOT_BYTES;
  writeAll(fd, table, tableAt);
  writeAll(fd, json, tableAt + table.length);
  const header = Buffer.alloc(RAW_HEADER_BYTES);
  header.write(RAW_MAGIC, 0, 'latin1');
  header.writeUInt32LE(SLOT_BYTES, 8);
  header.writeUInt32LE(pieces, 12);
  header.writeBigUInt64LE(BigInt(slots), 16);
  header.writeBigUInt64LE(BigInt(tableAt + table.length + json.length), 24);
  header.writeUInt32LE(json.length, 32);
  header.writeUInt32LE(crc32(json), 36);
  header.writeUInt32LE(crc32(table), 40);
  header.writeUInt32LE(crc32(header.subarray(0, RAW_HEADER_BYTES - 4)), RAW_HEADER_BYTES - 4);
  writeAll(fd, header, 0);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

interface Piece {
  readonly offset: number;
  readonly crc: number;
  /** Valid until the next piece is asked for. */
  readonly bytes: Buffer;
}

function* pieceChecksums(fd: number, slots: number): Generator<Piece> {
  const buffer = Buffer.allocUnsafe(PIECE_SLOTS * SLOT_BYTES);
  const end = RAW_HEADER_BYTES + slots * SLOT_BYTES;
  for (let offset = RAW_HEADER_BYTES; offset < end; offset += buffer.length) {
    const bytes = buffer.subarray(0, Math.min(buffer.length, end - offset));
    readInto(fd, offset, bytes);
    yield { offset, crc: crc32(bytes), bytes };
  }
}

export interface RawRecording {
  readonly meta: RecordingMeta;
  /** Not null for a recording of a newer version. */
  readonly newer: Newer | null;
  /** Records in the file, those behind the damage included. */
  readonly rows: number;
  readonly damage: Damage | null;
  /** The records up to the damage, in the layouts of the recording. */
  batches(): Generator<Batch, void, undefined>;
}

/** Opens a raw file and checks every byte of it. */
export function readRaw(path: string): RawRecording {
  const fd = openToRead(path);
  try {
    const size = fstatSync(fd).size;
    const { slots, json, table } = readRawHeader(fd, size, path);
    const { meta, newer } = readDescription(json.toString('utf8'));
    let rows = 0;
    let piece = 0;
    let damaged: Pick<Damage, 'offset' | 'message'> | null = null;
    let good = slots;
    for (const { offset, crc, bytes } of pieceChecksums(fd, slots)) {
      if (crc !== table.readUInt32LE(piece * 4) && damaged === null) {
        damaged = {
          offset,
          message: `the file is damaged between byte ${offset} and ${offset + bytes.length}`,
        };
        good = piece * PIECE_SLOTS;
      }
      piece++;
      rows += countStarts(bytes);
    }
    const damage = damaged === null ? null : { ...damaged, rowsReadable: countRecords(path, good) };
    const partial = newer === null ? [] : partialKinds(planColumns(meta.layouts).kinds, null);
    return {
      meta,
      newer: newer === null ? null : { ...newer, partial },
      rows,
      damage,
      batches: () => rawBatches(path, good),
    };
  } finally {
    closeSync(fd);
  }
}

function readRawHeader(
  fd: number,
  size: number,
  path: string,
): { slots: number; table: Buffer; json: Buffer } {
  if (size < RAW_HEADER_BYTES) {
    throw new RecordingError(
      'TRUNCATED',
      `${path} is ${size} bytes long, shorter than a raw recording's header of ${RAW_HEADER_BYTES}.`,
    );
  }
  const header = readExactly(fd, 0, RAW_HEADER_BYTES);
  const end = RAW_HEADER_BYTES - 4;
  if (crc32(header.subarray(0, end)) !== header.readUInt32LE(end)) {
    throw new RecordingError(
      'BAD_HEADER',
      `${path} is damaged between byte 0 and ${RAW_HEADER_BYTES}, in its header.`,
    );
  }
  const pieces = header.readUInt32LE(12);
  const slots = Number(header.readBigUInt64LE(16));
  const fileBytes = Number(header.readBigUInt64LE(24));
  const jsonBytes = header.readUInt32LE(32);
  const tableAt = RAW_HEADER_BYTES + slots * SLOT_BYTES;
  const jsonAt = tableAt + pieces * 4;
  if (
    header.readUInt32LE(8) !== SLOT_BYTES ||
    pieces !== Math.ceil(slots / PIECE_SLOTS) ||
    jsonAt + jsonBytes !== fileBytes
  ) {
    throw new RecordingError(
      'BAD_HEADER',
      `${path} has a header that contradicts itself: ${slots} slots in ${fileBytes} bytes.`,
    );
  }
  if (size !== fileBytes) {
    const what = size < fileBytes ? 'was cut short' : 'has bytes added';
    throw new RecordingError('TRUNCATED', `${path} ${what}: it has ${size} bytes, should have ${fileBytes}.`);
  }
  const table = readExactly(fd, tableAt, pieces * 4);
  const json = readExactly(fd, jsonAt, jsonBytes);
  if (crc32(table) !== header.readUInt32LE(40) || crc32(json) !== header.readUInt32LE(36)) {
    throw new RecordingError(
      'BAD_FOOTER',
      `${path} is damaged between byte ${tableAt} and ${fileBytes}, in its description.`,
    );
  }
  return { slots, table, json };
}

/** Slots of a piece that begin a record. */
function countStarts(bytes: Buffer): number {
  let starts = 0;
  for (let at = HEAD.seqHigh * 4 + 3; at < bytes.length; at += SLOT_BYTES) {
    if ((bytes[at] as number) < 0x80) starts++;
  }
  return starts;
}

/** Whole records among the first `slots` slots. */
function countRecords(path: string, slots: number): number {
  let records = 0;
  for (const batch of rawBatches(path, slots)) {
    for (let slot = 0; slot < batch.slots; slot++) {
      if ((batch.lanes[slot * SLOT_LANES + HEAD.seqHigh] as number) < CONTINUATION) records++;
    }
  }
  return records;
}

/** The first `slots` slots, no record in two batches; an incomplete record at the very end is left out. */
function* rawBatches(path: string, slots: number): Generator<Batch, void, undefined> {
  const fd = openToRead(path);
  try {
    for (let first = 0; first < slots; ) {
      const count = Math.min(BATCH_SLOTS, slots - first);
      const bytes = readExactly(fd, RAW_HEADER_BYTES + first * SLOT_BYTES, count * SLOT_BYTES);
      const lanes = new Uint32Array(count * SLOT_LANES);
      new Uint8Array(lanes.buffer).set(bytes);
      const whole = wholeRecords(lanes, count);
      if (whole > 0) yield { lanes, slots: whole };
      if (whole === 0 || first + count === slots) return;
      first += whole;
    }
  } finally {
    closeSync(fd);
  }
}

/** How many of the slots belong to records that end among them. */
function wholeRecords(lanes: Uint32Array, slots: number): number {
  let start = slots - 1;
  while (start > 0 && (lanes[start * SLOT_LANES + HEAD.seqHigh] as number) >= CONTINUATION) start--;
  const following = ((lanes[start * SLOT_LANES + HEAD.kindFlags] as number) >>> 16) & FLAG.slots;
  return start + 1 + following > slots ? start : slots;
}
