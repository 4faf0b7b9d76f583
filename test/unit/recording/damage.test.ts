// Damaged, shortened and hostile recordings: what is refused, what is still read, and what is said.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCursor } from '../../../src/recording/decode.ts';
import { writeAll, writeError } from '../../../src/recording/files.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { beginRaw } from '../../../src/recording/raw.ts';
import { guardStruct } from '../../../src/recording/thrift.ts';
import { batchOf, kindOf, lanesOf, LAYOUTS, META, scratchFolder, slotsOf } from './sample.ts';

/** A recording of 300 events in three row groups, and its bytes. */
function recording(path: string): Buffer {
  const records = Array.from({ length: 300 }, (_, i) =>
    slotsOf(
      { kind: kindOf('xsk_fill_take'), seq: BigInt(i + 1), ts: BigInt(i) ** 3n },
      { position: i, addr: BigInt(i) * 4096n },
    ),
  );
  writeParquet({ meta: META, batches: [batchOf(records)] }, path, { groupRows: 100 });
  return readFileSync(path);
}

test('damage in the second row group: the first is read, the offset is named', async () => {
  using folder = scratchFolder();
  const path = folder.file('a.parquet');
  const bytes = recording(path);
  const whole = lanesOf((await openRecording(path, { layouts: LAYOUTS })).batches());
  const place = bytes.indexOf('xsk_fill_take', bytes.indexOf('xsk_fill_take') + 20);
  bytes[place] = 0x58;
  writeFileSync(path, bytes);
  const { damage, rows, batches } = await openRecording(path, { layouts: LAYOUTS });
  expect(rows).toBe(300);
  expect(damage).toMatchObject({
    rowsReadable: 100,
    message: expect.stringContaining('damaged between byte'),
  });
  expect(damage?.offset).toBeLessThanOrEqual(place);
  expect(damage?.offset).toBeGreaterThan(place - 4096);
  expect(lanesOf(batches())).toEqual(whole.subarray(0, 100 * 16));
});

test.each([
  ['in the footer', (size: number) => size - 20, 'BAD_FOOTER', /the footer's checksum is wrong/],
  [
    'in the length of the footer',
    (size: number) => size - 6,
    'BAD_FOOTER',
    /damaged at byte \d+: a footer of \d+ bytes/,
  ],
  [
    'in the last byte',
    (size: number) => size - 1,
    'BAD_FOOTER',
    /damaged at byte \d+: it doesn't end with PAR1/,
  ],
  ['in the first byte', () => 0, 'NOT_A_RECORDING', /damage at byte 0/],
])('damage %s is refused', async (_where, place, code, message) => {
  using folder = scratchFolder();
  const bytes = recording(folder.file('a.parquet'));
  const at = place(bytes.length);
  bytes[at] = (bytes[at] as number) ^ 0x41;
  writeFileSync(folder.file('b.parquet'), bytes);
  await expect(openRecording(folder.file('b.parquet'))).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

test('a shortened file is refused with both sizes', async () => {
  using folder = scratchFolder();
  const path = folder.file('a.parquet');
  const { length } = recording(path);
  truncateSync(path, length - 100);
  await expect(openRecording(path)).rejects.toThrow(`it has ${length - 100} of ${length} bytes`);
});

test.each([
  ['no such file', 'missing.parquet', 'NOT_FOUND'],
  ['a folder', 'folder', 'NOT_A_RECORDING'],
  ['an empty file', 'empty', 'NOT_A_RECORDING'],
  ['a text', 'text', 'NOT_A_RECORDING'],
  ['the start of Parquet only', 'start', 'TRUNCATED'],
])('%s is refused', async (_what, name, code) => {
  using folder = scratchFolder();
  mkdirSync(folder.file('folder'));
  writeFileSync(folder.file('empty'), '');
  writeFileSync(folder.file('text'), 'hello, world');
  writeFileSync(folder.file('start'), 'PAR1PAR1');
  await expect(openRecording(folder.file(name))).rejects.toThrow(expect.objectContaining({ code }));
});

test('a footer of half a gigabyte in a file full of holes is not read', async () => {
  using folder = scratchFolder();
  const path = folder.file('a.parquet');
  writeFileSync(path, 'PAR1');
  truncateSync(path, 3e9);
  const tail = Buffer.from('....PAR1');
  tail.writeUInt32LE(2.9e9);
  appendFileSync(path, tail);
  await expect(openRecording(path)).rejects.toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
});

test('a pipe is not waited for', async () => {
  using folder = scratchFolder();
  execFileSync('mkfifo', [folder.file('pipe')]);
  await expect(openRecording(folder.file('pipe'))).rejects.toThrow(
    expect.objectContaining({ code: 'NOT_A_RECORDING' }),
  );
});

describe('Thrift that would exhaust a parser', () => {
  test.each([
    ['a list of two thousand million', [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['structures without end', Array<number>(1000).fill(0x1c)],
    ['lists of lists without end', [0x19, ...Array<number>(1000).fill(0x19)]],
    ['a text longer than the file', [0x18, 0xff, 0xff, 0xff, 0xff, 0x07]],
    ['a number without end', [0x15, ...Array<number>(100).fill(0xff)]],
    ['an unknown type', [0x1d, 0x00]],
    ['a structure without an end', [0x15, 0x02]],
  ])('%s is refused', (_what, bytes) => {
    expect(() => guardStruct(createCursor(Uint8Array.from(bytes)))).toThrow(
      expect.objectContaining({ code: 'BAD_FOOTER' }),
    );
  });
});

describe('a full disk', () => {
  test('is an error that says what was kept', () => {
    const full = openSync('/dev/full', 'w');
    let error: unknown;
    try {
      writeAll(full, Buffer.alloc(10));
    } catch (caught) {
      error = writeError(caught, '/out/a.parquet', '/out/a.raw');
    } finally {
      closeSync(full);
    }
    expect(error).toMatchObject({
      code: 'DISK_FULL',
      exitCode: 2,
      message: '/out/a.parquet could not be written: the disk is full. The events are safe in /out/a.raw.',
    });
  });

  test('an unwritable folder is said before anything is recorded', () => {
    expect(() => beginRaw('/proc/nowhere/a.raw')).toThrow(expect.objectContaining({ code: 'WRITE_FAILED' }));
  });
});

// In a mount namespace of its own the small file system is gone afterwards, whatever happens.
test('a disk that fills during export leaves no half file and keeps the raw one', async () => {
  using folder = scratchFolder();
  const small = folder.file('small');
  const raw = folder.file('a.raw');
  mkdirSync(small);
  const exporter = new URL('export-to-full-disk.ts', import.meta.url).pathname;
  const command = `mount -t tmpfs -o size=16k none '${small}' && exec "$0" --import tsx '${exporter}'`;
  const output = execFileSync('unshare', ['-rm', 'sh', '-c', command, process.execPath], {
    encoding: 'utf8',
    env: { ...process.env, SMALL: small, RAW: raw },
  });
  expect(JSON.parse(output)).toEqual({
    code: 'DISK_FULL',
    message: `${small}/a.parquet could not be written: the disk is full. The events are safe in ${raw}.`,
    left: [],
  });
  expect((await openRecording(raw, { layouts: LAYOUTS })).rows).toBe(10_000);
});
