// Marks are found in ELF files at the right offsets, and no file, however made, does more than be refused.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { UsageError } from '../../../src/model/errors.ts';
import { findMarks } from '../../../src/source/usdt.ts';

const folder = mkdtempSync(join(tmpdir(), 'flightring-usdt-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Note {
  readonly provider?: string;
  readonly name?: string;
  readonly args?: string;
  readonly address: bigint;
}

function note({ provider = 'flightring', name = 'mark', args = '8@%rdi 8@%rsi', address }: Note): Buffer {
  const text = Buffer.from(`${provider}\0${name}\0${args}\0`);
  const head = Buffer.alloc(12 + 8 + 24);
  head.writeUInt32LE(8, 0);
  head.writeUInt32LE(24 + text.length, 4);
  head.writeUInt32LE(3, 8);
  head.write('stapsdt\0', 12);
  head.writeBigUInt64LE(address, 20);
  head.writeBigUInt64LE(0x3000n, 28);
  return Buffer.concat([head, text, Buffer.alloc(-text.length & 3)]);
}

/** One segment of code, file bytes 0x1000 to 0x2000 at 0x401000, and the notes behind it. */
function elf(notes: readonly Note[], base = 0x3000n): Buffer {
  const content = Buffer.concat(notes.map(note));
  const names = Buffer.from('\0.note.stapsdt\0.stapsdt.base\0.shstrtab\0');
  const sections: readonly (readonly [string, number, bigint, number, number])[] = [
    ['', 0, 0n, 0, 0],
    ['.note.stapsdt', 7, 0n, 0x2000, content.length],
    ['.stapsdt.base', 1, base, 0x1ff0, 1],
    ['.shstrtab', 3, 0n, 0x2000 + content.length, names.length],
  ];
  const head = Buffer.alloc(0x2000);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeBigUInt64LE(BigInt(0x2000 + content.length + names.length), 40);
  for (const [at, value] of [
    [54, 56],
    [56, 1],
    [58, 64],
    [60, sections.length],
    [62, 3],
  ] as const)
    head.writeUInt16LE(value, at);
  head.writeUInt32LE(1, 64);
  for (const [at, value] of [
    [8, 0x1000n],
    [16, 0x401000n],
    [32, 0x1000n],
  ] as const)
    head.writeBigUInt64LE(value, 64 + at);
  const table = sections.map(([name, type, address, offset, size]) => {
    const row = Buffer.alloc(64);
    row.writeUInt32LE(name === '' ? 0 : names.indexOf(name), 0);
    row.writeUInt32LE(type, 4);
    row.writeBigUInt64LE(address, 16);
    row.writeBigUInt64LE(BigInt(offset), 24);
    row.writeBigUInt64LE(BigInt(size), 32);
    return row;
  });
  return Buffer.concat([head, content, names, ...table]);
}

function marksOf(bytes: Uint8Array): number[] {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  return findMarks(path);
}

test('addresses become offsets in the file, each once and in order', () => {
  const notes = [{ address: 0x401080n }, { address: 0x401010n }, { address: 0x401080n }];
  expect(marksOf(elf(notes))).toEqual([0x1010, 0x1080]);
});

test("other providers' notes are passed over", () => {
  const notes = [
    { provider: 'libc', name: 'setjmp', args: '', address: 1n },
    { name: 'other', args: '', address: 2n },
    { address: 0x401fffn },
  ];
  expect(marksOf(elf(notes))).toEqual([0x1fff]);
});

test('a prelinked file was moved: notes are, too', () => {
  expect(marksOf(elf([{ address: 0x1020n }], 0x403000n))).toEqual([0x1020]);
});

test.each([
  ['an empty file', Buffer.alloc(0), 'BAD_ELF'],
  ['no ELF file', Buffer.alloc(200, 'x'), 'BAD_ELF'],
  ['no marks', elf([]), 'NO_MARKS'],
  ['a mark outside of the code', elf([{ address: 0x402000n }]), 'BAD_ELF'],
  ['arguments in other places', elf([{ address: 0x401000n, args: '8@%rax 8@%rbx' }]), 'BAD_ELF'],
  ['a file cut short', elf([{ address: 0x401000n }]).subarray(0, 0x2020), 'BAD_ELF'],
])('%s is refused', (_what, bytes, code) => {
  expect(() => marksOf(bytes)).toThrow(expect.objectContaining({ code, exitCode: 2 }));
});

test('so are a folder and what is not there', () => {
  expect(() => findMarks(folder)).toThrow(expect.objectContaining({ code: 'BAD_ELF' }));
  expect(() => findMarks(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'NO_FILE' }));
});

test('whatever bytes are changed, it is read or refused', () => {
  const good = elf([{ address: 0x401080n }, { address: 0x401010n }]);
  // What is parsed: the headers in front, the notes and the tables behind.
  const place = fc.integer({ min: 0, max: good.length - 0x2000 + 119 });
  const change = fc.tuple(place, fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 255)));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at < 120 ? at : at - 120 + 0x2000] = value;
      try {
        marksOf(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
    { numRuns: 500 },
  );
});
