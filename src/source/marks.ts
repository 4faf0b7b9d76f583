// The places at which marks are set: in the files that are named, and in the shim itself for `flightring mark`.

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { attachUprobe, type CallResult, libraryPath } from './shim.ts';
import { findMarks } from './usdt.ts';

export interface MarkPlace {
  readonly path: string;
  readonly offset: number;
}

/** Throws a UsageError for a file that can't be read or sets no marks. */
export function markPlaces(files: readonly string[]): MarkPlace[] {
  const paths = [libraryPath(), ...files].map((file) => {
    const path = resolve(file);
    return { path, offsets: findMarks(path) };
  });
  // The same file twice would record every mark twice.
  const places = new Map<string, MarkPlace>();
  for (const { path, offsets } of paths) {
    const real = realpathSync(path);
    for (const offset of offsets) places.set(`${offset} ${real}`, { path: real, offset });
  }
  return [...places.values()];
}

/** Attaches the program to all places; the first refusal ends it. */
export function attachMarks(handle: number, program: string, places: readonly MarkPlace[]): CallResult {
  for (const { path, offset } of places) {
    const attached = attachUprobe(handle, program, path, offset);
    if (attached.code < 0) return attached;
  }
  return { code: 0, text: '' };
}
