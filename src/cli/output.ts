// Lines to a stream in pieces, as fast as the reader takes them; a reader that leaves early is no error.

import type { Writable } from 'node:stream';

const PIECE = 1 << 16;

/** Resolves to false if the reader went away (`| head`): nothing more needs to be made. */
export async function writeLines(stream: Writable, lines: Iterable<string>): Promise<boolean> {
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure = error;
  };
  stream.on('error', onError);
  try {
    let piece = '';
    try {
      for (const line of lines) {
        piece += `${line}\n`;
        if (piece.length < PIECE) continue;
        const full = piece;
        piece = '';
        await write(stream, full);
      }
    } finally {
      // What was made before a failure is shown as well.
      if (piece !== '' && !failure) await write(stream, piece);
    }
    if (failure) throw failure;
    return true;
  } catch (error) {
    if (isClosed(error)) return false;
    throw error;
  } finally {
    // An error may be told once more after the write's own: let it find somebody.
    setImmediate(() => stream.off('error', onError)).unref();
  }
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
