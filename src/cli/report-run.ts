// What flightring report does, loaded only when it is run.

import { RecordingError } from '../model/errors.ts';
import { renderReport, reportPath, writeReport } from '../page/write-report.ts';
import { openRecording } from '../recording/open.ts';
import { formatCount, plural } from '../report/span.ts';
import { tellNewer, writeLines } from './output.ts';
import { startProgress } from './progress.ts';

export interface ReportFlags {
  readonly output?: string;
  readonly quiet?: boolean;
}

export async function runReport(
  file: string,
  { output, quiet }: ReportFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<void> {
  const recording = await openRecording(file);
  const progress = startProgress(`reading ${file}`, err);
  const onProgress = (done: number, total: number) => progress.tell(done, total);
  try {
    if (output === '-') {
      const { html } = await renderReport(recording, { onProgress });
      progress.end();
      await writeLines(out, html.trimEnd().split('\n'));
    } else {
      const target = output ?? reportPath(file);
      const { path, bytes, events } = await writeReport(recording, target, { onProgress });
      progress.end();
      const which =
        events.embedded === events.total
          ? `all ${plural(events.total, 'event')}`
          : `${formatCount(events.embedded)} of ${plural(events.total, 'event')}`;
      if (!quiet) await writeLines(out, [`${path}  ${formatCount(Math.ceil(bytes / 1000))} kB, ${which}`]);
    }
  } finally {
    progress.end();
  }
  tellNewer(recording, err);
  if (recording.damage) {
    const { offset, message, rowsReadable } = recording.damage;
    throw new RecordingError(
      'DAMAGED',
      `${file}: ${message} (from byte ${offset} on); the report shows the ${rowsReadable} of its ${recording.rows} records that could be read.`,
    );
  }
}
