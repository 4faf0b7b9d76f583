// Writes a recording of as many bytes as wanted: row groups of noise, written once and repeated, each byte under a checksum.

import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import parquet from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import thriftUtil from 'parquetjs-lite/lib/util.js';
import { HealthyObjects } from '../bench/healthy.ts';
import { KIND, LANE, LAYOUTS } from '../src/generated/layouts.ts';
import type { ObjectEntry } from '../src/model/objects.ts';
import type { RecordingMeta } from '../src/model/recording.ts';
import { type Batch, HEAD, SLOT_LANES } from '../src/model/slot.ts';
import { readFooter } from '../src/recording/footer.ts';
import { ChecksumBuilder, fileHead } from '../src/recording/integrity.ts';
import { serialiseMeta } from '../src/recording/meta.ts';
import { writeParquet } from '../src/recording/parquet-write.ts';

const GROUP_ROWS = 65_536;
const KINDS = [KIND.xsk_fill_submit, KIND.xsk_rx_write, KIND.xsk_tx_submit, KIND.xsk_comp_submit];

/** One full row group of events whose numbers no encoding makes shorter. */
function noise(): Batch {
  const lanes = new Uint32Array(GROUP_ROWS * SLOT_LANES);
  let state = 7;
  const random = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0);
  for (let slot = 0; slot < GROUP_ROWS; slot++) {
    const at = slot * SLOT_LANES;
    for (let lane = 0; lane < SLOT_LANES; lane++) lanes[at + lane] = random() ^ (random() >>> 16);
    lanes[at + HEAD.seqLow] = slot + 1;
    lanes[at + HEAD.seqHigh] = 0;
    lanes[at + HEAD.tsHigh] = slot;
    lanes[at + HEAD.kindFlags] = KINDS[slot % KINDS.length] as number;
    lanes[at + HEAD.cpu] = slot & 1;
    lanes[at + LANE.xsk_fill_submit.object] = 1 + (slot & 1);
    // Jumps of a ring's position would be holes, at each of which everything is forgotten.
    lanes[at + LANE.xsk_fill_submit.position] = slot >> 2;
  }
  return { lanes, slots: GROUP_ROWS };
}

function describe(): RecordingMeta {
  const objects = new HealthyObjects(1);
  return {
    format: 1,
    flightring: '0.1.0',
    createdAt: '2026-01-02T03:04:05.678Z',
    kernel: { release: '6.1.0-test', machine: 'x86_64', cpus: 2 },
    clocks: { monotonicNs: '0', realtimeNs: '1767323045678000000', errorNs: 120 },
    layouts: LAYOUTS,
    objects: Array.from({ length: objects.length }, (_, index) => objects.get(index) as ObjectEntry),
    threads: [],
    coverage: [],
    freeze: null,
    invariants: [{ name: 'xsk.ownership', version: 1 }],
    violations: [],
    counts: {},
    loss: { overwritten: 0, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
    notes: ['Noise, again and again.'],
  };
}

/** Writes at least `bytes` bytes; returns the number of events. */
export function writeRepeatedRecording(path: string, bytes: number): number {
  const once = `${path}.once`;
  const meta = describe();
  writeParquet({ meta, batches: [noise()] }, once);
  const file = readFileSync(once);
  rmSync(once);
  const footerBytes = file.readUInt32LE(file.length - 8);
  const footer = readFooter(file.subarray(file.length - 8 - footerBytes, -8));
  let starts: number[] = [];
  let lengths: number[] = [];
  footer.readGroups((_, group) => {
    starts = [...group.starts.subarray(0, group.columns)];
    lengths = [...group.lengths.subarray(0, group.columns)];
  });
  const from = starts[0] as number;
  const group = file.subarray(from, from + lengths.reduce((sum, length) => sum + length, 0));
  const names = footer.schema.slice(1).map(({ name }) => name);
  const checksums = new ChecksumBuilder();
  const fd = openSync(path, 'w');
  writeSync(fd, file.subarray(0, from));
  const groups: Buffer[] = [];
  for (let at = from; at - from < bytes; at += group.length) {
    writeSync(fd, group);
    checksums.add(group);
    checksums.endGroup(GROUP_ROWS);
    groups.push(
      groupStruct(
        names,
        starts.map((start) => start - from + at),
        lengths,
      ),
    );
  }
  const whole = fileFooter(footer.schema, groups, serialiseMeta(meta));
  const { block, fileBytes } = checksums.finish(whole);
  writeSync(fd, block);
  writeSync(fd, whole);
  writeSync(fd, fileHead(fileBytes), 0, 24, 4);
  closeSync(fd);
  return groups.length * GROUP_ROWS;
}

function groupStruct(
  names: readonly string[],
  starts: readonly number[],
  lengths: readonly number[],
): Buffer {
  const columns = names.map((name, i) => {
    const length = lengths[i] as number;
    const meta_data = new parquet.ColumnMetaData({
      type: 1,
      encodings: [0],
      path_in_schema: [name],
      codec: 0,
      num_values: GROUP_ROWS,
      total_uncompressed_size: length,
      total_compressed_size: length,
      data_page_offset: starts[i] as number,
    });
    return new parquet.ColumnChunk({ file_offset: starts[i] as number, meta_data });
  });
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return thriftUtil.serializeThrift(
    new parquet.RowGroup({ columns, total_byte_size: total, num_rows: GROUP_ROWS }),
  );
}

/** FileMetaData put together by hand, so that no object per column of each group is needed at once. */
function fileFooter(
  schema: ReturnType<typeof readFooter>['schema'],
  groups: readonly Buffer[],
  description: string,
): Buffer {
  const varint = (value: number): number[] =>
    value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
  const zigzag = (value: number): number[] => varint(value * 2);
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from(varint(Buffer.byteLength(value))), Buffer.from(value)]);
  const list = (length: number): number[] => [0xfc, ...varint(length)];
  const elements = schema.map(({ name, type, repetition, children }, i) =>
    i === 0
      ? Buffer.concat([Buffer.from([0x48]), text(name), Buffer.from([0x15, ...zigzag(children), 0])])
      : Buffer.concat([
          Buffer.from([0x15, ...zigzag(type), 0x25, ...zigzag(repetition), 0x18]),
          text(name),
          Buffer.from([0]),
        ]),
  );
  const body = Buffer.concat([
    Buffer.from([0x15, ...zigzag(1), 0x19, ...list(elements.length)]),
    ...elements,
    Buffer.from([0x16, ...zigzag(groups.length * GROUP_ROWS), 0x19, ...list(groups.length)]),
    ...groups,
    Buffer.from([0x19, 0x1c, 0x18]),
    text('flightring'),
    Buffer.from([0x18]),
    text(description),
    Buffer.from([0, 0]),
  ]);
  const tail = Buffer.alloc(8, 'xxxxPAR1');
  tail.writeUInt32LE(body.length);
  return Buffer.concat([body, tail]);
}
