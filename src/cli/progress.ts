// How far a long step has come: one line on a terminal's standard error, nothing elsewhere.

import { performance } from 'node:perf_hooks';
import { printable } from '../report/printable.ts';

export interface Progress {
  tell(done: number, total: number): void;
  /** Wipes the line. */
  end(): void;
}

/** A step shorter than this is not worth a line. */
const PATIENCE_MS = 400;
const EVERY_MS = 100;

export interface Status {
  /** Calls for the text only when it is shown. */
  tell(text: () => string): void;
  /** Wipes the line; the next `tell` shows it again. */
  end(): void;
}

/** A line of any text. */
export function startStatus(stream: NodeJS.WriteStream = process.stderr): Status {
  if (!stream.isTTY) return { tell() {}, end() {} };
  let next = performance.now() + PATIENCE_MS;
  let shown = false;
  return {
    tell(text) {
      const now = performance.now();
      if (now < next) return;
      next = now + EVERY_MS;
      shown = true;
      stream.write(`\r\x1b[K${lastOf(text(), (stream.columns || 80) - 1)}`);
    },
    end() {
      if (shown) stream.write('\r\x1b[K');
      shown = false;
    },
  };
}

/** A line that is longer than the terminal is wide could not be wiped. */
function lastOf(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(1 - width)}`;
}

export function startProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  const status = startStatus(stream);
  const name = printable(what);
  return {
    tell: (done, total) =>
      status.tell(() => `${name}: ${Math.min(100, Math.floor((100 * done) / Math.max(total, 1)))} %`),
    end: status.end,
  };
}
