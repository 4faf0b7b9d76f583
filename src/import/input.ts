// Where a trace comes from: a file, standard input, or bytes; what is no text is refused in words.

import { createReadStream, statSync } from 'node:fs';
import { UsageError } from '../model/errors.ts';

export interface Input {
  /** As the recording's notes say it. */
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
  done(): number;
  chunks(): AsyncGenerator<Uint8Array, void>;
}

const CHUNK = 1 << 18;

/** By their first bytes, files that hold a trace in another form, and what to do with them. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['\x1f\x8b', 'is compressed; unpack it: zcat FILE | flightring import - …'],
  ['\x28\xb5\x2f\xfd', 'is compressed; unpack it: zstdcat FILE | flightring import - …'],
  [
    '\x17\x08Dtracing',
    "is trace-cmd's own form; use its text: trace-cmd report -t FILE | flightring import - …",
  ],
  ['\x17\x08\x44', "is trace-cmd's own form; use its text: trace-cmd report -t FILE | flightring import - …"],
  ['PERFILE2', "is perf's own form; use its text: perf script --ns -i FILE | flightring import - …"],
  ['PAR1', 'is a Parquet file; a recording needs no import'],
];

export function openInput(source: string | AsyncIterable<Uint8Array>): Input {
  if (typeof source !== 'string') return inputOf('a stream', 0, Date.now(), () => source);
  if (source === '-') return inputOf('standard input', 0, Date.now(), () => process.stdin);
  let facts: ReturnType<typeof statSync>;
  try {
    facts = statSync(source);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(
      missing ? 'NOT_FOUND' : 'UNREADABLE',
      missing ? `There is no trace ${source}.` : `${source} can't be read: ${why}.`,
      { cause },
    );
  }
  if (facts.isDirectory()) throw new UsageError('UNREADABLE', `${source} is a folder; give a file of text.`);
  return inputOf(source, facts.isFile() ? facts.size : 0, facts.mtimeMs, () =>
    createReadStream(source, { highWaterMark: CHUNK }),
  );
}

function inputOf(
  name: string,
  size: number,
  modifiedMs: number,
  open: () => AsyncIterable<Uint8Array | string>,
): Input {
  let done = 0;
  return {
    name,
    size,
    modifiedMs,
    done: () => done,
    async *chunks() {
      let first = true;
      try {
        for await (const chunk of open()) {
          const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
          if (first && bytes.length > 0) {
            first = false;
            refuseOthers(bytes, name);
          }
          done += bytes.length;
          yield bytes;
        }
      } catch (cause) {
        if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
        throw new UsageError('UNREADABLE', `${name} can't be read: ${cause.message}.`, { cause });
      }
    },
  };
}

function refuseOthers(bytes: Uint8Array, name: string): void {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  for (const [magic, words] of OTHERS)
    if (start.startsWith(magic)) throw new UsageError('NOT_TEXT', `${name} ${words}.`);
}
