// Takes SQL apart into statements, refuses those that do more than ask, and runs the others.

import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBResult } from '@duckdb/node-api';
import { QueryError, UsageError } from '../model/errors.ts';
import { printableLine } from '../report/printable.ts';

/** Texts, quoted names, comments and dollar quotes, in which a semicolon ends nothing. */
const TOKENS =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$)[^]*?\1|--[^\n]*|\/\*[^]*?\*\/|;|[^]/g;
const COMMENT = /^(?:--|\/\*)/;

/** Each statement after as many empty lines as lie before it, so that errors name the right line. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let [statement, lines, hasWords] = ['', 0, false];
  const end = (): void => {
    if (hasWords) statements.push(statement);
    [statement, hasWords] = ['\n'.repeat(lines), false];
  };
  for (const [token] of text.matchAll(TOKENS)) {
    lines += token.split('\n').length - 1;
    if (token === ';') {
      end();
      continue;
    }
    statement += token;
    hasWords ||= /\S/.test(token) && !COMMENT.test(token);
  }
  end();
  return statements;
}

/** Numbers of DuckDB's statement types: those that ask, and those that change the database in memory. */
const TYPE = { select: 1, explain: 4, create: 7 } as const;
const HARMLESS: readonly number[] = [
  TYPE.select,
  2, // insert
  3, // update
  5, // delete
  TYPE.create,
  9, // alter
  15, // drop
  20, // set: the configuration is locked, variables are not
  30, // merge into
];

/** Words that a statement of another kind may begin with; DuckDB would say less of why it refuses. */
const FORBIDDEN =
  /^(copy|export|import|attach|detach|install|load|force|update\s+extensions|call|pragma|checkpoint|vacuum|prepare|execute|use)\b/i;
/** Kept outside the database, or told to the outside; enable_logging to a file ends DuckDB, and us with it. */
const REACHES_OUT =
  /\bcreate\s+(?:or\s+replace\s+)?(?:persistent\s+|temporary\s+|temp\s+)?secret\b|enable_logging/i;
/** Pragmas that only tell something. */
const ASKING_PRAGMA = /^pragma\s+(table_info|show_tables|show_tables_expanded|version|database_size)\b/i;

/** Runs all statements, and gives the rows of the last one as they come. */
export async function runStatements(connection: DuckDBConnection, text: string): Promise<DuckDBResult> {
  const statements = splitStatements(text);
  let result: DuckDBResult | undefined;
  for (const [i, statement] of statements.entries()) {
    for await (const one of prepareAll(connection, statement)) {
      const last = i === statements.length - 1 && one.last;
      result = await inDuckDbsWords(() => (last ? one.statement.stream() : one.statement.run()));
    }
  }
  if (result === undefined) throw new UsageError('NO_SQL', 'There is no SQL to run: it is empty.');
  return result;
}

/** The last statement alone, which must be a question, after having run those before it. */
export async function lastQuestion(connection: DuckDBConnection, text: string): Promise<string> {
  const statements = splitStatements(text);
  const last = statements.pop();
  if (last === undefined) throw new UsageError('NO_SQL', 'There is no SQL to run: it is empty.');
  if (statements.length > 0) await runStatements(connection, statements.join(';'));
  let types = 0;
  for await (const { statement } of prepareAll(connection, last)) {
    if (statement.statementType !== TYPE.select || types++ > 0)
      throw new QueryError('NOT_A_QUESTION', 'Only the rows of a SELECT can be written to a Parquet file.');
  }
  return last;
}

interface Prepared {
  readonly statement: DuckDBPreparedStatement;
  readonly last: boolean;
}

/** One by one, since one may need what the one before has made. A PIVOT becomes two. */
async function* prepareAll(connection: DuckDBConnection, text: string): AsyncGenerator<Prepared> {
  const bare = withoutComments(text).trim();
  if ((FORBIDDEN.test(bare) && !ASKING_PRAGMA.test(bare)) || REACHES_OUT.test(bare)) throw refused(bare);
  const extracted = await inDuckDbsWords(() => connection.extractStatements(text));
  for (let i = 0; i < extracted.count; i++) {
    const statement = await inDuckDbsWords(() => extracted.prepare(i));
    const { statementType: type } = statement;
    // EXPLAIN ANALYZE runs what it explains.
    if (type === TYPE.explain) await expectQuestion(connection, bare);
    else if (!HARMLESS.includes(type)) throw refused(bare);
    yield { statement, last: i === extracted.count - 1 };
  }
}

async function expectQuestion(connection: DuckDBConnection, explain: string): Promise<void> {
  const explained = explain.replace(/^explain\s*(?:\([^)]*\)\s*)?(?:analyze\b\s*)?/i, '');
  const extracted = await inDuckDbsWords(() => connection.extractStatements(explained));
  const statement = await inDuckDbsWords(() => extracted.prepare(0));
  if (extracted.count !== 1 || statement.statementType !== TYPE.select) throw refused(explained);
}

function withoutComments(text: string): string {
  return text.replaceAll(TOKENS, (token) => (COMMENT.test(token) ? ' ' : token));
}

function refused(statement: string): QueryError {
  const words = (/^\w+/.exec(statement)?.[0] ?? 'This').toUpperCase();
  return new QueryError(
    'REFUSED',
    `${words} is refused: a query may read the recordings and make tables and views in memory, nothing else. To keep the result, use -o FILE with --format.`,
  );
}

/** DuckDB shows the place in the SQL; what it quotes of the data must not reach a terminal as it is. */
export async function inDuckDbsWords<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof QueryError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new QueryError('BAD_QUERY', printableLine(message.trimEnd()), { cause });
  }
}
