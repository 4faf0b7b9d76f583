// Whatever the layouts and the records: what is written is what is read, byte for byte.

import { writeSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIELD_TYPES, type FieldType, type RecordLayout } from '../../src/model/layout.ts';
import { HEAD_BYTES } from '../../src/model/slot.ts';
import {
  createCursor,
  decodeDelta,
  decodeHybrid,
  decodeLevels,
  LEVELS_SLACK,
} from '../../src/recording/decode.ts';
import { createSink, encodeDelta, encodeHybrid, encodeLevels } from '../../src/recording/encode.ts';
import { openRecording } from '../../src/recording/open.ts';
import { writeParquet } from '../../src/recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../../src/recording/raw.ts';
import { formatText, parseText } from '../../src/recording/text.ts';
import {
  batchOf,
  lanesOf,
  layout,
  META,
  sameLanes,
  scratchFolder,
  slotsOf,
} from '../unit/recording/sample.ts';

// Common columns' names, and few of its own so that names meet with equal and with different types.
const NAMES = [
  'netns',
  'ifindex',
  'queue',
  'device',
  'seq',
  'kind',
  'object',
  'a',
  'b',
  'c',
  'd',
  'e',
  'f',
  'constructor',
];

const fields = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...FIELD_TYPES)), {
  selector: ([name]) => name,
  maxLength: 12,
});

const layouts: fc.Arbitrary<RecordLayout[]> = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 0x7fff }), fc.constantFrom('xsk', 'neigh'), fields), {
    selector: ([number]) => number,
    minLength: 1,
    maxLength: 5,
  })
  .map((kinds) =>
    kinds.map(([number, path, list]) => layout(`${path}_${number}`, number, path, Object.fromEntries(list))),
  );

const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 1000n }),
  fc.constant(2n ** 64n - 1n),
);
const u32 = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 5 }));

const head = fc.record({
  seq: fc.bigInt({ min: 0n, max: 2n ** 63n - 20n }),
  ts: u64,
  tid: fc.oneof(u32, fc.constantFrom(71, 72)),
  tgid: u32,
  flags: fc.integer({ min: 0, max: 0xfff }).map((bits) => bits << 4),
  cpu: u32,
});

/** Bytes of a field; of a name, nothing follows its end. */
function bytesFor(type: FieldType, size: number): fc.Arbitrary<number[]> {
  const bytes = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: size, maxLength: size }),
    fc.constant(Array<number>(size).fill(0)),
    fc.constant(Array<number>(size).fill(255)),
  );
  if (!['comm', 'name', 'text', 'path'].includes(type)) return bytes;
  return bytes.map((list) => {
    const end = list.indexOf(0);
    return list.map((byte, i) => (end >= 0 && i > end ? 0 : byte));
  });
}

function recordOf(kind: RecordLayout): fc.Arbitrary<Uint32Array> {
  const values = fc.record(
    Object.fromEntries(kind.fields.map(({ name, type, size }) => [name, bytesFor(type, size)])),
  );
  return fc.tuple(head, values).map(([own, bytes]) => slotsOf({ kind, ...own }, bytes));
}

const recordings = layouts.chain((kinds) =>
  fc.record({
    kinds: fc.constant(kinds),
    records: fc.array(fc.oneof(...kinds.map(recordOf)), { maxLength: 60 }),
    groupRows: fc.integer({ min: 1, max: 70 }),
  }),
);

test('Parquet: reading gives the slots that were written', { timeout: 120_000 }, async () => {
  using folder = scratchFolder();
  await fc.assert(
    fc.asyncProperty(recordings, async ({ kinds, records, groupRows }) => {
      const meta = { ...META, layouts: kinds };
      const batch = batchOf(records);
      const path = folder.file('a.parquet');
      const result = writeParquet({ meta, batches: [batch] }, path, { groupRows });
      expect(result).toMatchObject({ rows: records.length, misfits: 0 });
      const recording = await openRecording(path, { layouts: kinds });
      expect(recording.damage).toBeNull();
      expect(recording.rows).toBe(records.length);
      expect(sameLanes(lanesOf(recording.batches()), batch.lanes)).toBe(true);
    }),
    { numRuns: 600 },
  );
});

/** Two kinds: one alone, both by turns to about a power of two, where columns get more room, and the other alone. */
const phases = fc.record({
  alone: fc.integer({ min: 0, max: 100 }),
  end: fc.constantFrom(256, 512, 1024).chain((room) => fc.integer({ min: room - 20, max: room + 20 })),
  others: fc.integer({ min: 0, max: 500 }),
});

