// Writes a recording as one Parquet file; the only file that touches parquetjs-lite.

import parquet, { type FieldDefinition } from 'parquetjs-lite';
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import thriftUtil from 'parquetjs-lite/lib/util.js';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import { type Column, type ColumnPlan, GROUP_ROWS, planColumns, type Storage } from './columns.ts';
import { createSink, putBytes, type Sink } from './encode.ts';
import { createPart, writeAll, writeError } from './files.ts';
import { type ColumnValues, createGatherer, type Gatherer } from './gather.ts';
import { ChecksumBuilder, fileHead, FILE_HEAD_BYTES } from './integrity.ts';
import { parseMeta, serialiseMeta } from './meta.ts';
import { createColumnEncoder, type EncodedColumn } from './pages.ts';
import { readRaw } from './raw.ts';

/** The path of a raw recording, or events in total order with their description. */
export type ParquetSource = string | { readonly meta: RecordingMeta; readonly batches: Iterable<Batch> };

export interface ParquetOptions {
  /** Called after each row group with the rows written so far. */
  readonly onProgress?: (rows: number) => void;
  /** Rows of one row group, the unit that damage takes away; at most 65 536, which is also the default. */
  readonly groupRows?: number;
}

export interface ParquetResult {
  readonly rows: number;
  readonly bytes: number;
  /** Slots left out because no record with a known layout begins there; 0 unless the source is damaged. */
  readonly misfits: number;
}

/** Writes `path` so that it appears whole or not at all. Blocks; meant for a worker thread. */
export function writeParquet(
  source: ParquetSource,
  path: string,
  options: ParquetOptions = {},
): ParquetResult {
  const part = createPart(path);
  const kept = typeof source === 'string' ? source : null;
  try {
    const { meta, batches } = typeof source === 'string' ? openSource(source) : source;
    const result = writeRows(part.fd, meta, batches, options);
    part.commit();
    return result;
  } catch (error) {
    part.discard();
    throw writeError(error, path, kept);
  }
}

/** A damaged raw file is exported as far as it can be read, and says so. */
function openSource(path: string): { meta: RecordingMeta; batches: Iterable<Batch> } {
  const raw = readRaw(path);
  if (raw.damage === null) return { meta: raw.meta, batches: raw.batches() };
  const note = `The raw recording this was made from was damaged: ${raw.damage.message}; what came after is missing.`;
  return { meta: { ...raw.meta, notes: [...raw.meta.notes, note] }, batches: raw.batches() };
}

function writeRows(
  fd: number,
  meta: RecordingMeta,
  batches: Iterable<Batch>,
  options: ParquetOptions,
): ParquetResult {
  // What can't be read back must not replace the raw file.
  parseMeta(serialiseMeta(meta));
  const plan = planColumns(meta.layouts);
  const groupRows = Math.min(options.groupRows ?? GROUP_ROWS, GROUP_ROWS);
  const gatherer = createGatherer(plan, meta, groupRows);
  const writer = createWriter(fd, plan, groupRows);
  const flush = (): void => {
    if (gatherer.rows === 0) return;
    writer.writeGroup(gatherer);
    gatherer.clear();
    options.onProgress?.(writer.rows());
  };
  for (const { lanes, slots } of batches) {
    for (let slot = 0; slot < slots; ) {
      slot = gatherer.add(lanes, slot, slots);
      if (gatherer.rows === groupRows) flush();
    }
  }
  flush();
  const { misfits } = gatherer;
  const note = `${misfits} slots hold no whole record of a known kind and were left out.`;
  const bytes = writer.finish(misfits === 0 ? meta : { ...meta, notes: [...meta.notes, note] });
  return { rows: writer.rows(), bytes, misfits };
}

interface GroupWriter {
  writeGroup(gatherer: Gatherer): void;
  rows(): number;
  /** Writes the checksums and the footer; returns the size of the file. */
  finish(meta: RecordingMeta): number;
}

