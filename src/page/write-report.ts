// A report of a recording as one HTML file, readable by its owner only.

import { statSync, type Stats } from 'node:fs';
import { UsageError } from '../model/errors.ts';
import { createPart, writeAll } from '../recording/files.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import { readAssets } from './assets.ts';
import { buildPage } from './build.ts';
import { pageHtml } from './html.ts';

export interface ReportOptions {
  /** Called now and then with the records read and to be read; each is read three times. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WrittenReport {
  readonly path: string;
  readonly bytes: number;
  /** Events embedded, of how many there are. */
  readonly events: { readonly embedded: number; readonly total: number };
}

/**
 * The report as text. Memory is bounded by what is embedded, whatever the size of the recording.
 *
 * @example
 * const html = await renderReport('freeze.parquet');
 */
export async function renderReport(
  source: string | Recording,
  { onProgress }: ReportOptions = {},
): Promise<{ html: string } & Pick<WrittenReport, 'events'>> {
  const assets = readAssets();
  const recording = typeof source === 'string' ? await openRecording(source) : source;
  const data = buildPage(recording, onProgress);
  return {
    html: pageHtml(data, assets),
    events: { embedded: data.embedded.events, total: data.embedded.of },
  };
}

/**
 * Writes the report of a recording to `path`, by default the recording's name with `.html`. An older report there is
 * replaced; the recording itself never is. Throws a UsageError where nothing can be written, a RecordingError for what is
 * no recording.
 *
 * @example
 * const { path, bytes } = await writeReport('freeze.parquet', 'freeze.html');
 */
export async function writeReport(
  source: string | Recording,
  path?: string,
  options: ReportOptions = {},
): Promise<WrittenReport> {
  const recording = typeof source === 'string' ? await openRecording(source) : source;
  const target = path ?? reportPath(recording.path);
  refuseTarget(target, recording.path);
  const { html, events } = await renderReport(recording, options);
  const bytes = Buffer.from(html, 'utf8');
  try {
    const part = createPart(target);
    try {
      writeAll(part.fd, bytes);
      part.commit();
    } finally {
      part.discard();
    }
  } catch (error) {
    throw unwritable(target, error);
  }
  return { path: target, bytes: bytes.length, events };
}

/** `freeze.parquet` → `freeze.html`. */
export function reportPath(recording: string): string {
  return `${recording.replace(/\.(parquet|raw)$/, '')}.html`;
}

/** Said before the recording is read, not after. */
function refuseTarget(target: string, recording: string): void {
  const there = statOf(target);
  if (there === undefined) return;
  const own = statOf(recording);
  if (own && there.ino === own.ino && there.dev === own.dev)
    throw new UsageError(
      'OVERWRITES_RECORDING',
      `${target} is the recording itself; give another name with -o.`,
    );
  if (!there.isFile())
    throw new UsageError(
      'UNWRITABLE',
      `${target} is ${there.isDirectory() ? 'a folder' : 'no file'}; give the name of a file with -o, or - for standard output.`,
    );
}

/** Undefined for what isn't there, or can't be looked at: writing will say why. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function unwritable(path: string, error: unknown): UsageError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such folder',
    ENOTDIR: 'a part of its path is no folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    ENAMETOOLONG: 'the name is too long',
  };
  const reason = why[String(code)] ?? (cause instanceof Error ? cause.message : String(cause));
  return new UsageError('UNWRITABLE', `${path} can't be written: ${reason}; give another name with -o.`, {
    cause: error,
  });
}
