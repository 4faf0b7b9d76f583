// What flightring diff does, loaded only when it is run.

import { diffRecordings } from '../diff/diff.ts';
import { diffText } from '../diff/text.ts';
import { EXIT, type ExitCode, RecordingError, UsageError } from '../model/errors.ts';
import { openRecording } from '../recording/open.ts';
import { createPalette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { tellNewer, writeLines } from './output.ts';
import { startProgress } from './progress.ts';

export interface DiffFlags {
  readonly threshold: string;
  readonly limit: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly color: boolean;
}

/** As diff has it: a difference is no violation, but nothing else either. */
const DIFFERENT: ExitCode = EXIT.violation;

export async function runDiff(
  a: string,
  b: string,
  flags: DiffFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  const threshold = readThreshold(flags.threshold);
  const limit = readLimit(flags.limit);
  const [one, other] = [await openRecording(a), await openRecording(b)];
  const progress = startProgress('comparing', err);
  const diff = await diffRecordings(one, other, {
    threshold,
    onProgress: (done, total) => progress.tell(done, total),
  }).finally(() => progress.end());
  const palette = createPalette(!flags.json && wantsColour(out, flags.color));
  await writeLines(
    out,
    flags.json ? [JSON.stringify(diff)] : diffText(diff, { palette, limit, all: flags.all === true }),
  );
  for (const recording of [one, other]) tellNewer(recording, err);
  for (const { path, damage, rows } of [one, other])
    if (damage !== null)
      throw new RecordingError(
        'DAMAGED',
        `${path}: ${damage.message}; only the first ${damage.rowsReadable} of its ${rows} records could be compared.`,
      );
  return diff.differ ? DIFFERENT : EXIT.fine;
}

function readThreshold(text: string): number {
  const factor = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (factor < 1)
    throw new UsageError(
      'BAD_THRESHOLD',
      `--threshold takes a factor of at least 1, like 1.5, not "${text}".`,
    );
  return factor;
}

function readLimit(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError('BAD_NUMBER', `--limit takes a whole number, not "${text}".`);
  return Number(text);
}
