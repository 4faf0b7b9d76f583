// Reads a recording's Parquet file back into slots, trusting none of it.

import { closeSync, fstatSync, openSync } from 'node:fs';
import type { RecordLayout } from '../model/layout.ts';
import { FlightringError, RecordingError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import { type ChunkValues, createChunkValues, decodeChunk } from './chunk.ts';
import { type Column, type ColumnPlan, COMMON, GROUP_ROWS, planColumns, type Storage } from './columns.ts';
import { SLACK_BYTES } from './decode.ts';
import { type Footer, type GroupFacts, PHYSICAL, readFooter, REPETITION } from './footer.ts';
import { checkPartSize, type Damage, type GroupRange, readInto, verifyFile } from './integrity.ts';
import { parseMeta } from './meta.ts';
import { createScatter, HEAD_COLUMNS } from './scatter.ts';
import { pairKinds } from './translate.ts';

export interface ReadOptions {
  /** The layouts that records are wanted in. */
  readonly layouts: readonly RecordLayout[];
  /** Only records of these kinds; the slots of others are counted in `skipped` of the batches. */
  readonly kinds?: ReadonlySet<string>;
  /** Lanes of a batch are used again for the next one. */
  readonly reuse?: boolean;
}

export interface ParquetRecording {
  readonly meta: RecordingMeta;
  /** Rows in the file, those behind the damage included. */
  readonly rows: number;
  readonly damage: Damage | null;
  /** The records up to the damage; counts those of kinds that the wanted layouts lack. */
  batches(options: ReadOptions, unknown: Map<string, number>): Generator<Batch, void, undefined>;
}

/** Opens a Parquet recording: checks all its bytes, then its structure. */
export function readParquet(path: string): ParquetRecording {
  const fd = openSync(path, 'r');
  try {
    const { footer: bytes, groups, goodGroups, damage } = verifyFile(fd, fstatSync(fd).size, path);
    const footer = inWords(path, 'at its footer', () => readFooter(bytes.subarray(0, -8)));
    const json = footer.keyValues.get('flightring');
    if (json === undefined) {
      throw new RecordingError(
        'NOT_A_RECORDING',
        `${path} is a Parquet file without the description of a recording.`,
      );
    }
    const meta = parseMeta(json);
    const plan = planColumns(meta.layouts);
    checkSchema(footer, plan, path);
    const chunks = inWords(path, 'at its footer', () => locateAll(footer, groups, plan, path));
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    const good = groups.slice(0, goodGroups);
    return {
      meta,
      rows,
      damage,
      batches: (options, unknown) => readGroups(path, good, chunks, plan, options, unknown),
    };
  } finally {
    closeSync(fd);
  }
}

/** What a parser says of a file whose checksums are right is said with the file's name, as an error of the recording. */
function inWords<T>(path: string, where: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof FlightringError && cause.code !== 'BAD_PAGE' && cause.code !== 'BAD_VALUE')
      throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RecordingError('BAD_STRUCTURE', `${path} can't be read ${where}: ${why}`, { cause });
  }
}

const PHYSICAL_OF: Readonly<Record<Storage, number>> = {
  u32: PHYSICAL.int32,
  s32: PHYSICAL.int32,
  u64: PHYSICAL.int64,
  i64: PHYSICAL.int64,
  text: PHYSICAL.bytes,
};

function checkSchema({ schema }: Footer, plan: ColumnPlan, path: string): void {
  const [root, ...elements] = schema;
  const fits = (column: Column, index: number): boolean => {
    const element = elements[index];
    return (
      element !== undefined &&
      element.name === column.name &&
      element.type === PHYSICAL_OF[column.storage] &&
      element.repetition === (column.required ? REPETITION.required : REPETITION.optional)
    );
  };
  const wrong = plan.columns.findIndex((column, index) => !fits(column, index));
  if (wrong >= 0 || elements.length !== plan.columns.length || root?.children !== plan.columns.length) {
    const name = plan.columns[wrong]?.name ?? `the number of columns, ${elements.length}`;
    throw new RecordingError(
      'BAD_STRUCTURE',
      `${path} has columns that don't fit its own record layouts: see ${name}.`,
    );
  }
}

