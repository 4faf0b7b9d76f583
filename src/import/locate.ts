// Where in a TOML file a value stands, for errors that the parser doesn't see.

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Name of a table, number in an array of tables, key. */
export type TomlPath = readonly (string | number)[];

/** The key's place, or that of the innermost part of its path that can be found. */
export function locate(source: string, path: TomlPath): Position {
  let best: Position = { line: 1, column: 1 };
  let matched = 0;
  let table: (string | number)[] = [];
  const counts = new Map<string, number>();
  for (const [i, text] of source.split('\n').entries()) {
    const header = /^(\s*)(\[{1,2})\s*([^\]#]+?)\s*\]{1,2}/.exec(text);
    let found: (string | number)[];
    let column: number;
    if (header) {
      table = resolve(keysOf(header[3] as string), header[2] === '[[', counts);
      found = table;
      column = (header[1] as string).length + 1;
    } else {
      const key = /^(\s*)((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/.exec(text);
      if (key === null) continue;
      found = [...table, ...keysOf(key[2] as string)];
      column = (key[1] as string).length + 1;
      const rest = path.slice(found.length);
      if (rest.length > 0 && isPrefix(found, path)) column = inside(text, column, rest);
    }
    if (isPrefix(found, path) && found.length > matched) {
      matched = found.length;
      best = { line: i + 1, column };
    }
  }
  return best;
}

/** The column of a key of an inline table on its line. */
function inside(text: string, column: number, rest: TomlPath): number {
  let at = column - 1;
  for (const part of rest) {
    if (typeof part === 'number') continue;
    const next = text.indexOf(part, text.indexOf('=', at));
    if (next < 0) break;
    at = next;
  }
  return at + 1;
}

/** `event.port` belongs to the last `[[event]]`. */
function resolve(
  keys: readonly string[],
  isArray: boolean,
  counts: Map<string, number>,
): (string | number)[] {
  const path: (string | number)[] = [];
  for (const [i, key] of keys.entries()) {
    path.push(key);
    const id = keys.slice(0, i + 1).join('\0');
    const last = i === keys.length - 1;
    if (isArray && last) {
      const next = (counts.get(id) ?? -1) + 1;
      counts.set(id, next);
      path.push(next);
    } else if (counts.has(id)) path.push(counts.get(id) as number);
  }
  return path;
}

function keysOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

function isPrefix(shorter: TomlPath, longer: TomlPath): boolean {
  return shorter.length <= longer.length && shorter.every((part, i) => part === longer[i]);
}
