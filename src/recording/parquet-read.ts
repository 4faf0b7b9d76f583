// Reads a recording's Parquet file back into slots, trusting none of it.

import { closeSync, fstatSync } from 'node:fs';
import type { RecordLayout } from '../model/layout.ts';
import { FlightringError, RecordingError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import { type ChunkValues, createChunkValues, decodeChunk } from './chunk.ts';
import { type Column, type ColumnPlan, COMMON, GROUP_ROWS, planColumns, type Storage } from './columns.ts';
import { SLACK_BYTES } from './decode.ts';
import { openToRead } from './files.ts';
import {
  type Footer,
  type GroupFacts,
  PHYSICAL,
  readFooter,
  REPETITION,
  type SchemaElement,
} from './footer.ts';
import {
  checkPartSize,
  type Damage,
  type GroupRange,
  hasFileHead,
  readInto,
  readUnchecked,
  type Verified,
  verifyFile,
} from './integrity.ts';
import { type Newer, readDescription } from './meta.ts';
import { createScatter, HEAD_COLUMNS } from './scatter.ts';
import { pairKinds, partialKinds } from './translate.ts';

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
  /** Not null for a recording of a newer version. */
  readonly newer: Newer | null;
  /** Rows in the file, those behind the damage included. */
  readonly rows: number;
  readonly damage: Damage | null;
  /** The records up to the damage; counts those of kinds that the wanted layouts lack. */
  batches(options: ReadOptions, unknown: Map<string, number>): Generator<Batch, void, undefined>;
}

/** Opens a Parquet recording: checks all its bytes, then its structure. */
export function readParquet(path: string): ParquetRecording {
  const fd = openToRead(path);
  try {
    const { footer: bytes, groups, goodGroups, damage } = verify(fd, fstatSync(fd).size, path);
    const footer = inWords(path, 'at its footer', () => readFooter(bytes.subarray(0, -8)));
    const json = footer.keyValues.get('flightring');
    if (json === undefined) throw notOurs(path, fstatSync(fd).size, footer, true);
    const { meta, newer } = readDescription(json);
    const plan = planOf(meta.layouts);
    const leftOut = [...(newer?.leftOut ?? [])];
    const file =
      newer === null ? wholeFile(footer, plan, path) : knownPart(footer, plan, path, newer, leftOut);
    const chunks = inWords(path, 'at its footer', () => locateAll(footer, groups, file.columns, path));
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    const good = groups.slice(0, goodGroups);
    return {
      meta,
      newer: newer === null ? null : { ...newer, leftOut, partial: partialKinds(plan.kinds, file.places) },
      rows,
      damage,
      batches: (options, unknown) =>
        readGroups(path, good, { plan, chunks, tolerant: newer !== null, ...file }, options, unknown),
    };
  } finally {
    closeSync(fd);
  }
}

/** Plans made so far by their layouts: of many recordings most have the same. */
const plans = new Map<string, ColumnPlan>();
const PLANS_MAX = 8;

function planOf(layouts: readonly RecordLayout[]): ColumnPlan {
  const key = JSON.stringify(layouts);
  let plan = plans.get(key);
  if (plan === undefined) {
    plan = planColumns(layouts);
    if (plans.size >= PLANS_MAX) plans.clear();
    plans.set(key, plan);
  }
  return plan;
}

/** Checks all bytes; of a file without our checksums says what else it is. */
function verify(fd: number, size: number, path: string): Verified {
  try {
    return verifyFile(fd, size, path);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    const bytes = readUnchecked(fd, size);
    if (bytes === null) throw error;
    let footer: Footer;
    try {
      footer = readFooter(bytes);
    } catch {
      throw error;
    }
    if (error.code === 'BAD_FOOTER' || footer.schema.length === 0) throw error;
    // With all its parts there it is ours, and damaged.
    if (footer.keyValues.has('flightring') && hasFileHead(fd, size)) throw error;
    throw notOurs(path, size, footer, false);
  }
}

/** What a Parquet file lacks of what makes a recording. */
function notOurs(path: string, size: number, footer: Footer, checksums: boolean): RecordingError {
  const names = new Set(footer.schema.slice(1).map(({ name }) => name));
  const columns = planColumns([]).columns.filter(({ name }) => !names.has(name));
  const described = footer.keyValues.has('flightring');
  const missing = [
    described ? '' : 'the description (the key "flightring" in its footer)',
    checksums ? '' : 'the block of checksums before its footer',
    columns.length === 0 ? '' : `the columns ${columns.map(({ name }) => name).join(', ')}`,
  ].filter((part) => part !== '');
  const by = footer.createdBy === '' ? '' : `, written by ${footer.createdBy.slice(0, 100)}`;
  const what = described
    ? `a recording that another program has written anew${by}, so that nothing vouches for it; use the original`
    : `a Parquet file of ${size} bytes${by}, but no recording`;
  return new RecordingError('NOT_A_RECORDING', `${path} is ${what}: it lacks ${inWordsAnd(missing)}.`);
}

