// The columns of `events`: one for each field of the kinds, whatever the files call theirs.

import { LAYOUTS } from '../generated/layouts.ts';
import type { FieldType, RecordLayout } from '../model/layout.ts';
import { type Column, COMMON as PLACES, planColumns, type Storage } from '../recording/columns.ts';
import type { SourceColumn } from './sources.ts';
import { identifier } from './sql-text.ts';

const SQL_TYPES: Readonly<Record<Storage, string>> = {
  u32: 'UINTEGER',
  s32: 'INTEGER',
  u64: 'UBIGINT',
  i64: 'BIGINT',
  text: 'VARCHAR',
};

/** Columns that every recording begins with. */
const COMMON: ReadonlySet<string> = new Set(Object.keys(PLACES));

export interface EventColumn {
  readonly name: string;
  /** Type in DuckDB where no file has it. */
  readonly type: string;
  /** What its values are, by field types of the layouts; empty for a common column that no field fills. */
  readonly meanings: ReadonlySet<FieldType>;
  /** The kinds that have it as a field of their own. */
  readonly kinds: ReadonlySet<string>;
}

/**
 * The file's columns and the fields in them. Where a recording's kinds have a field of one name with different types, the
 * file has a column for each (`xsk_position`, `sockiter_position`); a query asks for the field.
 */
export function sourceColumns(layouts: readonly RecordLayout[]): SourceColumn[] {
  const { columns, kinds } = planColumns(layouts);
  const fields = new Map(columns.map(({ name }) => [name, name]));
  const types = new Map(columns.map(({ name, storage }) => [name, SQL_TYPES[storage]]));
  for (const { fields: plans } of kinds)
    for (const { field, column } of plans) {
      const { name } = columns[column] as Column;
      fields.set(name, fieldOf(name, field.name));
    }
  return [...fields].map(([name, field]) => ({ name, field, type: types.get(name) ?? '' }));
}

/** A field that has the name of a common column but another meaning keeps the file's name (`task_comm`). */
function fieldOf(column: string, field: string): string {
  return COMMON.has(field) ? column : field;
}

/** Those of this version's kinds; common ones first. */
export const EVENT_COLUMNS: readonly EventColumn[] = describeColumns(LAYOUTS);

function describeColumns(layouts: readonly RecordLayout[]): EventColumn[] {
  const { columns, kinds } = planColumns(layouts);
  const found = new Map<string, { type: string; meanings: Set<FieldType>; kinds: Set<string> }>();
  const describe = (name: string, type: string) => {
    const known = found.get(name) ?? { type, meanings: new Set<FieldType>(), kinds: new Set<string>() };
    // A position of 32 bits in one kind and of 64 in another.
    if (type === 'UBIGINT' && known.type === 'UINTEGER') known.type = type;
    found.set(name, known);
    return known;
  };
  for (const { name, storage } of columns) if (COMMON.has(name)) describe(name, SQL_TYPES[storage]);
  for (const { layout, fields } of kinds)
    for (const { field, column } of fields) {
      const { name, storage } = columns[column] as Column;
      const described = describe(fieldOf(name, field.name), SQL_TYPES[storage]);
      described.meanings.add(field.type);
      described.kinds.add(layout.kind);
    }
  return [...found].map(([name, column]) => ({ name, ...column }));
}

/** Names of the columns with values of that meaning. */
export function columnsOfMeaning(meaning: FieldType): string[] {
  return EVENT_COLUMNS.filter(({ meanings }) => meanings.has(meaning)).map(({ name }) => name);
}

/** What to select from the files, a line for each column of `events`. */
export function selectFields(sources: readonly { readonly columns: readonly SourceColumn[] }[]): string[] {
  const known = new Map<string, Map<string, Set<string>>>(EVENT_COLUMNS.map(({ name }) => [name, new Map()]));
  const unknown = new Set<string>();
  // Recordings of the same layouts share their columns.
  for (const columns of new Set(sources.map((source) => source.columns)))
    for (const { name, field, type } of columns) {
      const names = known.get(field);
      if (names) names.set(name, (names.get(name) ?? new Set()).add(type));
      else unknown.add(name);
    }
  return [
    ...EVENT_COLUMNS.map(
      ({ name, type }) => `${valueOf(known.get(name) ?? new Map(), type)} AS ${identifier(name)}`,
    ),
    ...[...unknown].filter((name) => !known.has(name)).map(identifier),
  ];
}

/** A row has a value in one of the columns at most: that which its kind fills. */
function valueOf(columns: ReadonlyMap<string, ReadonlySet<string>>, type: string): string {
  const values = [...columns].map(([name, types]) => {
    // In a file of another version a column may have another type.
    const same = types.size === 1 && types.has(type);
    return same ? identifier(name) : `TRY_CAST(${identifier(name)} AS ${type})`;
  });
  const [first, ...rest] = values;
  if (first === undefined) return `NULL::${type}`;
  return rest.length === 0 ? first : `coalesce(${values.join(', ')})`;
}
