// Finds where a program sets marks: the stapsdt notes of native/flightring-mark.h in an ELF file, as offsets in the file.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';

const PROVIDER = 'flightring';
const NAME = 'mark';
/** How the probe finds the arguments: where a function's first two lie. */
const ARGUMENTS: Readonly<Record<number, string>> = { 62: '8@%rdi 8@%rsi', 183: '8@x0 8@x1' };

/** Bounds what a file can make us allocate; real ones stay far below. */
const MOST_HEADERS = 65_535;
const MOST_BYTES = 16 << 20;

const PT_LOAD = 1;
const SHT_NOTE = 7;
const NT_STAPSDT = 3;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly address: bigint;
  readonly offset: bigint;
  readonly size: bigint;
}

interface Segment {
  readonly offset: bigint;
  readonly address: bigint;
  readonly size: bigint;
}

/** Offsets in the file at which a mark is set, each once. Throws a UsageError for a file without marks. */
export function findMarks(path: string): number[] {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new UsageError('NO_FILE', `The file ${path} can't be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
  try {
    const marks = new ElfFile(fd, path).marks();
    if (marks.length === 0)
      throw new UsageError('NO_MARKS', `${path} sets no marks: FLIGHTRING_MARK is not used in it.`);
    return marks;
  } finally {
    closeSync(fd);
  }
}

/** A 64-bit little-endian ELF file (elf(5)), each access to it checked against its size. */
class ElfFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #size: bigint;
  readonly #header: Buffer;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    const stat = fstatSync(fd);
    this.#size = stat.isFile() ? BigInt(stat.size) : 0n;
    if (this.#size < 64n) throw this.#broken('it is no ELF file');
    this.#header = this.#read(0n, 64n);
    // 64-bit, little-endian.
    if (this.#header.readUInt32BE(0) !== 0x7f454c46) throw this.#broken('it is no ELF file');
    if (this.#header.readUInt16BE(4) !== 0x0201) throw this.#broken('it is not for a 64-bit machine');
  }

  marks(): number[] {
    const segments = this.#segments();
    const sections = this.#sections();
    const base = sections.find(({ name }) => name === '.stapsdt.base');
    const found = new Set<number>();
    for (const { name, type, offset, size } of sections) {
      if (type !== SHT_NOTE || name !== '.note.stapsdt') continue;
      for (const note of this.#notes(this.#read(offset, size))) {
        // Prelinking moves sections but not what notes say of them.
        const address = note.address + (base ? base.address - note.base : 0n);
        const segment = segments.find((one) => address >= one.address && address < one.address + one.size);
        if (!segment) throw this.#broken(`a mark lies at 0x${address.toString(16)}, outside of its code`);
        found.add(Number(address - segment.address + segment.offset));
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Those of our marks, of all stapsdt notes. */
  *#notes(notes: Buffer): Generator<{ address: bigint; base: bigint }> {
    let at = 0;
    while (at + 12 <= notes.length) {
      const [nameSize, size, type] = [0, 4, 8].map((i) => notes.readUInt32LE(at + i)) as [
        number,
        number,
        number,
      ];
      const from = at + 12 + padded(nameSize);
      const end = from + size;
      if (end > notes.length) throw this.#broken('a note in it is cut off');
      at = from + padded(size);
      if (type !== NT_STAPSDT || size < 24) continue;
      const [provider, name, args] = notes.toString('latin1', from + 24, end).split('\0');
      if (provider !== PROVIDER || name !== NAME) continue;
      const expected = ARGUMENTS[this.#header.readUInt16LE(18)];
      if (args !== expected) throw this.#broken('its marks are not those of flightring-mark.h');
      yield { address: notes.readBigUInt64LE(from), base: notes.readBigUInt64LE(from + 8) };
    }
  }

  #segments(): Segment[] {
    return this.#table(32, 54, 56).flatMap((row) =>
      row.length < 56 || row.readUInt32LE(0) !== PT_LOAD
        ? []
        : [
            {
              offset: row.readBigUInt64LE(8),
              address: row.readBigUInt64LE(16),
              size: this.#inside(row.readBigUInt64LE(8), row.readBigUInt64LE(32)),
            },
          ],
    );
  }

  #sections(): Section[] {
    const rows = this.#table(40, 58, 60).filter((row) => row.length >= 64);
    const names = rows[this.#header.readUInt16LE(62)];
    if (!names) return [];
    const text = this.#read(names.readBigUInt64LE(24), names.readBigUInt64LE(32)).toString('latin1');
    return rows.map((row) => {
      const at = row.readUInt32LE(0);
      return {
        name: text.slice(at, Math.max(at, text.indexOf('\0', at))),
        type: row.readUInt32LE(4),
        address: row.readBigUInt64LE(16),
        offset: row.readBigUInt64LE(24),
        size: row.readBigUInt64LE(32),
      };
    });
  }

  /** The rows of the table whose place, row size and row count stand at these bytes of the header. */
  #table(place: number, rowSize: number, count: number): Buffer[] {
    const size = this.#header.readUInt16LE(rowSize);
    const rows = this.#header.readUInt16LE(count);
    if (rows === 0 || size === 0) return [];
    if (rows > MOST_HEADERS) throw this.#broken(`it has ${rows} headers`);
    const bytes = this.#read(this.#header.readBigUInt64LE(place), BigInt(size * rows));
    return Array.from({ length: rows }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
  }

  #inside(offset: bigint, size: bigint): bigint {
    if (offset + size > this.#size) throw this.#broken('it is cut off');
    return size;
  }

  #read(offset: bigint, size: bigint): Buffer {
    this.#inside(offset, size);
    if (size > MOST_BYTES)
      throw this.#broken(`a part of it has ${size} bytes, at most ${MOST_BYTES} are read`);
    const bytes = Buffer.alloc(Number(size));
    if (readSync(this.#fd, bytes, 0, bytes.length, Number(offset)) !== bytes.length)
      throw this.#broken('it is cut off');
    return bytes;
  }

  #broken(what: string): UsageError {
    return new UsageError('BAD_ELF', `${this.#path} can't be searched for marks: ${what}.`);
  }
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}
