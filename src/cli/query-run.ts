// What flightring query does, loaded only when it is run.

import { readFileSync } from 'node:fs';
import { EXIT, type ExitCode, UsageError } from '../model/errors.ts';
import { statOf } from '../query/files.ts';
import { openQuery, type QueryResult, type RecordingQuery } from '../query/query.ts';
import { printable } from '../report/printable.ts';
import { createPart, writeAll as writeBytes, writeError } from '../recording/files.ts';
import { createPalette } from '../report/palette.ts';
import { newerLines } from '../report/newer.ts';
import { isPartly } from './check-exit.ts';
import { wantsColour } from './colour.ts';
import { unknownWord } from './nearest.ts';
import { writeLines } from './output.ts';
import { withPager } from './pager.ts';
import { startProgress } from './progress.ts';
import { csvLines, jsonLines } from './query-lines.ts';
import { questionLines } from './query-list.ts';
import { tableLines } from './query-table.ts';

export interface QueryFlags {
  readonly ask?: string;
  readonly set?: readonly string[];
  readonly list?: boolean;
  readonly file?: string;
  readonly printSql?: boolean;
  readonly format: string;
  readonly output?: string;
  readonly threads?: string;
  readonly memory?: string;
  readonly pager: boolean;
  readonly color: boolean;
}

const FORMATS = ['table', 'json', 'csv', 'parquet'] as const;
type Format = (typeof FORMATS)[number];

/** Files told of one by one; of more, only their number. */
const TOLD = 10;

export async function runQuery(
  words: readonly string[],
  given: QueryFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  const { output, ...others } = given;
  // As everywhere, - is standard output.
  const flags: QueryFlags = output === undefined || output === '-' ? others : given;
  if (flags.list) {
    await writeLines(out, questionLines(createPalette(wantsColour(out, flags.color))));
    return EXIT.fine;
  }
  const format = readFormat(flags);
  const { places, sql } = readWords(words, flags);
  process.once('SIGINT', interrupted);
  const progress = startProgress('checking recordings', err);
  const opening = openQuery(places, {
    ...(flags.threads === undefined ? {} : { threads: readThreads(flags.threads) }),
    ...(flags.memory === undefined ? {} : { memory: flags.memory }),
    ...(flags.output === undefined ? {} : { output: flags.output }),
    onProgress: progress.tell,
  });
  using query = await opening.finally(progress.end);
  const question = sql ?? (await query.question(flags.ask ?? '', readSettings(flags.set ?? [])));
  if (flags.printSql) await writeLines(out, [`${question};`]);
  else await answer(query, question, format, flags, out);
  process.off('SIGINT', interrupted);
  tellNewer(query, err);
  tellLeftOut(query, err);
  const isWhole =
    query.leftOut.length === 0 && !query.newer.some(({ newer }) => isPartly({ newer, unknownKinds: NONE }));
  return isWhole ? EXIT.fine : EXIT.incomplete;
}

/** DuckDB's threads would have `process.exit` wait for the answer; its folder is removed as at any other exit. */
function interrupted(): void {
  process.emit('exit', 130);
  process.kill(process.pid, 'SIGINT');
}

async function answer(
  query: RecordingQuery,
  sql: string,
  format: Format,
  flags: QueryFlags,
  out: NodeJS.WriteStream,
): Promise<void> {
  if (format === 'parquet') {
    await query.saveParquet(sql);
    return;
  }
  const result = await query.run(sql);
  if (result.columns.length === 0) return;
  if (flags.output !== undefined) await writeFile(flags.output, linesOf(result, format, null));
  else if (format === 'table' && out.isTTY && flags.pager) {
    const palette = createPalette(wantsColour(out, flags.color));
    // From here on Ctrl-C is for the pager.
    process.off('SIGINT', interrupted);
    await withPager(out, tableLines(result, { palette, width: out.columns }));
  } else await writeStream(out, linesOf(result, format, out.isTTY ? out : null, flags.color));
}

/** On a terminal, fitted to it and harmless; elsewhere whole. */
function linesOf(
  result: QueryResult,
  format: Format,
  terminal: NodeJS.WriteStream | null,
  colour?: boolean,
): AsyncIterable<readonly string[]> {
  if (format === 'json') return jsonLines(result);
  if (format === 'csv') return csvLines(result, terminal === null ? String : printable);
  const palette = createPalette(terminal !== null && wantsColour(terminal, colour));
  return tableLines(result, { palette, width: terminal?.columns ?? null });
}

