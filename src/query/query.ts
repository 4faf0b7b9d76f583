// Questions in SQL to one or thousands of recordings, by DuckDB over the files as they are.

import { renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DuckDBResult } from '@duckdb/node-api';
import { type FlightringError, QueryError, RecordingError, UsageError } from '../model/errors.ts';
import { refuseDevice } from '../recording/files.ts';
import { printable } from '../report/printable.ts';
import type { RecordLayout } from '../model/layout.ts';
import { sourceColumns } from './columns.ts';
import {
  createTables,
  createViews,
  type Database,
  type DatabaseOptions,
  insertRows,
  openDatabase,
} from './database.ts';
import type { Newer } from '../recording/meta.ts';
import { findFiles } from './files.ts';
import { writeQuestion } from './questions/index.ts';
import { type LeftOut, openSource, type Source, type SourceColumn } from './sources.ts';
import { quote } from './sql-text.ts';
import { inDuckDbsWords, lastQuestion, runStatements } from './statements.ts';
import { RECORDINGS, TABLES } from './tables.ts';
import { plainValue, type QueryColumn, queryColumn, type QueryValue } from './values.ts';

export interface QueryOptions extends DatabaseOptions {
  /** The one file that `saveParquet` may write. */
  readonly output?: string;
  /** Called after each recording that was opened. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The rows of an answer as they come; to be read once. */
export interface QueryResult {
  readonly columns: readonly QueryColumn[];
  /** Some rows at a time, values in the order of the columns. */
  batches(): AsyncGenerator<readonly (readonly QueryValue[])[], void, undefined>;
}

/** Recordings that can be asked. */
export interface RecordingQuery extends Disposable {
  /** Files that are asked, as the arguments named them. */
  readonly files: readonly string[];
  /** Files that can't be, each with a sentence. */
  readonly leftOut: readonly LeftOut[];
  /** Of the files asked, those that a newer version made; their description is told as far as it is known here. */
  readonly newer: readonly { readonly path: string; readonly newer: Newer }[];
  /**
   * Runs SQL, of several statements if need be, and gives the rows of the last. Throws a QueryError with DuckDB's message, in
   * which the place is shown.
   */
  run(sql: string): Promise<QueryResult>;
  /** All rows of the answer as objects; for answers that fit into memory. */
  rows<Row extends object = Record<string, QueryValue>>(sql: string): Promise<Row[]>;
  /** The SQL of a ready-made question about these recordings (`questions` has their names and parameters). */
  question(name: string, values?: Readonly<Record<string, string>>): Promise<string>;
  /** Writes the rows of the last statement to the `output` given on opening; returns how many. */
  saveParquet(sql: string): Promise<number>;
  close(): void;
}

/**
 * Opens recordings: files, folders with all below them, and patterns. Checks every byte of each, so that a damaged one is left
 * out and never gives wrong rows. Throws if none can be asked.
 *
 * @example
 * using query = await openQuery(['recordings']);
 * const kinds = await query.rows<{ kind: string; n: bigint }>('SELECT kind, count(*) AS n FROM events GROUP BY kind');
 */
export async function openQuery(
  places: string | readonly string[],
  options: QueryOptions = {},
): Promise<RecordingQuery> {
  const database = await openDatabase(options);
  try {
    return await openOver(database, typeof places === 'string' ? [places] : places, options);
  } catch (error) {
    database[Symbol.dispose]();
    throw error;
  }
}

/** One question to recordings, and all rows of its answer. */
export async function queryRecordings<Row extends object = Record<string, QueryValue>>(
  places: string | readonly string[],
  sql: string,
  options: QueryOptions = {},
): Promise<Row[]> {
  using query = await openQuery(places, options);
  return await query.rows<Row>(sql);
}

async function openOver(
  database: Database,
  places: readonly string[],
  { output, onProgress }: QueryOptions,
): Promise<RecordingQuery> {
  const { connection } = database;
  const files = await findFiles(places, async (pattern) => {
    const found = await connection.runAndReadAll(`SELECT file FROM glob(${quote(pattern)})`);
    return found.getRows().map(([file]) => String(file));
  });
  const written = output === undefined ? undefined : resolve(output);
  if (files.some((file) => resolve(file) === written))
    throw new UsageError(
      'BAD_OUTPUT',
      `${output} is one of the recordings; write the answer to another file.`,
    );
  await createTables(connection);
  const { sources, leftOut, recordings } = await openSources(database, files, onProgress);
  if (sources.length === 0) throw nothingReadable(leftOut);
  const part = written === undefined ? [] : [`${written}.part`];
  const partitions = (await createViews(database, sources, recordings, part)).map(({ name }) => name);

  const run = async (sql: string): Promise<QueryResult> => answer(await runStatements(connection, sql));
  const rows = async <Row extends object>(sql: string): Promise<Row[]> => {
    const all: Row[] = [];
    const { columns, batches } = await run(sql);
    for await (const batch of batches())
      for (const row of batch)
        all.push(Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])) as Row);
    return all;
  };
  return {
    files: sources.map(({ file }) => file),
    leftOut,
    newer: sources.flatMap(({ file, newer }) => (newer === null ? [] : [{ path: file, newer }])),
    run,
    rows,
    question: (name, values = {}) =>
      writeQuestion(name, values, { rows, recordings: sources.length, partitions }),
    async saveParquet(sql) {
      const [path] = part;
      if (path === undefined || written === undefined)
        throw new UsageError('NO_OUTPUT', 'Name the file to write with -o, or as `output` of openQuery.');
      refuseDevice(written);
      const question = await lastQuestion(connection, sql);
      try {
        const copied = await inDuckDbsWords(() =>
          connection.run(
            `COPY (FROM (${question}\n)) TO ${quote(path)} (FORMAT parquet, USE_TMP_FILE false)`,
          ),
        );
        renameSync(path, written);
        return copied.rowsChanged;
      } finally {
        rmSync(path, { force: true });
      }
    },
    close: () => database[Symbol.dispose](),
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

function nothingReadable(leftOut: readonly LeftOut[]): FlightringError {
  const [only, ...others] = leftOut;
  if (only && others.length === 0) return new RecordingError(only.code, only.message);
  const messages = leftOut.slice(0, 10).map(({ message }) => `\n${printable(message)}`);
  const more = leftOut.length > 10 ? `\n… and ${leftOut.length - 10} more` : '';
  return new QueryError(
    'NOTHING_READABLE',
    `None of these ${leftOut.length} files can be asked:${messages.join('')}${more}`,
  );
}

/** Rows of the tables that are held in memory before DuckDB gets them. */
const PENDING_ROWS = 20_000;

interface Opened {
  readonly sources: Source[];
  readonly leftOut: LeftOut[];
  /** The row of `recordings` for each source. */
  readonly recordings: Readonly<Record<string, unknown>>[];
}

/** Fills the tables as it goes: of a recording's description nothing else is kept. */
async function openSources(
  { connection }: Database,
  files: readonly string[],
  onProgress: QueryOptions['onProgress'],
): Promise<Opened> {
  const opened: Opened = { sources: [], leftOut: [], recordings: [] };
  const pending = TABLES.map((table) => ({ table, rows: [] as Record<string, unknown>[] }));
  const flush = async (): Promise<void> => {
    for (const { table, rows } of pending) {
      if (rows.length > 0) await insertRows(connection, table, rows);
      rows.length = 0;
    }
  };
  const columnsOf = rememberColumns();
  // The Parquet parser is loaded only when there is something to parse.
  const { readParquet } = await import('../recording/parquet-read.ts');
  for (const [i, file] of files.entries()) {
    const one = await openSource(file, { readParquet, columnsOf });
    onProgress?.(i + 1, files.length);
    if ('code' in one) {
      opened.leftOut.push(one);
      continue;
    }
    const { source, meta } = one;
    const recording = opened.sources.push(source) - 1;
    opened.recordings.push(...RECORDINGS.rows(meta, source));
    let most = 0;
    for (const { table, rows } of pending) {
      for (const row of table.rows(meta, source)) rows.push({ recording, ...row });
      most = Math.max(most, rows.length);
    }
    if (most >= PENDING_ROWS) await flush();
  }
  await flush();
  return opened;
}

/** Recordings of one machine have the same layouts: their columns are worked out once, and are the same object. */
function rememberColumns(): (layouts: readonly RecordLayout[]) => readonly SourceColumn[] {
  const known = new Map<string, readonly SourceColumn[]>();
  return (layouts) => {
    const key = JSON.stringify(layouts);
    const columns = known.get(key) ?? sourceColumns(layouts);
    known.set(key, columns);
    return columns;
  };
}

function answer(result: DuckDBResult): QueryResult {
  const names = result.deduplicatedColumnNames();
  const types = result.columnTypes();
  return {
    columns: names.map((name, i) => queryColumn(name, types[i] as (typeof types)[number])),
    async *batches() {
      for (;;) {
        const chunk = await inDuckDbsWords(() => result.fetchChunk());
        if (!chunk || chunk.rowCount === 0) return;
        yield chunk.getRows().map((row) => row.map(plainValue));
      }
    },
  };
}
