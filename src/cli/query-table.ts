// The rows of a query as a table that fits the terminal: numbers to the right, columns shrunk, never a line wrapped.

import { printable } from '../report/printable.ts';
import type { QueryResult } from '../query/query.ts';
import { type QueryColumn, type QueryValue, textOf } from '../query/values.ts';
import type { Palette } from '../report/palette.ts';
import { cut, pad, widthOf } from './text-width.ts';

export interface TableOptions {
  readonly palette: Palette;
  /** Columns of the terminal; null for as wide as the rows are. */
  readonly width: number | null;
}

/** Rows that the widths are made from; wider values further down are cut. */
const MEASURED = 1000;
const GAP = '  ';
/** No column is shrunk below this; if they don't fit even so, the last ones are left out. */
const LEAST = 6;
/** A cell of a file or pipe may be as long as this. */
const MOST = 2000;

interface Shown extends QueryColumn {
  readonly at: number;
  readonly width: number;
}

export async function* tableLines(
  { columns, batches }: QueryResult,
  { palette, width }: TableOptions,
): AsyncGenerator<string[]> {
  const held: (readonly (string | null)[])[] = [];
  const rows = cellsOf(batches());
  let ended = false;
  while (held.length < MEASURED && !ended) {
    const next = await rows.next();
    ended = next.done === true;
    if (next.done !== true) held.push(...next.value);
  }
  const layout = fit(columns, held, width);
  const left = columns.length - layout.length;
  const more = left > 0 ? GAP + palette.dim(`… ${left} more`) : '';
  yield [
    `${layout
      .map((column) => palette.bold(cell(printable(column.name), column)))
      .join(GAP)
      .trimEnd()}${more}`,
    palette.dim(layout.map((column) => '─'.repeat(column.width)).join(GAP)),
  ];
  const line = (row: readonly (string | null)[]): string =>
    layout
      .map((column) => {
        const text = row[column.at] ?? null;
        return text === null ? palette.dim(cell('NULL', column)) : cell(text, column);
      })
      .join(GAP)
      .trimEnd();
  let count = held.length;
  yield held.map(line);
  held.length = 0;
  for await (const some of rows) {
    count += some.length;
    yield some.map(line);
  }
  if (count === 0) yield [palette.dim('no rows')];
}

async function* cellsOf(
  batches: AsyncGenerator<readonly (readonly QueryValue[])[]>,
): AsyncGenerator<(readonly (string | null)[])[], void, undefined> {
  for await (const rows of batches)
    yield rows.map((row) =>
      row.map((value) => {
        const text = textOf(value);
        return text === null ? null : printable(text.length > MOST ? `${text.slice(0, MOST)}…` : text);
      }),
    );
}

function cell(text: string, { width, numeric }: Shown): string {
  return pad(cut(text, width), width, numeric);
}

/** Widths that add up to the terminal's: the widest give way first. */
function fit(
  columns: readonly QueryColumn[],
  rows: readonly (readonly (string | null)[])[],
  width: number | null,
): Shown[] {
  const widths = columns.map(({ name }, at) =>
    rows.reduce(
      (most, row) => Math.max(most, widthOf(row[at] ?? 'NULL')),
      Math.max(widthOf(printable(name)), 1),
    ),
  );
  let shown = columns.map((column, at) => ({ ...column, at, width: widths[at] as number }));
  if (width === null) return shown;
  const least = shown.map((column) => Math.min(column.width, LEAST));
  const fits = (count: number, room: number): boolean =>
    least.slice(0, count).reduce((sum, needed) => sum + needed + GAP.length, -GAP.length) <= room;
  if (!fits(shown.length, width)) {
    const note = `${GAP}… ${shown.length} more`.length;
    let count = shown.length - 1;
    while (count > 1 && !fits(count, width - note)) count--;
    shown = shown.slice(0, count);
    return shrink(shown, Math.max(width - note, LEAST));
  }
  return shrink(shown, width);
}

function shrink(columns: readonly Shown[], width: number): Shown[] {
  const room = width - GAP.length * (columns.length - 1);
  const total = columns.reduce((sum, column) => sum + column.width, 0);
  if (total <= room) return [...columns];
  // The greatest width that all wider columns can be cut to.
  let limit = Math.max(...columns.map((column) => column.width));
  const used = (): number => columns.reduce((sum, column) => sum + Math.min(column.width, limit), 0);
  while (limit > 1 && used() > room) limit--;
  let spare = room - used();
  return columns.map((column) => {
    const cutTo = Math.min(column.width, limit);
    const extra = Math.min(column.width - cutTo, Math.max(spare, 0));
    spare -= extra;
    return { ...column, width: cutTo + extra };
  });
}
