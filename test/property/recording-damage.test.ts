// Whatever happens to a recording's bytes: it is refused, or read up to the damage, or unchanged; never a crash or a hang.

import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { RecordingError } from '../../src/model/errors.ts';
import { SLOT_LANES } from '../../src/model/slot.ts';
import { openRecording } from '../../src/recording/open.ts';
import { writeParquet } from '../../src/recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../../src/recording/raw.ts';
import {
  batchOf,
  kindOf,
  lanesOf,
  LAYOUTS,
  META,
  sameLanes,
  sampleEvents,
  scratchFolder,
  slotsOf,
} from '../unit/recording/sample.ts';

const PER_CASE_MS = 2000;
const LIMIT = { timeout: 60_000 };

type Mutation = (bytes: Buffer) => Buffer;

/** A place as a share of the file, so that one mutation fits files of any size; the ends are where structure is. */
const place = fc.oneof(
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((share) => (size: number) => Math.min(size - 1, Math.floor(share * size))),
  fc.integer({ min: 0, max: 300 }).map((near) => (size: number) => Math.min(near, size - 1)),
  fc.integer({ min: 1, max: 3000 }).map((far) => (size: number) => Math.max(0, size - far)),
);
const byte = fc.integer({ min: 0, max: 255 });

const flip: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.integer({ min: 0, max: 7 }))
  .map(([at, bit]) => (bytes) => {
    const copy = Buffer.from(bytes);
    const index = at(bytes.length);
    copy[index] = (copy[index] as number) ^ (1 << bit);
    return copy;
  });
const overwrite: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.array(byte, { minLength: 1, maxLength: 12 }))
  .map(([at, values]) => (bytes) => {
    const copy = Buffer.from(bytes);
    copy.set(values.slice(0, bytes.length - at(bytes.length)), at(bytes.length));
    return copy;
  });
const truncate: fc.Arbitrary<Mutation> = place.map((at) => (bytes) => bytes.subarray(0, at(bytes.length)));
const insert: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.array(byte, { minLength: 1, maxLength: 40 }))
  .map(([at, values]) => (bytes) => {
    const index = at(bytes.length);
    return Buffer.concat([bytes.subarray(0, index), Buffer.from(values), bytes.subarray(index)]);
  });
const remove: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.integer({ min: 1, max: 200 }))
  .map(([at, length]) => (bytes) => {
    const index = at(bytes.length);
    return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + length)]);
  });
const swap: fc.Arbitrary<Mutation> = fc
  .tuple(place, place, fc.integer({ min: 1, max: 512 }))
  .map(([a, b, length]) => (bytes) => {
    const copy = Buffer.from(bytes);
    const [from, to] = [a(bytes.length), b(bytes.length)];
    copy.set(bytes.subarray(from, Math.min(from + length, bytes.length - Math.max(0, to - from))), to);
    copy.set(bytes.subarray(to, Math.min(to + length, bytes.length - Math.max(0, from - to))), from);
    return copy;
  });
const mutation = fc.oneof(
  { weight: 4, arbitrary: flip },
  { weight: 2, arbitrary: overwrite },
  truncate,
  insert,
  remove,
  swap,
);

interface Sample {
  readonly bytes: Buffer;
  readonly lanes: Uint32Array;
  /** Slots in front of each record, and after the last. */
  readonly starts: readonly number[];
}

const records = Array.from({ length: 40 }, (_, i) => [
  ...sampleEvents(),
  slotsOf(
    { kind: kindOf('xsk_fill_take'), seq: BigInt(i + 1), ts: BigInt(i * 1000) },
    { object: 1, position: i, addr: BigInt(i) << 33n },
  ),
]).flat();

function sample(bytes: Buffer): Sample {
  const starts = [0];
  for (const record of records) starts.push((starts.at(-1) as number) + record.length / SLOT_LANES);
  return { bytes, lanes: batchOf(records).lanes, starts };
}

let parquet: Sample;
let raw: Sample;
beforeAll(() => {
  using folder = scratchFolder();
  const batch = batchOf(records);
  writeParquet({ meta: META, batches: [batch] }, folder.file('a.parquet'), { groupRows: 50 });
  parquet = sample(readFileSync(folder.file('a.parquet')));
  const writer = beginRaw(folder.file('a.raw'));
  writeSync(writer.fd, new Uint8Array(batch.lanes.buffer), 0, batch.lanes.byteLength, RAW_HEADER_BYTES);
  writer.finish(batch.slots, META);
  raw = sample(readFileSync(folder.file('a.raw')));
});

function firstDifference(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a[at] === b[at]) at++;
  return at;
}

