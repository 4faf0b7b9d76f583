// Comma-separated values (RFC 4180): the columns of the Parquet file, one line per event.

import type { Storage } from '../recording/columns.ts';
import type { ColumnValues, Gatherer } from '../recording/gather.ts';
import { inPieces } from './pieces.ts';
import { createRowGroups } from './rows.ts';
import type { ExportSource } from './source.ts';

export function exportCsv(source: ExportSource): Generator<Uint8Array, void, undefined> {
  return inPieces(lines(source));
}

/** Reads the next value of its column, which only rows with a value have. */
type Cell = (row: number) => string;

/** A column with values, and the commas between it and the one before: most columns of a row group are empty. */
interface FilledColumn {
  readonly commas: string;
  readonly cell: Cell;
}

function* lines(source: ExportSource): Generator<string, void, undefined> {
  const { columns, groups } = createRowGroups(source);
  yield `${columns.map(({ name }) => quote(name)).join(',')}\r\n`;
  const texts: string[] = [];
  for (const gatherer of groups()) {
    quoteNew(gatherer, texts);
    const filled: FilledColumn[] = [];
    let last = 0;
    for (const [place, { storage }] of columns.entries()) {
      const values = gatherer.columns[place] as ColumnValues;
      if (values.count === 0) continue;
      filled.push({ commas: ','.repeat(place - last), cell: cellOf(values, storage, texts) });
      last = place;
    }
    const end = `${','.repeat(columns.length - 1 - last)}\r\n`;
    for (let row = 0; row < gatherer.rows; row++) {
      let line = '';
      for (const { commas, cell } of filled) line += commas + cell(row);
      yield line + end;
    }
  }
}

/** Each text is quoted once. */
function quoteNew({ strings: { list } }: Gatherer, texts: string[]): void {
  for (let at = texts.length; at < list.length; at++) texts.push(quote(list[at] as string));
}

function cellOf({ present, low, high }: ColumnValues, storage: Storage, texts: readonly string[]): Cell {
  const value = valueOf(storage, low, high, texts);
  if (present === null) return value;
  let next = 0;
  return (row) => (present[row] === 1 ? value(next++) : '');
}

function valueOf(
  storage: Storage,
  low: Uint32Array,
  high: Uint32Array | null,
  texts: readonly string[],
): Cell {
  switch (storage) {
    case 'text':
      return (at) => texts[low[at] as number] as string;
    case 's32':
      return (at) => String((low[at] as number) | 0);
    case 'u32':
      return (at) => String(low[at]);
    default:
      return (at) => wide(low[at] as number, high?.[at] as number);
  }
}

function wide(low: number, high: number): string {
  if (high < 0x20_0000) return String(high * 0x1_0000_0000 + low);
  return ((BigInt(high) << 32n) | BigInt(low)).toString();
}

/** An empty text is quoted, so that it differs from no value. */
function quote(text: string): string {
  return text === '' || /[^\w.:/@-]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
