// Arrow's IPC file format: the columns of the Parquet file with their types, texts by dictionary, and the time of day.

import {
  AsyncByteQueue,
  type Data,
  type DataType,
  Dictionary,
  Field,
  Int32,
  Int64,
  makeData,
  Null,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  TimestampNanosecond,
  Uint32,
  Uint64,
  Utf8,
  Vector,
} from 'apache-arrow';
import type { Column } from '../recording/columns.ts';
import type { ColumnValues, Gatherer } from '../recording/gather.ts';
import { serialiseMeta } from '../recording/meta.ts';
import { createRowGroups } from './rows.ts';
import type { ExportSource } from './source.ts';

/** What the writer writes to; every view is to be used before the next row group is gathered. */
class Outbox extends AsyncByteQueue<Uint8Array> {
  pieces: Uint8Array[] = [];

  override write(piece: Uint8Array): void {
    this.pieces.push(piece);
  }

  override close(): void {}
}

export function* exportArrow(source: ExportSource): Generator<Uint8Array, void, undefined> {
  const { columns, groups } = createRowGroups(source);
  // Not every reader takes dictionaries that grow: all texts are known before the first row is written.
  const { used, dictionaries } = survey(columns, groups());
  // A column without any value takes no room.
  const types = columns.map((column, place) =>
    used[place] ? typeOf(column, dictionaries[place]) : new Null(),
  );
  const time = new TimestampNanosecond('UTC');
  const schema = new Schema(
    [
      ...columns.map(({ name, required }, place) => new Field(name, types[place] as DataType, !required)),
      new Field('time', time, false),
    ],
    new Map([['flightring', serialiseMeta(source.meta)]]),
  );
  const outbox = new Outbox();
  const writer = new RecordBatchFileWriter();
  writer.reset(outbox, schema);
  const ahead = BigInt(source.meta.clocks.realtimeNs) - BigInt(source.meta.clocks.monotonicNs);
  const row = new Struct(schema.fields);
  const write = (children: readonly Data[], length: number): void =>
    writer.write(
      new RecordBatch(schema, makeData({ type: row, length, nullCount: 0, children: [...children] })),
    );
  const group = createGroupReader(columns, types, dictionaries);
  for (const gatherer of groups()) {
    const children = group(gatherer);
    const ts = children[TS]?.values as BigInt64Array;
    const times = BigInt64Array.from(ts.subarray(0, gatherer.rows), (ns) => ns + ahead);
    write([...children, makeData({ type: time, length: times.length, data: times })], gatherer.rows);
    yield* outbox.pieces;
    outbox.pieces = [];
  }
  writer.finish();
  yield* outbox.pieces;
}

/** Place of `ts` among the columns (COMMON in src/recording/columns.ts). */
const TS = 1;

/** The texts of one column in order of appearance. */
interface Texts {
  readonly type: Dictionary<Utf8, Int32>;
  readonly vector: Vector<Utf8>;
  /** By the gatherer's number of a text, its number in this column. */
  readonly numbers: readonly number[];
}

interface Survey {
  readonly used: readonly boolean[];
  readonly dictionaries: readonly (Texts | undefined)[];
}

/** Which columns have values, and which texts are in them. */
function survey(columns: readonly Column[], groups: Iterable<Gatherer>): Survey {
  const used = columns.map(({ required }) => required);
  const found = columns.map(({ storage }) =>
    storage === 'text' ? { numbers: [] as number[], of: [] as number[] } : undefined,
  );
  let list: readonly string[] = [];
  for (const gatherer of groups) {
    list = gatherer.strings.list;
    for (const [place, texts] of found.entries()) {
      const { low, count } = gatherer.columns[place] as ColumnValues;
      if (count > 0) used[place] = true;
      if (!texts) continue;
      for (let at = 0; at < count; at++) {
        const number = low[at] as number;
        if (texts.numbers[number] === undefined) texts.numbers[number] = texts.of.push(number) - 1;
      }
    }
  }
  const dictionaries = found.map(
    (texts, id) =>
      texts && {
        type: new Dictionary(new Utf8(), new Int32(), id),
        vector: new Vector([utf8(texts.of.map((number) => list[number] as string))]),
        numbers: texts.numbers,
      },
  );
  return { used, dictionaries };
}

