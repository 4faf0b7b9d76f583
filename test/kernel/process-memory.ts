// Looks for byte strings in all readable memory of a running process: heap, stacks, files and rings that it has mapped.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PIECE = 4 << 20;

/** How many bytes were read, and which of the needles were met, by name. */
export interface MemorySearch {
  readonly bytes: number;
  readonly regions: number;
  readonly found: ReadonlySet<string>;
}

export function searchMemory(pid: number, needles: ReadonlyMap<string, Buffer>): MemorySearch {
  const overlap = Math.max(...[...needles.values()].map(({ length }) => length)) - 1;
  const found = new Set<string>();
  let bytes = 0;
  let regions = 0;
  const piece = Buffer.alloc(PIECE + overlap);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { from, end } of readableRegions(pid)) {
      regions++;
      for (let at = from; at < end; at += PIECE) {
        const length = readAt(memory, piece, at, Math.min(PIECE + overlap, end - at));
        bytes += Math.min(length, PIECE);
        const seen = piece.subarray(0, length);
        for (const [name, needle] of needles) if (!found.has(name) && seen.includes(needle)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
  }
  return { bytes, regions, found };
}

/** All that the process may read itself, but what the kernel maps into every process alike. */
function readableRegions(pid: number): { from: number; end: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => /^\S+ r/.test(line) && !/\[(vvar|vvar_vclock|vsyscall|vdso)\]$/.test(line))
    .map((line) => {
      const [from = '', end = ''] = (line.split(' ')[0] ?? '').split('-');
      return { from: Number.parseInt(from, 16), end: Number.parseInt(end, 16) };
    });
}

/** Pages that went away, or lie beyond the end of a mapped file, are no memory. */
function readAt(memory: number, into: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, into, 0, length, at);
  } catch {
    return 0;
  }
}