function createWriter(fd: number, plan: ColumnPlan, groupRows: number): GroupWriter {
  const checksums = new ChecksumBuilder();
  let sink = (bytes: Uint8Array): void => writeAll(fd, bytes);
  const schema = new parquet.ParquetSchema(
    Object.fromEntries(plan.columns.map((column) => [column.name, define(column)])),
  );
  const envelope = new parquet.ParquetEnvelopeWriter(
    schema,
    (bytes) => sink(bytes),
    () => {},
    0,
    {},
  );
  const encode = createColumnEncoder(groupRows);
  const body = createSink(groupRows * 16);
  envelope.writeHeader();
  envelope.writeSection(Buffer.alloc(FILE_HEAD_BYTES));
  return {
    writeGroup(gatherer) {
      const { rows } = gatherer;
      const start = envelope.offset;
      body.length = 0;
      const columns = plan.columns.map((column, index) => {
        const encoded = encode(column, gatherer.columns[index] as ColumnValues, rows, gatherer.strings.list);
        return appendChunk(body, start, column, encoded, rows);
      });
      const bytes = body.bytes.subarray(0, body.length);
      checksums.add(bytes);
      envelope.writeSection(bytes);
      envelope.rowGroups.push(
        new thrift.RowGroup({ columns, total_byte_size: bytes.length, num_rows: rows }),
      );
      envelope.rowCount += rows;
      checksums.endGroup(rows);
    },
    rows: () => envelope.rowCount,
    finish(meta) {
      // The checksums lie before the footer they cover, so it is made first.
      let footer = new Uint8Array();
      sink = (bytes) => {
        footer = Uint8Array.from(bytes);
      };
      envelope.writeFooter(describeRecording(meta));
      const { block, fileBytes } = checksums.finish(footer);
      writeAll(fd, block);
      writeAll(fd, footer);
      writeAll(fd, fileHead(fileBytes), 4);
      return fileBytes;
    },
  };
}

const PARQUET_TYPES: Readonly<
  Record<Storage, { logical: string; physical: 'INT32' | 'INT64' | 'BYTE_ARRAY' }>
> = {
  u32: { logical: 'UINT_32', physical: 'INT32' },
  s32: { logical: 'INT_32', physical: 'INT32' },
  u64: { logical: 'UINT_64', physical: 'INT64' },
  i64: { logical: 'INT_64', physical: 'INT64' },
  text: { logical: 'UTF8', physical: 'BYTE_ARRAY' },
};

function define({ storage, required }: Column): FieldDefinition {
  return { type: PARQUET_TYPES[storage].logical, optional: !required, statistics: false };
}

/** Appends the column's pages to a row group that begins at byte `start`, and returns what the footer says of them. */
function appendChunk(
  body: Sink,
  start: number,
  column: Column,
  encoded: EncodedColumn,
  rows: number,
): object {
  const { Encoding } = thrift;
  const { dictionary, dictionarySize, page, encoding } = encoded;
  const offset = start + body.length;
  if (dictionary !== null) {
    const header = new thrift.DictionaryPageHeader({ num_values: dictionarySize, encoding: Encoding.PLAIN });
    putBytes(body, pageHeader('DICTIONARY_PAGE', dictionary.length, { dictionary_page_header: header }));
    putBytes(body, dictionary);
  }
  const dataAt = start + body.length;
  const header = new thrift.DataPageHeader({
    num_values: rows,
    encoding: Encoding[encoding],
    definition_level_encoding: Encoding.RLE,
    repetition_level_encoding: Encoding.RLE,
  });
  putBytes(body, pageHeader('DATA_PAGE', page.length, { data_page_header: header }));
  putBytes(body, page);
  const length = start + body.length - offset;
  const meta = new thrift.ColumnMetaData({
    type: thrift.Type[PARQUET_TYPES[column.storage].physical],
    encodings: [Encoding.RLE, Encoding[encoding], ...(dictionary === null ? [] : [Encoding.PLAIN])],
    path_in_schema: [column.name],
    codec: thrift.CompressionCodec.UNCOMPRESSED,
    num_values: rows,
    total_uncompressed_size: length,
    total_compressed_size: length,
    data_page_offset: dataAt,
    ...(dictionary === null ? {} : { dictionary_page_offset: offset }),
  });
  return new thrift.ColumnChunk({ file_offset: offset, meta_data: meta });
}

function pageHeader(type: 'DATA_PAGE' | 'DICTIONARY_PAGE', size: number, header: object): Buffer {
  return thriftUtil.serializeThrift(
    new thrift.PageHeader({
      type: thrift.PageType[type],
      uncompressed_page_size: size,
      compressed_page_size: size,
      ...header,
    }),
  );
}

/** The whole description under one key, and the lines a person asks for first under keys of their own. */
function describeRecording(meta: RecordingMeta): Record<string, string> {
  const [violation] = meta.violations;
  return {
    flightring: serialiseMeta(meta),
    'flightring.format': String(meta.format),
    'flightring.version': meta.flightring,
    'flightring.created': meta.createdAt,
    'flightring.kernel': `${meta.kernel.release} ${meta.kernel.machine}`,
    'flightring.violation': violation === undefined ? '' : violation.sentence,
  };
}