type Outcome = 'same' | 'refused' | 'cut';

/** Opens the mutated bytes and holds the result against what was there before. */
async function examine(original: Sample, mutated: Buffer, path: string): Promise<Outcome> {
  writeFileSync(path, mutated);
  const started = performance.now();
  try {
    const recording = await openRecording(path, { layouts: LAYOUTS });
    const got = lanesOf(recording.batches());
    expect(sameLanes(got, original.lanes.subarray(0, got.length))).toBe(true);
    expect(recording.meta).toEqual(META);
    if (recording.damage === null) {
      expect(got.length).toBe(original.lanes.length);
      expect(mutated.equals(original.bytes)).toBe(true);
      return 'same';
    }
    const { offset, message, rowsReadable } = recording.damage;
    expect(got.length / SLOT_LANES).toBe(original.starts[rowsReadable]);
    expect(offset).toBeLessThanOrEqual(firstDifference(original.bytes, mutated));
    expect(message).toMatch(/byte \d+/);
    return 'cut';
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    expect(error.message.replaceAll(path, '')).toMatch(/\d/);
    return 'refused';
  } finally {
    expect(performance.now() - started).toBeLessThan(PER_CASE_MS);
  }
}

describe('damage', () => {
  test('ten thousand mutations of a Parquet recording', LIMIT, async () => {
    using folder = scratchFolder();
    const outcomes: Record<Outcome, number> = { same: 0, refused: 0, cut: 0 };
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        outcomes[await examine(parquet, mutate(parquet.bytes), folder.file('a.parquet'))]++;
      }),
      { numRuns: 10_000 },
    );
    expect(outcomes.refused).toBeGreaterThan(1000);
    expect(outcomes.cut).toBeGreaterThan(1000);
  });

  test('two thousand mutations of a raw recording', LIMIT, async () => {
    using folder = scratchFolder();
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        await examine(raw, mutate(raw.bytes), folder.file('a.raw'));
      }),
      { numRuns: 2000 },
    );
  });

  test('every length that the file can be cut to is refused', LIMIT, async () => {
    using folder = scratchFolder();
    for (let length = 0; length < parquet.bytes.length; length += 7) {
      expect(await examine(parquet, parquet.bytes.subarray(0, length), folder.file('a.parquet'))).toBe(
        'refused',
      );
    }
  });
});

/** Makes all checksums right again, as one who forges a recording would. Layout: src/recording/integrity.ts. */
function resign(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const footerAt = copy.length - 8 - copy.readUInt32LE(copy.length - 8);
  const blockAt = footerAt - copy.readUInt32LE(footerAt - 8);
  const groups = copy.readUInt32LE(blockAt + 20);
  let piece = blockAt + 32 + groups * 16;
  let from = 28;
  for (let group = 0; group < groups; group++) {
    const end = Number(copy.readBigUInt64LE(blockAt + 32 + group * 16));
    for (; from < end; from = Math.min(from + 4096, end)) {
      piece = copy.writeUInt32LE(crc32(copy.subarray(from, Math.min(from + 4096, end))), piece);
    }
  }
  copy.writeUInt32LE(crc32(copy.subarray(footerAt)), blockAt + 16);
  copy.writeUInt32LE(crc32(copy.subarray(blockAt, footerAt - 4)), footerAt - 4);
  return copy;
}

describe('forgery', () => {
  test('ten thousand mutations behind right checksums end in an error or in events', LIMIT, async () => {
    using folder = scratchFolder();
    const path = folder.file('a.parquet');
    const inside = fc.tuple(
      fc.constantFrom('data', 'footer'),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      byte,
    );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(inside, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(parquet.bytes);
        const footerLength = bytes.readUInt32LE(bytes.length - 8);
        const footerAt = bytes.length - 8 - footerLength;
        const dataEnd = footerAt - bytes.readUInt32LE(footerAt - 8);
        for (const [part, share, value] of changes) {
          const [from, length] = part === 'data' ? [28, dataEnd - 28] : [footerAt, footerLength];
          bytes[from + Math.floor(share * length)] = value;
        }
        writeFileSync(path, resign(bytes));
        const started = performance.now();
        try {
          const recording = await openRecording(path, { layouts: LAYOUTS });
          let slots = 0;
          for (const batch of recording.batches()) slots += batch.slots;
          expect(slots).toBeLessThanOrEqual(parquet.starts.at(-1) as number);
        } catch (error) {
          if (!(error instanceof RecordingError)) throw error;
          refused++;
        }
        expect(performance.now() - started).toBeLessThan(PER_CASE_MS);
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });
});
