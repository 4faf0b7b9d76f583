// The recordings that arguments name: files, folders with everything below them, and patterns.

import { readdirSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { UsageError } from '../model/errors.ts';

/** Files of these endings are looked for in folders; a raw one is only told of. */
const ENDINGS = ['.parquet', '.raw'];

/** Every file once, in the order of the arguments, those of a folder or pattern by name. */
export async function findFiles(
  places: readonly string[],
  glob: (pattern: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const files = new Map<string, string>();
  for (const place of places) {
    for (const file of await filesOf(place, glob))
      if (!files.has(resolve(file))) files.set(resolve(file), file);
  }
  return [...files.values()];
}

async function filesOf(
  place: string,
  glob: (pattern: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  // A file may have a name that looks like a pattern.
  const stat = statOf(place);
  if (stat?.isDirectory()) return filesBelow(place);
  if (stat) return [place];
  if (!/[*?[]/.test(place)) throw new UsageError('NOT_FOUND', `There is no file and no folder ${place}.`);
  // An absolute path can't be taken for an address of the network.
  const found = await glob(resolve(place));
  if (found.length === 0) throw new UsageError('NO_MATCH', `No file matches ${place}.`);
  return [...found].sort().map((file) => (isAbsolute(place) ? file : relative('.', file)));
}

function filesBelow(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ entry, path }) => ENDINGS.some((ending) => entry.name.endsWith(ending)) && isFile(path))
    .map(({ path }) => path)
    .sort();
  if (files.length === 0)
    throw new UsageError('NO_MATCH', `There is no recording (*.parquet) in the folder ${folder}.`);
  return files;
}

/** Links to files count; what can't be read is told when it is opened. */
function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? true;
}

/** Undefined for whatever is no path at all. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
