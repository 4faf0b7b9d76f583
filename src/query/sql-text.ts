// Values and names as they are written in SQL.

export function quote(text: string): string {
  // A character of code 0 ends DuckDB's text.
  return `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function list(values: readonly string[]): string {
  return `[${values.join(', ')}]`;
}
