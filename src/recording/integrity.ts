// The block between a recording's last row group and its footer that holds checksums of every byte of the file.

import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { RecordingError } from '../model/errors.ts';

// Layout, little-endian. Parquet readers follow the footer's offsets and never look here.
//   after PAR1, the file head: magic 8, file bytes u64, CRC32 of those 16 bytes u32, zero u32
//   the block: magic 8, file bytes u64, footer CRC32 u32, groups u32, pieces u32, zero u32,
//              per group: end u64, rows u32, zero u32; per piece: CRC32 u32; block bytes u32, CRC32 of the block u32
const HEAD_MAGIC = 'FLRHEAD1';
const BLOCK_MAGIC = 'FLRCRC01';
export const FILE_HEAD_BYTES = 24;
/** Where the first row group begins: after PAR1 and the file head. */
const DATA_START = 4 + FILE_HEAD_BYTES;
/** Bytes covered by one checksum: damage is named to within these. */
const PIECE_BYTES = 4096;
/** Parquet's own tail: the footer's length and PAR1. */
const TAIL_BYTES = 8;
/** The longest part that is held in memory at once; far more than a recording of this version can need. */
const MAX_PART_BYTES = 2 ** 29;
const BLOCK_FIXED = 32;
const BLOCK_TAIL = 8;

export interface GroupRange {
  readonly start: number;
  readonly end: number;
  readonly rows: number;
}

export interface Damage {
  readonly offset: number;
  readonly message: string;
  readonly rowsReadable: number;
}

/** Checksums of the row groups, taken while they are written. */
export class ChecksumBuilder {
  readonly #groups: { end: number; rows: number }[] = [];
  readonly #pieces: number[] = [];
  #offset = DATA_START;
  #inPiece = 0;
  #crc = 0;