function utf8(texts: readonly string[]): Data<Utf8> {
  const bytes = texts.map((text) => Buffer.from(text, 'utf8'));
  const valueOffsets = new Int32Array(texts.length + 1);
  for (const [at, text] of bytes.entries()) valueOffsets[at + 1] = (valueOffsets[at] as number) + text.length;
  const data = new Uint8Array(Buffer.concat(bytes));
  return makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data });
}

function typeOf({ storage }: Column, texts: Texts | undefined): DataType {
  switch (storage) {
    case 'text':
      return (texts as Texts).type;
    case 'u32':
      return new Uint32();
    case 's32':
      return new Int32();
    case 'u64':
      return new Uint64();
    default:
      return new Int64();
  }
}

type GroupReader = (gatherer: Gatherer) => readonly Data[];

/** The same memory is used for every row group. */
function createGroupReader(
  columns: readonly Column[],
  types: readonly DataType[],
  dictionaries: readonly (Texts | undefined)[],
): GroupReader {
  const memory: (ArrayBuffer | undefined)[] = [];
  const masks: (Uint8Array | undefined)[] = [];
  return ({ columns: all, rows }) =>
    columns.map(({ storage }, place) => {
      const values = all[place] as ColumnValues;
      const type = types[place] as DataType;
      if (type instanceof Null) return makeData({ type, length: rows });
      const wide = storage === 'u64' || storage === 'i64';
      const buffer = (memory[place] ??= new ArrayBuffer(values.low.length * (wide ? 8 : 4)));
      const numbers = dictionaries[place]?.numbers;
      const lanes = new Uint32Array(buffer);
      spread(lanes, values, rows, wide, numbers);
      const mask =
        values.present &&
        maskOf(values.present, rows, (masks[place] ??= new Uint8Array(values.low.length >> 3)));
      const common = {
        length: rows,
        nullCount: rows - values.count,
        ...(mask && values.count < rows ? { nullBitmap: mask } : {}),
      };
      const texts = dictionaries[place];
      if (texts)
        return makeData({
          type: texts.type,
          ...common,
          data: new Int32Array(buffer, 0, rows),
          dictionary: texts.vector,
        });
      return makeData({ type, ...common, data: viewOf(storage, buffer, rows) } as Parameters<
        typeof makeData
      >[0]);
    });
}

function viewOf(storage: Column['storage'], buffer: ArrayBuffer, rows: number) {
  switch (storage) {
    case 'u64':
      return new BigUint64Array(buffer, 0, rows);
    case 'i64':
      return new BigInt64Array(buffer, 0, rows);
    case 's32':
      return new Int32Array(buffer, 0, rows);
    default:
      return new Uint32Array(buffer, 0, rows);
  }
}

/** Puts each value into its row; 0 where there is none. */
function spread(
  lanes: Uint32Array,
  { present, low, high }: ColumnValues,
  rows: number,
  wide: boolean,
  numbers: readonly number[] | undefined,
): void {
  let next = 0;
  for (let row = 0; row < rows; row++) {
    const has = present === null || present[row] === 1;
    const value = has ? (low[next] as number) : 0;
    if (wide) {
      lanes[row * 2] = value;
      lanes[row * 2 + 1] = has ? (high?.[next] as number) : 0;
    } else lanes[row] = numbers && has ? (numbers[value] as number) : value;
    if (has) next++;
  }
}

/** A bit for each row that has a value. */
function maskOf(present: Uint32Array, rows: number, mask: Uint8Array): Uint8Array {
  mask.fill(0);
  for (let row = 0; row < rows; row++)
    if (present[row] === 1) mask[row >> 3] = (mask[row >> 3] as number) | (1 << (row & 7));
  return mask.subarray(0, (rows + 7) >> 3);
}