/** The lengths of the columns of each row group, which lie one after the other. */
type Chunks = readonly Uint32Array[];

function locateAll(footer: Footer, ranges: readonly GroupRange[], plan: ColumnPlan, path: string): Chunks {
  const chunks: Uint32Array[] = [];
  footer.readGroups((index, group) => {
    const range = ranges[index];
    if (range !== undefined) chunks.push(locateChunks(group, index, range, plan, path));
  });
  const [missing] = ranges.slice(chunks.length);
  if (missing !== undefined)
    throw new RecordingError(
      'BAD_STRUCTURE',
      `${path} contradicts itself: ${ranges.length} row groups in the checksums, ${chunks.length} in the footer.`,
    );
  return chunks;
}

/** The columns of a row group by number: one after the other, exactly the bytes that its checksums cover. */
function locateChunks(
  group: GroupFacts,
  index: number,
  range: GroupRange,
  plan: ColumnPlan,
  path: string,
): Uint32Array {
  const refuse = (what: string): RecordingError =>
    new RecordingError('BAD_STRUCTURE', `${path} has a row group ${index} that contradicts itself: ${what}.`);
  if (group.rows !== range.rows || range.rows < 1 || range.rows > GROUP_ROWS) {
    throw refuse(`${group.rows} rows in the footer, ${range.rows} in the checksums, at most ${GROUP_ROWS}`);
  }
  if (group.columns !== plan.columns.length) throw refuse(`it has ${group.columns} columns`);
  if (!group.plain) throw refuse('a column is compressed');
  checkPartSize(range.start, range.end - range.start);
  const lengths = new Uint32Array(group.columns);
  let at = range.start;
  for (let column = 0; column < group.columns; column++) {
    const start = group.starts[column] as number;
    const length = group.lengths[column] as number;
    if (start !== at || !(length > 0 && at + length <= range.end)) {
      throw refuse(`a column of ${length} bytes at ${start}, ${range.end - at} bytes are left at ${at}`);
    }
    lengths[column] = length;
    at += length;
  }
  if (at !== range.end) throw refuse(`${range.end - at} bytes belong to no column`);
  return lengths;
}

function* readGroups(
  path: string,
  groups: readonly GroupRange[],
  chunks: Chunks,
  plan: ColumnPlan,
  { layouts, kinds, reuse = false }: ReadOptions,
  unknown: Map<string, number>,
): Generator<Batch, void, undefined> {
  const targets = pairKinds(plan.kinds, layouts).map((kind) => ({
    ...kind,
    left: kinds !== undefined && !kinds.has(kind.from.kind),
  }));
  const scatter = createScatter(targets, unknown, {
    reuse,
    tolerant: false,
    rows: groups.reduce((most, { rows }) => Math.max(most, rows), 0),
  });
  const values: ChunkValues[] = plan.columns.map(createChunkValues);
  const longest = groups.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const memory = new Uint8Array(longest + SLACK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (const [index, group] of groups.entries()) {
      const where = `between byte ${group.start} and ${group.end}`;
      const bytes = memory.subarray(0, group.end - group.start);
      readInto(fd, group.start, bytes);
      const lengths = chunks[index] as Uint32Array;
      const batches = inWords(path, where, () => {
        const starts = startsOf(lengths);
        const decode = (place: number): void => {
          const start = starts[place] as number;
          const chunk = bytes.subarray(start, start + (lengths[place] as number));
          decodeChunk(chunk, plan.columns[place] as Column, group.rows, values[place] as ChunkValues);
        };
        for (const place of HEAD_COLUMNS) decode(place);
        for (const place of scatter.columnsFor((values[COMMON.kind] as ChunkValues).strings)) decode(place);
        return scatter.batches(values, group.rows);
      });
      for (;;) {
        const next = inWords(path, where, () => batches.next());
        if (next.done === true) break;
        yield next.value;
      }
    }
  } finally {
    closeSync(fd);
  }
}

function startsOf(lengths: Uint32Array): Uint32Array {
  const starts = new Uint32Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) starts[i] = (starts[i - 1] as number) + (lengths[i - 1] as number);
  return starts;
}
