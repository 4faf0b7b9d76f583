// The mappings that ship with flightring, and those in files.

import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import { type Mapping, parseMapping } from './mapping.ts';
import xskMarkers from './mappings/xsk-markers.ts';

/** Their TOML, by name. */
export const MAPPINGS: Readonly<Record<string, string>> = { 'xsk-markers': xskMarkers };

export const DEFAULT_MAPPING = 'xsk-markers';
const FILE_MAX = 1 << 20;

/** A mapping by its name, or from a file. Throws a UsageError that says what is wrong, with line and column. */
export function loadMapping(nameOrFile: string): Mapping {
  const own = Object.hasOwn(MAPPINGS, nameOrFile) ? MAPPINGS[nameOrFile] : undefined;
  if (own !== undefined) return parseMapping(own, nameOrFile);
  return parseMapping(readMapping(nameOrFile), nameOrFile);
}

function readMapping(file: string): string {
  try {
    const facts = statSync(file);
    if (!facts.isFile())
      throw new UsageError('NO_MAPPING', `${file} is not a file; give the path of a mapping.`);
    if (facts.size > FILE_MAX) throw new UsageError('NO_MAPPING', `${file} is too large to be a mapping.`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      const names = Object.keys(MAPPINGS);
      throw new UsageError(
        'NO_MAPPING',
        `There is no mapping ${file}, neither as a file nor by name; did you mean ${nearest(file, names)}?`,
        { cause },
      );
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('NO_MAPPING', `${file} can't be read: ${why}.`, { cause });
  }
}
