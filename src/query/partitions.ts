// The `key=value` folders that a recording lies in (`host=a/date=2026-11-21`), as columns.

import { resolve } from 'node:path';

/** What the path says, in order; keys in lower case, as SQL reads them, Hive's escapes (%20) taken back. */
export function partitionsOf(path: string): ReadonlyMap<string, string> {
  const partitions = new Map<string, string>();
  for (const folder of resolve(path).split('/').slice(0, -1)) {
    const found = /^([A-Za-z_]\w{0,63})=(.+)$/s.exec(folder);
    if (found) partitions.set((found[1] as string).toLowerCase(), unescape(found[2] as string));
  }
  return partitions;
}

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

export interface PartitionColumn {
  readonly name: string;
  readonly type: 'DATE' | 'VARCHAR';
}

/** The keys of all recordings; one that is the name of another column makes none. */
export function partitionColumns(
  recordings: readonly ReadonlyMap<string, string>[],
  taken: ReadonlySet<string>,
): PartitionColumn[] {
  const dates = new Map<string, boolean>();
  for (const partitions of recordings)
    for (const [name, value] of partitions)
      if (!taken.has(name)) dates.set(name, (dates.get(name) ?? true) && isDate(value));
  return [...dates].map(([name, date]) => ({ name, type: date ? 'DATE' : 'VARCHAR' }));
}

function isDate(value: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(value) ? new Date(value) : null;
  return date !== null && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
