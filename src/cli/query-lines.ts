// The rows of a query for programs: JSON, an object per line, and CSV.

import type { QueryResult } from '../query/query.ts';
import { jsonOf, type QueryValue, textOf } from '../query/values.ts';

/** Numbers beyond 2^53 are text; decimals keep their digits as text, too. */
export async function* jsonLines({ columns, batches }: QueryResult): AsyncGenerator<string[]> {
  for await (const rows of batches())
    yield rows.map((row) =>
      // JSON's own escapes leave 0x7f to 0x9f as they are, which a terminal may obey.
      JSON.stringify(
        Object.fromEntries(columns.map(({ name }, i) => [name, jsonOf(row[i] ?? null)])),
      ).replaceAll(
        /[\u007f-\u009f\u2028\u2029]/g,
        (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    );
}

/** RFC 4180, with a heading; NULL is an empty field, an empty text "". */
export async function* csvLines(
  { columns, batches }: QueryResult,
  show: (text: string) => string,
): AsyncGenerator<string[]> {
  yield [`${columns.map(({ name }) => csvText(name, show)).join(',')}\r`];
  for await (const rows of batches())
    yield rows.map((row) => `${columns.map((_, i) => csvField(row[i] ?? null, show)).join(',')}\r`);
}

function csvField(value: QueryValue, show: (text: string) => string): string {
  if (typeof value !== 'string' && typeof value !== 'object') return String(value);
  const text = textOf(value);
  return text === null ? '' : csvText(text, show);
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV Injection). */
function csvText(text: string, show: (text: string) => string): string {
  const safe = show(/^[=+\-@\t\r]/.test(text) && !/^[-+]?[\d.]+$/.test(text) ? `'${text}` : text);
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
