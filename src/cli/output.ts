// Lines to a stream in pieces, as fast as the reader takes them; a reader that leaves early is no error.

import type { Writable } from 'node:stream';
import type { RecordingFacts } from '../recording/open.ts';
import { newerLines } from '../report/newer.ts';
import { printable, printableLine } from '../report/printable.ts';

const PIECE = 1 << 16;

/** Resolves to false if the reader went away (`| head`): nothing more needs to be made. */
export async function writeLines(
  stream: Writable,
  lines: Iterable<string>,
  show: (line: string) => string = printableLine,
): Promise<boolean> {
  const watched = watch(stream);
  try {
    let piece = '';
    try {
      for (const line of lines) {
        piece += `${show(line)}\n`;
        if (piece.length < PIECE) continue;
        const full = piece;
        piece = '';
        await write(stream, full);
      }
    } finally {
      // What was made before a failure is shown as well.
      if (piece !== '' && watched.failure === null) await write(stream, piece);
    }
    if (watched.failure !== null) throw watched.failure;
    return true;
  } catch (error) {
    if (isClosed(error)) return false;
    throw error;
  }
}

/** Says of a recording of a newer version which one it is, and what had to be left out. */
export function tellNewer(recording: RecordingFacts, err: Writable): void {
  for (const line of newerLines(recording)) err.write(`flightring: ${printable(line)}\n`);
}

const streams = new WeakMap<Writable, { failure: Error | null }>();

/** One listener for good: an error may be told once more after the write's own, and has to find somebody. */
function watch(stream: Writable): { failure: Error | null } {
  const known = streams.get(stream);
  if (known !== undefined) return known;
  const watched: { failure: Error | null } = { failure: null };
  stream.on('error', (error: Error) => {
    watched.failure = error;
  });
  streams.set(stream, watched);
  return watched;
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function isClosed(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
  );
}