function inWordsAnd(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** Where the planned columns are in the file: by planned column its number there, or -1; and how many there are. */
interface FileColumns {
  readonly places: Int32Array;
  readonly columns: number;
}

/** This version's recordings have exactly the columns that their layouts demand, in that order. */
function wholeFile(footer: Footer, plan: ColumnPlan, path: string): FileColumns {
  checkSchema(footer, plan, path);
  return { places: Int32Array.from(plan.columns, (_, place) => place), columns: plan.columns.length };
}

/** Of a newer version's recording the columns that are as they are here; the others are noted. */
function knownPart(
  { schema }: Footer,
  { columns }: ColumnPlan,
  path: string,
  { flightring, format }: Newer,
  leftOut: string[],
): FileColumns {
  const elements = schema.slice(1);
  const places = Int32Array.from(columns, (column) =>
    elements.findIndex((element) => element.name === column.name && isColumn(element, column)),
  );
  const missing = HEAD_COLUMNS.find((place) => (places[place] as number) < 0);
  if (missing !== undefined)
    throw new RecordingError(
      'TOO_NEW',
      `${path} was made by flightring ${flightring} (format ${format}), which is newer than this one, and has no column ${columns[missing]?.name} that this one could read.`,
    );
  const known = new Set(places);
  leftOut.push(...elements.flatMap(({ name }, i) => (known.has(i) ? [] : [`column ${name.slice(0, 64)}`])));
  leftOut.push(
    ...columns.flatMap(({ name }, place) => ((places[place] as number) < 0 ? [`column ${name}`] : [])),
  );
  return { places, columns: elements.length };
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

function isColumn(element: SchemaElement, { storage, required }: Column): boolean {
  return (
    element.type === PHYSICAL_OF[storage] &&
    element.repetition === (required ? REPETITION.required : REPETITION.optional)
  );
}

function checkSchema({ schema }: Footer, plan: ColumnPlan, path: string): void {
  const [root, ...elements] = schema;
  const wrong = plan.columns.findIndex((column, index) => {
    const element = elements[index];
    return element === undefined || element.name !== column.name || !isColumn(element, column);
  });
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

function locateAll(footer: Footer, ranges: readonly GroupRange[], columns: number, path: string): Chunks {
  const chunks: Uint32Array[] = [];
  footer.readGroups((index, group) => {
    const range = ranges[index];
    if (range !== undefined) chunks.push(locateChunks(group, index, range, columns, path));
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
  columns: number,
  path: string,
): Uint32Array {
  const refuse = (what: string): RecordingError =>
    new RecordingError('BAD_STRUCTURE', `${path} has a row group ${index} that contradicts itself: ${what}.`);
  if (group.rows !== range.rows || range.rows < 1 || range.rows > GROUP_ROWS) {
    throw refuse(`${group.rows} rows in the footer, ${range.rows} in the checksums, at most ${GROUP_ROWS}`);
  }
  if (group.columns !== columns) throw refuse(`it has ${group.columns} columns`);
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

interface Located extends FileColumns {
  readonly plan: ColumnPlan;
  readonly chunks: Chunks;
  /** Kinds without a layout are counted, not refused. */
  readonly tolerant: boolean;
}

function* readGroups(
  path: string,
  groups: readonly GroupRange[],
  { plan, chunks, places, tolerant }: Located,
  { layouts, kinds, reuse = false }: ReadOptions,
  unknown: Map<string, number>,
): Generator<Batch, void, undefined> {
  const targets = pairKinds(plan.kinds, layouts).map((kind) => ({
    ...kind,
    fields: kind.fields.filter(({ from }) => (places[from.column] as number) >= 0),
    left: kinds !== undefined && !kinds.has(kind.from.kind),
  }));
  // Only a newer version's recording may have kinds whose layout can't be used.
  const scatter = createScatter(targets, unknown, {
    reuse,
    tolerant,
    rows: groups.reduce((most, { rows }) => Math.max(most, rows), 0),
  });
  const values: ChunkValues[] = plan.columns.map(createChunkValues);
  const longest = groups.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const memory = new Uint8Array(longest + SLACK_BYTES);
  const fd = openToRead(path);
  try {
    for (const [index, group] of groups.entries()) {
      const where = `between byte ${group.start} and ${group.end}`;
      const bytes = memory.subarray(0, group.end - group.start);
      readInto(fd, group.start, bytes);
      const lengths = chunks[index] as Uint32Array;
      const batches = inWords(path, where, () => {
        const starts = startsOf(lengths);
        const decode = (place: number): void => {
          const number = places[place] as number;
          const start = starts[number] as number;
          const chunk = bytes.subarray(start, start + (lengths[number] as number));
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
