// How far a long step has come: one line on a terminal's standard error, nothing elsewhere.

import { performance } from 'node:perf_hooks';

export interface Progress {
  tell(done: number, total: number): void;
  /** Wipes the line. */
  end(): void;
}

/** A step shorter than this is not worth a line. */
const PATIENCE_MS = 400;
const EVERY_MS = 100;

export function startProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { tell() {}, end() {} };
  let next = performance.now() + PATIENCE_MS;
  let shown = false;
  return {
    tell(done, total) {
      const now = performance.now();
      if (now < next) return;
      next = now + EVERY_MS;
      shown = true;
      stream.write(`\r\x1b[K${what}: ${Math.min(100, Math.floor((100 * done) / Math.max(total, 1)))} %`);
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
      shown = false;
    },
  };
}