  /** The next bytes of the current row group. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.#inPiece);
      this.#crc = crc32(part, this.#crc);
      this.#inPiece += part.length;
      at += part.length;
      if (this.#inPiece === PIECE_BYTES) this.#endPiece();
    }
    this.#offset += bytes.length;
  }

  #endPiece(): void {
    if (this.#inPiece === 0) return;
    this.#pieces.push(this.#crc);
    this.#inPiece = 0;
    this.#crc = 0;
  }

  endGroup(rows: number): void {
    this.#endPiece();
    this.#groups.push({ end: this.#offset, rows });
  }

  /** The block to write before `footer`, and the file's whole size. */
  finish(footer: Uint8Array): { block: Buffer; fileBytes: number } {
    const length = BLOCK_FIXED + this.#groups.length * 16 + this.#pieces.length * 4 + BLOCK_TAIL;
    const block = Buffer.alloc(length);
    const fileBytes = this.#offset + length + footer.length;
    block.write(BLOCK_MAGIC, 0, 'latin1');
    block.writeBigUInt64LE(BigInt(fileBytes), 8);
    block.writeUInt32LE(crc32(footer), 16);
    block.writeUInt32LE(this.#groups.length, 20);
    block.writeUInt32LE(this.#pieces.length, 24);
    let at = BLOCK_FIXED;
    for (const { end, rows } of this.#groups) {
      block.writeBigUInt64LE(BigInt(end), at);
      block.writeUInt32LE(rows, at + 8);
      at += 16;
    }
    for (const crc of this.#pieces) at = block.writeUInt32LE(crc, at);
    block.writeUInt32LE(length, at);
    block.writeUInt32LE(crc32(block.subarray(0, at + 4)), at + 4);
    return { block, fileBytes };
  }
}

/** The bytes after PAR1 that tell a shortened file from a whole one. */
export function fileHead(fileBytes: number): Buffer {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  head.write(HEAD_MAGIC, 0, 'latin1');
  head.writeBigUInt64LE(BigInt(fileBytes), 8);
  head.writeUInt32LE(crc32(head.subarray(0, 16)), 16);
  return head;
}

/** Refuses what would be too much to hold in memory at once. */
export function checkPartSize(position: number, length: number): void {
  if (length <= MAX_PART_BYTES) return;
  throw new RecordingError(
    'TOO_LARGE',
    `The recording has a part of ${length} bytes at byte ${position}; at most ${MAX_PART_BYTES} are possible.`,
  );
}

/** Reads `length` bytes at `position`, all of them. */
export function readExactly(fd: number, position: number, length: number): Buffer {
  checkPartSize(position, length);
  const bytes = Buffer.allocUnsafe(length);
  readInto(fd, position, bytes);
  return bytes;
}

/** Fills `bytes` from `position` on. */
export function readInto(fd: number, position: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) {
      throw new RecordingError(
        'TRUNCATED',
        `The recording ended at byte ${position + done} while it was being read.`,
      );
    }
    done += count;
  }
}

export interface Verified {
  /** The footer with its length and PAR1. */
  readonly footer: Buffer;
  readonly footerOffset: number;
  readonly groups: readonly GroupRange[];
  /** How many of the groups come before the first damage. */
  readonly goodGroups: number;
  readonly damage: Damage | null;
}

/** Checks every byte. Throws when the footer or the checksums themselves are damaged, for then nothing can be trusted. */
export function verifyFile(fd: number, size: number, path: string): Verified {
  const least = DATA_START + BLOCK_FIXED + BLOCK_TAIL + TAIL_BYTES;
  if (size < least) {
    throw new RecordingError(
      'TRUNCATED',
      `${path} is ${size} bytes long, too short for a recording (at least ${least}).`,
    );
  }
  const start = readExactly(fd, 0, DATA_START);
  const promised = promisedSize(start);
  if (promised !== null && size < promised) {
    throw new RecordingError(
      'TRUNCATED',
      `${path} was cut short: it has ${size} of ${promised} bytes and ends before its footer.`,
    );
  }
  const tail = readExactly(fd, size - TAIL_BYTES, TAIL_BYTES);
  const footerLength = tail.readUInt32LE(0);
  if (tail.toString('latin1', 4) !== 'PAR1') {
    throw new RecordingError(
      'BAD_FOOTER',
      `${path} is damaged at byte ${size - 4}: it doesn't end with PAR1.`,
    );
  }
  const footerOffset = size - TAIL_BYTES - footerLength;
  if (footerOffset < least - TAIL_BYTES) {
    throw new RecordingError(
      'BAD_FOOTER',
      `${path} is damaged at byte ${size - TAIL_BYTES}: a footer of ${footerLength} bytes doesn't fit in ${size}.`,
    );
  }
  const footer = readExactly(fd, footerOffset, footerLength + TAIL_BYTES);
  const { block, blockOffset } = readBlock(fd, footerOffset, path);
  if (crc32(footer) !== block.readUInt32LE(16)) {
    throw new RecordingError(
      'BAD_FOOTER',
      `${path} is damaged between byte ${footerOffset} and its end at ${size}: the footer's checksum is wrong.`,
    );
  }
  const { groups, crcs } = readGroups(block, blockOffset, path);
  const recorded = Number(block.readBigUInt64LE(8));
  return { footer, footerOffset, groups, ...findDamage(fd, start, groups, crcs, recorded, size) };
}

/** The footer as Parquet itself finds it; null if there is none. */
export function readUnchecked(fd: number, size: number): Buffer | null {
  if (size < 4 + TAIL_BYTES) return null;
  const tail = readExactly(fd, size - TAIL_BYTES, TAIL_BYTES);
  const length = tail.readUInt32LE(0);
  if (tail.toString('latin1', 4) !== 'PAR1' || length > size - TAIL_BYTES - 4 || length > MAX_PART_BYTES)
    return null;
  return readExactly(fd, size - TAIL_BYTES - length, length);
}

/** Whether the file begins as only recordings do. */
export function hasFileHead(fd: number, size: number): boolean {
  return size >= DATA_START && promisedSize(readExactly(fd, 0, DATA_START)) !== null;
}

function promisedSize(start: Buffer): number | null {
  const head = start.subarray(4);
  if (head.toString('latin1', 0, 8) !== HEAD_MAGIC || crc32(head.subarray(0, 16)) !== head.readUInt32LE(16))
    return null;
  return Number(head.readBigUInt64LE(8));
}

function readBlock(fd: number, footerOffset: number, path: string): { block: Buffer; blockOffset: number } {
  const tail = readExactly(fd, footerOffset - BLOCK_TAIL, BLOCK_TAIL);
  const length = tail.readUInt32LE(0);
  const blockOffset = footerOffset - length;
  const refuse = (why: string): RecordingError =>
    new RecordingError(
      'BAD_CHECKSUMS',
      `${path} is damaged near byte ${Math.max(blockOffset, 0)}, or no recording: ${why}.`,
    );
  if (length < BLOCK_FIXED + BLOCK_TAIL || blockOffset < DATA_START) {
    throw refuse(`there are no checksums before its footer at byte ${footerOffset}`);
  }
  const block = readExactly(fd, blockOffset, length);
  if (
    block.toString('latin1', 0, 8) !== BLOCK_MAGIC ||
    crc32(block.subarray(0, length - 4)) !== tail.readUInt32LE(4)
  ) {
    throw refuse(`the checksums between byte ${blockOffset} and ${footerOffset} are themselves damaged`);
  }
  return { block, blockOffset };
}

function readGroups(
  block: Buffer,
  dataEnd: number,
  path: string,
): { groups: GroupRange[]; crcs: Uint32Array } {
  const refuse = (why: string): RecordingError =>
    new RecordingError('BAD_CHECKSUMS', `${path} is damaged near byte ${dataEnd}: ${why}.`);
  const count = block.readUInt32LE(20);
  const pieces = block.readUInt32LE(24);
  if (BLOCK_FIXED + count * 16 + pieces * 4 + BLOCK_TAIL !== block.length) {
    throw refuse(`${count} row groups and ${pieces} checksums don't fit in ${block.length} bytes`);
  }
  const groups: GroupRange[] = [];
  let start = DATA_START;
  let needed = 0;
  for (let i = 0; i < count; i++) {
    const at = BLOCK_FIXED + i * 16;
    const end = Number(block.readBigUInt64LE(at));
    // Inserted or lost bytes move the end of the data, never the groups in front of the damage.
    if (!(end > start) || end > Number.MAX_SAFE_INTEGER)
      throw refuse(`row group ${i} ends at byte ${end}, begins at ${start}`);
    groups.push({ start, end, rows: block.readUInt32LE(at + 8) });
    needed += Math.ceil((end - start) / PIECE_BYTES);
    start = end;
  }
  if (needed !== pieces) throw refuse(`${pieces} checksums for ${needed} pieces of data`);
  const crcs = Uint32Array.from({ length: pieces }, (_, i) =>
    block.readUInt32LE(BLOCK_FIXED + count * 16 + i * 4),
  );
  return { groups, crcs };
}

/** The first damage: in the file head (which costs no rows), in a piece of a row group, or bytes too many or too few. */
function findDamage(
  fd: number,
  start: Buffer,
  groups: readonly GroupRange[],
  crcs: Uint32Array,
  recorded: number,
  size: number,
): { goodGroups: number; damage: Damage | null } {
  const found: { offset: number; message: string }[] = [];
  const head = Buffer.concat([Buffer.from('PAR1'), fileHead(recorded)]).findIndex(
    (byte, at) => byte !== start[at],
  );
  if (head >= 0) found.push({ offset: head, message: `the file's head is damaged at byte ${head}` });
  let goodGroups = groups.length;
  const memory = Buffer.allocUnsafe(Math.min(READ_BYTES, size));
  let rowsReadable = 0;
  let piece = 0;
  for (const [index, group] of groups.entries()) {
    const offset = firstBadPiece(fd, group, crcs, piece, size, memory);
    if (offset !== null) {
      const end = Math.min(offset + PIECE_BYTES, group.end);
      found.push({ offset, message: `the file is damaged between byte ${offset} and ${end}` });
      goodGroups = index;
      break;
    }
    piece += Math.ceil((group.end - group.start) / PIECE_BYTES);
    rowsReadable += group.rows;
  }
  if (recorded !== size) {
    const offset = groups.at(-1)?.end ?? DATA_START;
    found.push({ offset, message: `the file has ${size} bytes, should have ${recorded}` });
  }
  const [first] = found;
  if (first === undefined) return { goodGroups, damage: null };
  const message = found.map((entry) => entry.message).join('; ');
  return { goodGroups, damage: { offset: first.offset, message, rowsReadable } };
}

const READ_BYTES = PIECE_BYTES * 256;

/** Where the first piece of the group begins whose checksum is wrong or that lies beyond the file. */
function firstBadPiece(
  fd: number,
  group: GroupRange,
  crcs: Uint32Array,
  first: number,
  size: number,
  memory: Buffer,
): number | null {
  let piece = first;
  for (let at = group.start; at < group.end; at += READ_BYTES) {
    const end = Math.min(at + READ_BYTES, group.end);
    const bytes = memory.subarray(0, Math.max(0, Math.min(end, size) - at));
    readInto(fd, at, bytes);
    for (let from = at; from < end; from += PIECE_BYTES, piece++) {
      const to = Math.min(from + PIECE_BYTES, end);
      if (to > size || crc32(bytes.subarray(from - at, to - at)) !== crcs[piece]) return from;
    }
  }
  return null;
}
