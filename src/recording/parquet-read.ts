// Reads a recording's Parquet file back into slots, trusting none of it.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { FlightringError, RecordingError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import { decodeChunk, type RowValues } from './chunk.ts';
import { type Column, type ColumnPlan, GROUP_ROWS, planColumns, type Storage } from './columns.ts';
import { createCursor } from './decode.ts';
import { type Damage, type GroupRange, readExactly, verifyFile } from './integrity.ts';
import { parseMeta } from './meta.ts';
import { neededColumns, scatter } from './scatter.ts';
import { guardStruct } from './thrift-guard.ts';

type Footer = ReturnType<typeof parquetMetadata>;

export interface ParquetRecording {
  readonly meta: RecordingMeta;
  /** Rows in the file, those behind the damage included. */
  readonly rows: number;
  readonly damage: Damage | null;
  /** The records up to the damage, in the layouts of the recording. */
  batches(): Generator<Batch, void, undefined>;
}

/** Opens a Parquet recording: checks all its bytes, then its structure. */
export function readParquet(path: string): ParquetRecording {
  const fd = openSync(path, 'r');
  try {
    const { footer, groups, goodGroups, damage } = verifyFile(fd, fstatSync(fd).size, path);
    const metadata = parseFooter(footer, path);
    const json = metadata.key_value_metadata?.find(({ key }) => key === 'flightring')?.value;
    if (json === undefined) {
      throw new RecordingError(
        'NOT_A_RECORDING',
        `${path} is a Parquet file without the description of a recording.`,
      );
    }
    const meta = parseMeta(json);
    const plan = planOnce(meta.layouts);
    checkSchema(metadata, plan, path);
    const chunks = groups.map((group, index) => locateChunks(metadata, index, group, plan, path));
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    const good = groups.slice(0, goodGroups);
    return { meta, rows, damage, batches: () => readGroups(path, good, chunks, plan) };
  } finally {
    closeSync(fd);
  }
}

let last: { readonly key: string; readonly plan: ColumnPlan } | null = null;

/** Of thousands of recordings most have the layouts of the one before. */
function planOnce(layouts: RecordingMeta['layouts']): ColumnPlan {
  const key = JSON.stringify(layouts);
  if (last?.key !== key) last = { key, plan: planColumns(layouts) };
  return last.plan;
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

function parseFooter(footer: Buffer, path: string): Footer {
  return inWords(path, 'at its footer', () => {
    const length = footer.length - 8;
    const cursor = createCursor(footer.subarray(0, length));
    guardStruct(cursor);
    return parquetMetadata(footer, { geoparquet: false });
  });
}

const PHYSICAL: Readonly<Record<Storage, string>> = {
  u32: 'INT32',
  s32: 'INT32',
  u64: 'INT64',
  i64: 'INT64',
  text: 'BYTE_ARRAY',
};

function checkSchema({ schema }: Footer, plan: ColumnPlan, path: string): void {
  const [root, ...elements] = schema;
  const fits = (column: Column, index: number): boolean => {
    const element = elements[index];
    return (
      element !== undefined &&
      element.name === column.name &&
      element.type === PHYSICAL[column.storage] &&
      element.repetition_type === (column.required ? 'REQUIRED' : 'OPTIONAL')
    );
  };
  const wrong = plan.columns.findIndex((column, index) => !fits(column, index));
  if (wrong >= 0 || elements.length !== plan.columns.length || root?.num_children !== plan.columns.length) {
    const name = plan.columns[wrong]?.name ?? `the number of columns, ${elements.length}`;
    throw new RecordingError(
      'BAD_STRUCTURE',
      `${path} has columns that don't fit its own record layouts: see ${name}.`,
    );
  }
}

interface Chunk {
  readonly start: number;
  readonly length: number;
}

/** The columns of a row group by number: one after the other, exactly the bytes that its checksums cover. */
function locateChunks(
  metadata: Footer,
  index: number,
  range: GroupRange,
  plan: ColumnPlan,
  path: string,
): Chunk[] {
  const refuse = (what: string): RecordingError =>
    new RecordingError('BAD_STRUCTURE', `${path} has a row group ${index} that contradicts itself: ${what}.`);
  const group = metadata.row_groups[index];
  if (
    group === undefined ||
    Number(group.num_rows) !== range.rows ||
    range.rows < 1 ||
    range.rows > GROUP_ROWS
  ) {
    throw refuse(
      `${group?.num_rows} rows in the footer, ${range.rows} in the checksums, at most ${GROUP_ROWS}`,
    );
  }
  if (group.columns.length !== plan.columns.length) throw refuse(`it has ${group.columns.length} columns`);
  let at = range.start;
  const chunks = group.columns.map(({ meta_data: chunk }) => {
    if (chunk === undefined || chunk.codec !== 'UNCOMPRESSED')
      throw refuse('a column without a place, or compressed');
    const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
    const length = Number(chunk.total_compressed_size);
    if (start !== at || !(length > 0 && at + length <= range.end)) {
      throw refuse(`a column of ${length} bytes at ${start}, ${range.end - at} bytes are left at ${at}`);
    }
    at += length;
    return { start, length };
  });
  if (at !== range.end) throw refuse(`${range.end - at} bytes belong to no column`);
  return chunks;
}

function* readGroups(
  path: string,
  groups: readonly GroupRange[],
  chunks: readonly (readonly Chunk[])[],
  plan: ColumnPlan,
): Generator<Batch, void, undefined> {
  const needed = neededColumns(plan.kinds);
  const kinds = new Map(plan.kinds.map((kind) => [kind.layout.kind, kind]));
  const fd = openSync(path, 'r');
  try {
    for (const [index, group] of groups.entries()) {
      const where = `between byte ${group.start} and ${group.end}`;
      const bytes = readExactly(fd, group.start, group.end - group.start);
      const values = inWords(path, where, () => {
        const decoded: (RowValues | undefined)[] = plan.columns.map(() => undefined);
        for (const place of needed) {
          const { start, length } = (chunks[index] as readonly Chunk[])[place] as Chunk;
          const chunk = bytes.subarray(start - group.start, start - group.start + length);
          decoded[place] = decodeChunk(chunk, plan.columns[place] as Column, group.rows);
        }
        return decoded;
      });
      const batches = scatter(values, group.rows, kinds);
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