test('Parquet: whatever rows of a group a kind has', { timeout: 120_000 }, async () => {
  using folder = scratchFolder();
  const kinds = [1, 2].map((number) => layout(`xsk_${number}`, number, 'xsk', { [`own_${number}`]: 'u32' }));
  const records = kinds.map((kind) =>
    slotsOf({ kind, seq: 1n, ts: 2n, tid: 3, tgid: 4, flags: 0, cpu: 5 }, {}),
  );
  await fc.assert(
    fc.asyncProperty(phases, async ({ alone, end, others }) => {
      const which = Array.from({ length: end + others }, (_, row) =>
        row < alone ? 0 : row < end ? row % 2 : 1,
      );
      const batch = batchOf(which.map((kind) => records[kind] as Uint32Array));
      const path = folder.file('a.parquet');
      writeParquet({ meta: { ...META, layouts: kinds }, batches: [batch] }, path);
      const recording = await openRecording(path, { layouts: kinds });
      expect(sameLanes(lanesOf(recording.batches()), batch.lanes)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('raw: reading gives the slots that were written', { timeout: 60_000 }, async () => {
  using folder = scratchFolder();
  await fc.assert(
    fc.asyncProperty(recordings, async ({ kinds, records }) => {
      const { lanes, slots } = batchOf(records);
      const raw = beginRaw(folder.file('a.raw'));
      writeSync(raw.fd, new Uint8Array(lanes.buffer), 0, lanes.byteLength, RAW_HEADER_BYTES);
      raw.finish(slots, { ...META, layouts: kinds });
      const recording = await openRecording(folder.file('a.raw'), { layouts: kinds });
      expect(recording).toMatchObject({ rows: records.length, damage: null });
      expect(sameLanes(lanesOf(recording.batches()), lanes)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('the fields of a layout lie inside its record', () => {
  fc.assert(
    fc.property(layouts, (kinds) => {
      for (const kind of kinds) {
        for (const { offset, size } of kind.fields)
          expect(offset >= HEAD_BYTES && offset + size <= kind.size).toBe(true);
      }
    }),
  );
});

/** Values with runs in them, as columns have. */
const runs = (max: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max }), fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }))), {
      maxLength: 60,
    })
    .map((list) => list.flatMap(([value, times]) => Array<number>(times).fill(value)));

test('hybrid of runs and packed groups', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 17 }).chain((width) => fc.tuple(fc.constant(width), runs(2 ** width - 1))),
      ([width, values]) => {
        const sink = createSink(1);
        encodeHybrid(sink, Uint32Array.from(values), values.length, width);
        const cursor = createCursor(sink.bytes.subarray(0, sink.length));
        const out = new Uint32Array(values.length);
        decodeHybrid(cursor, out, values.length, width, 2 ** width - 1);
        expect([...out]).toEqual(values);
        expect(cursor.at).toBe(sink.length);
      },
    ),
    { numRuns: 1000 },
  );
});

test('levels, also where they are known only up to the last row that has a value', () => {
  fc.assert(
    fc.property(runs(1), fc.nat(300), fc.nat(1000), (known, spare, more) => {
      const levels = [...known, ...new Array<number>(more).fill(0)];
      const sink = createSink(1);
      const present = levels.filter((level) => level === 1).length;
      const told = Math.min(levels.lastIndexOf(1) + 1 + spare, levels.length);
      encodeLevels(sink, Uint32Array.from(levels.slice(0, told)), levels.length, present);
      const out = new Uint16Array(levels.length + LEVELS_SLACK);
      const count = decodeLevels(createCursor(sink.bytes.subarray(0, sink.length)), out, levels.length);
      expect([...out.subarray(0, count)]).toEqual(levels.flatMap((level, row) => (level === 1 ? [row] : [])));
    }),
  );
});

test('deltas of 64 and of 32 bits', () => {
  const wide = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 2 ** 52 - 1 }), fc.integer({ min: 0, max: 300 })),
    { maxLength: 400 },
  );
  const narrow = fc.array(
    fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 300 })),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        wide.map((list) => ({ list, high: true })),
        narrow.map((list) => ({ list, high: false })),
      ),
      ({ list, high }) => {
        const sink = createSink(1);
        const encoded = encodeDelta(sink, Float64Array.from(list), list.length, high ? 53 : 32, Infinity);
        if (!encoded) return;
        const low = new Uint32Array(list.length);
        const upper = high ? new Uint32Array(list.length) : null;
        decodeDelta(createCursor(sink.bytes.subarray(0, sink.length)), low, upper, list.length);
        const back = Array.from(low, (value, i) =>
          upper === null ? value | 0 : value + (upper[i] as number) * 2 ** 32,
        );
        expect(back).toEqual(list);
      },
    ),
    { numRuns: 1000 },
  );
});

test('texts', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(bytes, fc.constantFrom('ip', 'mac', 'text'), (all, form) => {
      const own = form === 'mac' ? all.subarray(0, 6) : all.slice();
      if (form === 'text' && own.includes(0)) own.fill(0, own.indexOf(0));
      expect([...parseText(form, formatText(form, own), own.length)]).toEqual([...own]);
    }),
    { numRuns: 2000 },
  );
});
