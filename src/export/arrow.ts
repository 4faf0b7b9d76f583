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
import { type Column, GROUP_ROWS } from '../recording/columns.ts';
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
  const used = survey(columns, groups());
  const time = new TimestampNanosecond('UTC');
  const schema = new Schema(
    [
      ...used.map(({ name, type, required }) => new Field(name, type, !required)),
      new Field('time', time, false),
    ],
    new Map([['flightring', serialiseMeta(source.meta)]]),
  );
  const outbox = new Outbox();
  const writer = new RecordBatchFileWriter();
  writer.reset(outbox, schema);
  const ahead = BigInt(source.meta.clocks.realtimeNs) - BigInt(source.meta.clocks.monotonicNs);
  const type = new Struct(schema.fields);
  const read = createGroupReader(used);
  for (const gatherer of groups()) {
    const { rows: length } = gatherer;
    const children = read(gatherer);
    const times = BigInt64Array.from(children[TS]?.values as BigInt64Array, (ns) => ns + ahead);
    children.push(makeData({ type: time, length, nullCount: 0, data: times }));
    writer.write(new RecordBatch(schema, makeData({ type, length, nullCount: 0, children })));
    yield* outbox.pieces;
    outbox.pieces = [];
  }
  writer.finish();
  yield* outbox.pieces;
}

/** Place of `ts` among the columns (COMMON in src/recording/columns.ts), of which the first two always have values. */
const TS = 1;

/** The texts of one column in order of appearance. */
interface Texts {
  readonly vector: Vector<Utf8>;
  /** By the gatherer's number of a text, its number in this column. */
  readonly numbers: readonly number[];
}

/** A column that has a value somewhere. */
interface UsedColumn extends Column {
  /** Among all columns. */
  readonly place: number;
  readonly type: DataType;
  readonly texts: Texts | null;
}

/** Which columns have values, and which texts are in them. */
function survey(columns: readonly Column[], groups: Iterable<Gatherer>): readonly UsedColumn[] {
  const used = columns.map(({ required }) => required);
  const found = columns.map(({ storage }) =>
    storage === 'text' ? { numbers: [] as number[], of: [] as number[] } : null,
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
  return columns.flatMap((column, place): UsedColumn[] => {
    if (!used[place]) return [];
    const texts = found[place] ?? null;
    if (texts === null) return [{ ...column, place, type: typeOf(column), texts }];
    const type = new Dictionary(new Utf8(), new Int32(), place);
    const vector = new Vector([utf8(texts.of.map((number) => list[number] as string))]);
    return [{ ...column, place, type, texts: { vector, numbers: texts.numbers } }];
  });
}

function utf8(texts: readonly string[]): Data<Utf8> {
  const bytes = texts.map((text) => Buffer.from(text, 'utf8'));
  const valueOffsets = new Int32Array(texts.length + 1);
  for (const [at, text] of bytes.entries()) valueOffsets[at + 1] = (valueOffsets[at] as number) + text.length;
  const data = new Uint8Array(Buffer.concat(bytes));
  return makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data });
}

function typeOf({ storage }: Column): DataType {
  switch (storage) {
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

type GroupReader = (gatherer: Gatherer) => Data[];

/** The same memory is used for every row group. */
function createGroupReader(used: readonly UsedColumn[]): GroupReader {
  const readers = used.map((column) => {
    const { storage, place, type, texts } = column;
    const wide = storage === 'u64' || storage === 'i64';
    const buffer = new ArrayBuffer(GROUP_ROWS * (wide ? 8 : 4));
    const mask = new Uint8Array(GROUP_ROWS >> 3);
    return ({ columns, rows: length }: Gatherer): Data => {
      const values = columns[place] as ColumnValues;
      spread(new Uint32Array(buffer), values, length, wide, texts?.numbers);
      const nullCount = length - values.count;
      const common = { length, nullCount, nullBitmap: nullCount > 0 ? maskOf(values, length, mask) : null };
      if (texts) {
        const data = new Int32Array(buffer, 0, length);
        return makeData({ type: type as Dictionary<Utf8, Int32>, ...common, data, dictionary: texts.vector });
      }
      return makeData({
        type: type as Int64,
        ...common,
        data: viewOf(storage, buffer, length) as BigInt64Array,
      });
    };
  });
  return (gatherer) => readers.map((read) => read(gatherer));
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
function maskOf({ present }: ColumnValues, rows: number, mask: Uint8Array): Uint8Array {
  mask.fill(0);
  for (let row = 0; row < rows; row++)
    if (present === null || present[row] === 1)
      mask[row >> 3] = (mask[row >> 3] as number) | (1 << (row & 7));
  return mask.subarray(0, (rows + 7) >> 3);
}
