// DuckDB in memory: the views over the recordings, and the lock that leaves nothing but them within reach.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../model/errors.ts';
import { GAP_REASONS } from '../report/gap.ts';
import { EVENT_COLUMNS, selectFields } from './columns.ts';
import { type PartitionColumn, partitionColumns } from './partitions.ts';
import type { Source } from './sources.ts';
import { identifier, list, quote } from './sql-text.ts';
import { RECORDINGS, type Table, TABLES, toJson } from './tables.ts';
import { VOCABULARY } from './vocabulary.ts';

export interface DatabaseOptions {
  /** Threads of DuckDB; as many as there are CPUs if not given. */
  readonly threads?: number;
  /** Memory it may use before it goes to disk, for example `2GB`; a quarter of the machine's if not given. */
  readonly memory?: string;
}

/** A database that isn't locked yet. */
export interface Database extends Disposable {
  readonly connection: DuckDBConnection;
  /** Where DuckDB puts what doesn't fit into its memory; removed with the database. */
  readonly folder: string;
}

const LEAST_MEMORY = 256 * 2 ** 20;

export async function openDatabase({ threads, memory }: DatabaseOptions): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const folder = mkdtempSync(join(tmpdir(), 'flightring-query-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  let instance: DuckDBInstance | undefined;
  const dispose = (): void => {
    process.off('exit', remove);
    instance?.closeSync();
    remove();
  };
  try {
    instance = await DuckDBInstance.create(':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      temp_directory: folder,
    });
    const connection = await instance.connect();
    // Footers are parsed once, not for each question.
    await connection.run('SET parquet_metadata_cache = true');
    await setOption(connection, 'memory_limit', memory ?? `${defaultMemory()}B`, '--memory');
    if (threads !== undefined) await setOption(connection, 'threads', String(threads), '--threads');
    return { connection, folder, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function defaultMemory(): number {
  // In a container, what it is given.
  const given = process.constrainedMemory() ?? 0;
  const all = given > 0 && given < totalmem() ? given : totalmem();
  return Math.max(LEAST_MEMORY, Math.floor(all / 4));
}

async function setOption(
  connection: DuckDBConnection,
  name: string,
  value: string,
  option: string,
): Promise<void> {
  try {
    await connection.run(`SET ${name} = ${quote(value)}`);
  } catch (cause) {
    throw new UsageError('BAD_OPTION', `${option} can't be ${JSON.stringify(value)}; try 2GB or 4 threads.`, {
      cause,
    });
  }
}

/** Tables as they were filled; the views that people ask join them with where they come from. */
const STORED = 'stored';

export async function createTables(connection: DuckDBConnection): Promise<void> {
  await connection.run(`CREATE SCHEMA ${STORED}`);
  for (const table of TABLES)
    await connection.run(
      `CREATE TABLE ${STORED}.${table.name} AS ${fromJson({ recording: 'UINTEGER', ...table.columns })}`,
      ['[]'],
    );
  for (const { name, columns, rows } of VOCABULARY)
    await connection.run(`CREATE TABLE ${name} AS ${fromJson(columns)}`, [toJson(rows)]);
  // What a number means: word(kind, 'reason', reason).
  await connection.run(`CREATE MACRO word(k, f, n) AS
    (SELECT any_value(w.word) FROM words w WHERE w.kind = k AND w.field = f AND w.number = n AND NOT w.bit)`);
}

export async function insertRows(
  connection: DuckDBConnection,
  { name, columns }: Table,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  await connection.run(`INSERT INTO ${STORED}.${name} ${fromJson({ recording: 'UINTEGER', ...columns })}`, [
    toJson(rows),
  ]);
}

/** Rows of a JSON text that is the parameter. */
function fromJson(columns: Readonly<Record<string, unknown>>): string {
  return `SELECT r.* FROM (SELECT unnest(from_json($1, ${quote(JSON.stringify([columns]))})) AS r)`;
}

/** Makes the views, and then locks the database: from here on it reaches these files and nothing else. */
export async function createViews(
  { connection, folder }: Database,
  sources: readonly Source[],
  recordingRows: readonly Readonly<Record<string, unknown>>[],
  writable: readonly string[],
): Promise<PartitionColumn[]> {
  const partitions = partitionColumns(
    sources.map((source) => source.partitions),
    takenNames(),
  );
  const partitionTypes = Object.fromEntries(partitions.map(({ name, type }) => [name, type]));
  await connection.run(
    `CREATE TABLE ${STORED}.recordings AS ${fromJson({ recording: 'UINTEGER', ...partitionTypes, ...RECORDINGS.columns })}`,
    [
      toJson(
        recordingRows.map((row, i) => ({
          recording: i,
          ...Object.fromEntries(sources[i]?.partitions ?? []),
          ...row,
        })),
      ),
    ],
  );
  const paths = sources.map(({ file }, i) => readablePath(file, join(folder, `recording-${i}.parquet`)));
  await connection.run(eventsView(sources, paths, partitions));
  await connection.run(gapsView(partitions));
  for (const table of [RECORDINGS, ...TABLES]) await connection.run(tableView(table, partitions));
  const allowed = [...paths, ...writable].map(quote);
  await connection.run(`SET allowed_paths = ${list(allowed)}`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return partitions;
}

/** Columns that no partition may be called like. */
function takenNames(): ReadonlySet<string> {
  return new Set([
    'recording',
    'file',
    'time',
    'snapshot',
    'until_time',
    // DuckDB's own of every file.
    'filename',
    'file_index',
    'file_row_number',
    ...EVENT_COLUMNS.map(({ name }) => name),
    ...[RECORDINGS, ...TABLES].flatMap(({ columns, times }) => [
      ...Object.keys(columns),
      ...Object.values(times),
    ]),
  ]);
}

/** DuckDB takes every path for a pattern: a file whose name looks like one is read through a link. */
function readablePath(file: string, link: string): string {
  const path = resolve(file);
  if (!/[*?[\]\\]/.test(path)) return path;
  symlinkSync(path, link);
  return link;
}

function eventsView(
  sources: readonly Source[],
  paths: readonly string[],
  partitions: readonly PartitionColumn[],
): string {
  // Of all recordings, by number; a join would cost a lookup for every row.
  const ofFile = (values: readonly string[]): string => `${list(values)}[file_index::BIGINT + 1]`;
  const offsets = sources.map(({ clockOffset }) =>
    clockOffset === null ? 'NULL' : `${clockOffset}::BIGINT`,
  );
  const native = hasUniformPartitions(sources, paths, partitions);
  const options = [
    // Files of the same columns need not be compared one by one.
    `union_by_name = ${new Set(sources.map(({ columns }) => columns)).size > 1}`,
    `hive_partitioning = ${native}`,
    ...(native
      ? [`hive_types = {${partitions.map(({ name, type }) => `${identifier(name)}: ${type}`).join(', ')}}`]
      : []),
  ];
  return `CREATE VIEW events AS SELECT
    file_index::UINTEGER AS recording,
    ${ofFile(sources.map(({ file }) => quote(file)))} AS file,
    ${partitions
      .map(({ name, type }) => {
        // DuckDB's own partitions let it leave out whole files.
        if (native) return `${identifier(name)},`;
        const values = sources.map((source) => {
          const value = source.partitions.get(name);
          return value === undefined ? 'NULL' : quote(value);
        });
        return `${ofFile(values)}::${type} AS ${identifier(name)},`;
      })
      .join('\n    ')}
    make_timestamp_ns("ts" + ${ofFile(offsets)}::BIGINT) AS time,
    ("flags" & 128) <> 0 AS snapshot,
    ${selectFields(sources).join(',\n    ')}
  FROM read_parquet(${list(paths.map(quote))}, ${options.join(', ')})`;
}

/** Every path has the same keys, and DuckDB sees no others. */
function hasUniformPartitions(
  sources: readonly Source[],
  paths: readonly string[],
  partitions: readonly PartitionColumn[],
): boolean {
  return (
    partitions.length > 0 &&
    sources.every(
      (source, i) =>
        source.partitions.size === partitions.length &&
        partitions.every(({ name }) => source.partitions.has(name)) &&
        (paths[i] as string).split('/').filter((folder) => folder.includes('=')).length === partitions.length,
    )
  );
}

function gapsView(partitions: readonly PartitionColumn[]): string {
  const words = Object.entries(GAP_REASONS)
    .map(([reason, word]) => `WHEN ${reason} THEN ${quote(word)}`)
    .join(' ');
  const until = `CASE WHEN e."until" BETWEEN 1 AND ${Number.MAX_SAFE_INTEGER} THEN e."until"::BIGINT END`;
  return `CREATE VIEW gaps AS SELECT
    e.recording, e.file, ${partitions.map(({ name }) => `e.${identifier(name)},`).join(' ')}
    e.time, e.ts, make_timestamp_ns(${until} + r.clock_offset_ns) AS until_time, ${until} AS "until",
    e.cpu, e.share AS path, e.lost, CASE e.reason ${words} ELSE 'reason ' || e.reason END AS reason, e.seq
  FROM events e JOIN ${STORED}.recordings r USING (recording) WHERE e.kind = 'gap'`;
}

function tableView({ name, columns, times }: Table, partitions: readonly PartitionColumn[]): string {
  const own = Object.keys(columns)
    .filter((column) => column !== 'file')
    .flatMap((column) => {
      const time = times[column];
      const value = `t.${identifier(column)}`;
      if (time === undefined) return [value];
      return [`make_timestamp_ns(${value} + r.clock_offset_ns) AS ${identifier(time)}`, value];
    });
  const place = ['recording', 'file', ...partitions.map((partition) => partition.name)];
  return `CREATE VIEW ${name} AS SELECT
    ${[...place.map((column) => `r.${identifier(column)}`), ...own].join(', ')}
  FROM ${STORED}.${name} t JOIN ${STORED}.recordings r USING (recording)`;
}
