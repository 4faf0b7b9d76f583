// What flightring export does, loaded only when it is run.

import { exportOpened } from '../export/export.ts';
import type { ExportFormat } from '../export/formats.ts';
import { EXIT, type ExitCode, RecordingError, UsageError } from '../model/errors.ts';
import { openRecording } from '../recording/open.ts';
import type { FilterOptions } from '../report/filter.ts';
import { createObjectTable } from '../report/objects.ts';
import { formatCount, plural } from '../report/span.ts';
import { printable } from '../report/printable.ts';
import { createThreadNames } from '../report/threads.ts';
import { newerLines } from '../report/newer.ts';
import { isPartly } from './check-exit.ts';
import { type EventFlags, readFilter } from './event-filter.ts';
import { startProgress } from './progress.ts';

/** `--to` is the format here; the end of the time wanted is `--until`. */
export interface ExportFlags extends Omit<EventFlags, 'to'> {
  readonly to: ExportFormat;
  readonly until?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly withMeta?: boolean;
}

export async function runExport(
  file: string,
  flags: ExportFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  const { to, force, withMeta, out: path } = flags;
  if (withMeta && to !== 'ndjson') throw new UsageError('BAD_OPTION', '--with-meta is for --to ndjson only.');
  if (path === '-' && out.isTTY && BINARY.has(to))
    throw new UsageError('TERMINAL', `${to} is binary; send it to a file or a pipe.`);
  const recording = await openRecording(file);
  const filter = filterOf(flags, recording);
  const progress = startProgress(`exporting ${file}`, err);
  let result: Awaited<ReturnType<typeof exportOpened>>;
  try {
    result = await exportOpened(recording, {
      to,
      ...(path === undefined ? {} : { out: path === '-' ? out : path }),
      ...(filter ? { filter } : {}),
      ...(withMeta ? { withMeta } : {}),
      overwrite: force ?? false,
      onProgress: (done, total) => progress.tell(done, total),
    });
  } finally {
    progress.end();
  }
  const { path: written, records, bytes, wanted, unknownKinds, damage } = result;
  if (written !== null)
    err.write(`${written}: ${plural(records, 'record')} in ${formatCount(bytes)} bytes (${to})\n`);
  if (wanted && unknownKinds.size > 0) {
    const kinds = [...unknownKinds].map(([kind, count]) => `${kind} (${count})`).join(', ');
    err.write(`Left out events of kinds that this version of flightring doesn't know: ${kinds}.\n`);
  }
  for (const line of newerLines(recording)) err.write(`flightring: ${printable(line)}\n`);
  if (damage)
    throw new RecordingError(
      'DAMAGED',
      `${file}: ${damage.message} (from byte ${damage.offset} on); ${damage.rowsReadable} of its ${recording.rows} records could be read and were exported.`,
    );
  return isPartly(recording) ? EXIT.incomplete : EXIT.fine;
}

const BINARY: ReadonlySet<ExportFormat> = new Set(['perfetto', 'arrow', 'pcapng']);

/** Undefined if everything is wanted. */
function filterOf(
  flags: ExportFlags,
  recording: Awaited<ReturnType<typeof openRecording>>,
): FilterOptions | undefined {
  const { meta } = recording;
  const { filter } = readFilter(eventFlagsOf(flags), {
    meta,
    objects: createObjectTable(meta.objects),
    threads: createThreadNames(meta.threads),
    batches: () => recording.batches(),
  });
  return Object.keys(filter).length > 0 ? filter : undefined;
}

function eventFlagsOf({
  path,
  kind,
  cpu,
  tid,
  pid,
  comm,
  object,
  around,
  from,
  until,
}: ExportFlags): EventFlags {
  const wanted = { path, kind, cpu, tid, pid, comm, object, around, from, to: until };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}