async function writeStream(
  out: NodeJS.WritableStream & NodeJS.WriteStream,
  lines: AsyncIterable<readonly string[]>,
) {
  // Every cell was made fit for where it goes; CSV has line ends of its own.
  for await (const some of lines) if (!(await writeLines(out, some, String))) return;
}

async function writeFile(path: string, lines: AsyncIterable<readonly string[]>): Promise<void> {
  const part = createPart(path);
  try {
    for await (const some of lines)
      writeBytes(part.fd, Buffer.from(some.map((line) => `${line}\n`).join('')));
    part.commit();
  } catch (error) {
    throw writeError(error, path, null);
  } finally {
    part.discard();
  }
}

/** The columns of unknown kinds can be asked for: they are not left out. */
const NONE: ReadonlyMap<string, number> = new Map();

function tellNewer({ newer }: RecordingQuery, err: NodeJS.WriteStream): void {
  for (const line of newer.slice(0, TOLD).flatMap(newerLines)) err.write(`flightring: ${printable(line)}\n`);
  if (newer.length > TOLD) err.write(`flightring: … and ${newer.length - TOLD} more of newer versions\n`);
}

function tellLeftOut({ files, leftOut }: RecordingQuery, err: NodeJS.WriteStream): void {
  if (leftOut.length === 0) return;
  for (const { message } of leftOut.slice(0, TOLD)) err.write(`flightring: ${printable(message)}\n`);
  if (leftOut.length > TOLD) err.write(`flightring: … and ${leftOut.length - TOLD} more\n`);
  err.write(
    `flightring: ${leftOut.length} of ${files.length + leftOut.length} files were left out; the answer is of the other ${files.length}.\n`,
  );
}

/** Recordings first, the SQL last, unless it comes from somewhere else. */
function readWords(
  words: readonly string[],
  { ask, file, printSql, set }: QueryFlags,
): { places: readonly string[]; sql?: string } {
  if (ask !== undefined && file !== undefined)
    throw new UsageError('TWO_QUESTIONS', 'Give either --ask or --file, not both.');
  if (ask === undefined && (printSql || set))
    throw new UsageError(
      'NO_QUESTION',
      '--set and --print-sql belong to --ask NAME; --list shows the names.',
    );
  if (ask !== undefined || file !== undefined) {
    if (words.length === 0) throw noRecordings();
    return { places: words, ...(file === undefined ? {} : { sql: readSql(file) }) };
  }
  const sql = words.at(-1);
  const places = words.slice(0, -1);
  if (sql === undefined) throw noRecordings();
  if (places.length === 0) {
    if (exists(sql))
      throw new UsageError(
        'NO_SQL',
        `What is to be asked of ${sql}? Write the SQL behind it, for example "SELECT kind, count(*) FROM events GROUP BY kind", or --ask NAME; --list shows the names.`,
      );
    throw noRecordings();
  }
  if (sql === '-') return { places, sql: readFileSync(0, 'utf8') };
  if (exists(sql))
    throw new UsageError(
      'NO_SQL',
      `The last word must be the SQL, but ${sql} is a file; or use --ask or --file.`,
    );
  return { places, sql };
}

function noRecordings(): UsageError {
  return new UsageError(
    'NO_RECORDINGS',
    'Name the recordings first, then the SQL: flightring query recordings/ "SELECT * FROM violations".',
  );
}

function exists(path: string): boolean {
  return statOf(path) !== undefined;
}

function readSql(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('UNREADABLE', `The SQL in ${path} can't be read: ${why}.`, { cause });
  }
}

function readFormat({ format, output }: QueryFlags): Format {
  const known = FORMATS.find((candidate) => candidate === format);
  if (known === undefined) throw unknownWord('format', format, FORMATS);
  if (known === 'parquet' && output === undefined)
    throw new UsageError('NO_OUTPUT', 'Parquet is not for a terminal or a pipe: name a file with -o.');
  return known;
}

function readThreads(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new UsageError('BAD_NUMBER', `--threads takes a whole number from 1 on, not "${text}".`);
  return Number(text);
}

function readSettings(settings: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const setting of settings) {
    const at = setting.indexOf('=');
    if (at < 1)
      throw new UsageError('BAD_SETTING', `--set takes name=value, for example step=1ms, not "${setting}".`);
    values[setting.slice(0, at)] = setting.slice(at + 1);
  }
  return values;
}
