// Values of DuckDB as plain ones of JavaScript, none losing a digit.

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Times, dates, decimals, UUIDs, intervals and bytes are text as DuckDB writes it; 64-bit numbers are bigint. */
export type QueryValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | QueryValue[]
  | { [name: string]: QueryValue };

export interface QueryColumn {
  readonly name: string;
  /** As DuckDB says it, for example `UBIGINT` or `TIMESTAMP_NS`. */
  readonly type: string;
  /** Its values are numbers. */
  readonly numeric: boolean;
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)$/;

export function queryColumn(name: string, type: DuckDBType): QueryColumn {
  const text = String(type);
  return { name, type: text, numeric: NUMERIC.test(text) };
}

export function plainValue(value: DuckDBValue): QueryValue {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return value;
  // Lists and arrays have items; structs an object of entries, maps a list of them.
  if ('items' in value) return value.items.map(plainValue);
  if ('entries' in value) {
    if (Array.isArray(value.entries))
      return value.entries.map(({ key, value: held }) => ({ key: plainValue(key), value: plainValue(held) }));
    return Object.fromEntries(Object.entries(value.entries).map(([name, held]) => [name, plainValue(held)]));
  }
  return String(value);
}

/** As JSON: numbers beyond 2^53 as text, so that no reader rounds them. */
export function jsonOf(value: QueryValue): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, jsonOf(held)]));
  return value;
}

/** For a cell: lists and structs as JSON; null for NULL. */
export function textOf(value: QueryValue): string | null {
  if (value === null) return null;
  return typeof value === 'object' ? JSON.stringify(jsonOf(value)) : String(value);
}
