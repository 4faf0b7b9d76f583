// Exports a recording: opens it, makes the format, and writes it to a file that appears whole or not at all, or to a stream.

import { existsSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { UsageError } from '../model/errors.ts';
import { createPart, type PartFile, writeAll, writeError } from '../recording/files.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import type { FilterOptions } from '../report/filter.ts';
import { type ExportFormat, FORMATS, type FormatOptions } from './formats.ts';
import { createSource } from './source.ts';

export interface ExportOptions extends FormatOptions {
  readonly to: ExportFormat;
  /** Where to: a path, or a stream. Default: the recording's path with the format's extension. */
  readonly out?: string | Writable;
  /** Which events; all of them if not given. */
  readonly filter?: FilterOptions;
  /** Write over a file that exists. Default false. */
  readonly overwrite?: boolean;
  /** Called now and then with the records read so far, and all there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ExportResult {
  /** Null for a stream. */
  readonly path: string | null;
  readonly bytes: number;
  /** Records that went into it, gaps among them. */
  readonly records: number;
  /** What couldn't be read: the export holds what lies before it. */
  readonly damage: Recording['damage'];
  /** Records of kinds that this version doesn't know, which are left out. */
  readonly unknownKinds: Recording['unknownKinds'];
  /** False if the stream's reader left early (EPIPE). */
  readonly wanted: boolean;
}

/** The path that an export gets if none is given. */
export function exportPath(file: string, to: ExportFormat): string {
  return `${file.replace(/\.(parquet|raw)$/, '')}${FORMATS[to].extension}`;
}

/**
 * Writes a recording in another format; see docs/export.md for what is where in each.
 *
 * Memory doesn't grow with the recording. A file is readable by its owner only (mode 0600) and appears under its name
 * when it is whole. A damaged recording is exported up to the damage, which the result tells.
 * Throws a RecordingError if the file is no recording or the output can't be written, a UsageError if it exists.
 *
 * @example
 * const { path, records } = await exportRecording('freeze.parquet', { to: 'perfetto' });
 */
export async function exportRecording(file: string, options: ExportOptions): Promise<ExportResult> {
  return exportOpened(await openRecording(file), options);
}

/** The same, of a recording that is open. */
export async function exportOpened(recording: Recording, options: ExportOptions): Promise<ExportResult> {
  const { to, filter, onProgress, out = exportPath(recording.path, to) } = options;
  if (typeof out === 'string') refuseToOverwrite(out, recording.path, options.overwrite ?? false);
  const exporter = await FORMATS[to].load();
  const source = createSource(recording, filter ?? null, (rows) => onProgress?.(rows, recording.rows));
  const pieces = exporter(source, options);
  const written = typeof out === 'string' ? writeFile(out, pieces) : await writeStream(out, pieces);
  return {
    ...written,
    path: typeof out === 'string' ? out : null,
    records: source.records,
    damage: recording.damage,
    unknownKinds: recording.unknownKinds,
  };
}

function refuseToOverwrite(out: string, file: string, overwrite: boolean): void {
  if (!existsSync(out)) return;
  const [there, recording] = [statSync(out), statSync(file)];
  if (there.dev === recording.dev && there.ino === recording.ino)
    throw new UsageError('SAME_FILE', `${out} is the recording itself; give another name with -o.`);
  if (!there.isFile()) throw new UsageError('NOT_A_FILE', `${out} is not a file; give another name with -o.`);
  if (!overwrite)
    throw new UsageError('EXISTS', `${out} exists already; give another name with -o, or --force.`);
}

interface Written {
  readonly bytes: number;
  readonly wanted: boolean;
}

function writeFile(path: string, pieces: Iterable<Uint8Array>): Written {
  let part: PartFile | undefined;
  let bytes = 0;
  try {
    for (const piece of pieces) {
      // Not before there is something to write: what can't be exported leaves no trace.
      part ??= createPart(path);
      writeAll(part.fd, piece);
      bytes += piece.length;
    }
    part ??= createPart(path);
    part.commit();
  } catch (error) {
    part?.discard();
    throw writeError(error, path, null);
  }
  return { bytes, wanted: true };
}

/** One piece at a time, as fast as the reader takes them; one that leaves early is no error. */
async function writeStream(stream: Writable, pieces: Iterable<Uint8Array>): Promise<Written> {
  let bytes = 0;
  let failure: Error | undefined;
  const onError = (error: Error) => {
    failure = error;
  };
  stream.on('error', onError);
  try {
    for (const piece of pieces) {
      await write(stream, piece);
      bytes += piece.length;
      if (failure) throw failure;
    }
    return { bytes, wanted: true };
  } catch (error) {
    if (isClosed(error)) return { bytes, wanted: false };
    throw writeError(error, 'The output', null);
  } finally {
    // An error may be told once more after the write's own: let it find somebody.
    setImmediate(() => stream.off('error', onError)).unref();
  }
}

function write(stream: Writable, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

function isClosed(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
  );
}
