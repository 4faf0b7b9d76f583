// What flightring explain does, loaded only when it is run.

import { explainShrunk } from '../explain/explain.ts';
import { explanationText } from '../explain/text.ts';
import { wrap } from '../explain/wrap.ts';
import { RecordingError } from '../model/errors.ts';
import { openRecording } from '../recording/open.ts';
import { createPalette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { tellNewer, writeLines } from './output.ts';
import { othersLine, shrinkForCommand } from './shrink-run.ts';

export interface ExplainFlags {
  readonly violation?: string;
  readonly invariants?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** Where the width of a terminal isn't known: enough for two CPUs side by side. */
const WIDTH = 110;
const WIDTH_LEAST = 40;

export async function runExplain(
  file: string,
  flags: ExplainFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<void> {
  const recording = await openRecording(file);
  const explanation = explainShrunk(recording, await shrinkForCommand(recording, flags, err));
  const palette = createPalette(!flags.json && wantsColour(out, flags.color));
  const width = Math.max(WIDTH_LEAST, (out.isTTY && out.columns) || WIDTH);
  await writeLines(
    out,
    flags.json
      ? [JSON.stringify(explanation)]
      : [
          ...explanationText(explanation, { palette, width }),
          ...othersLine(recording, flags).flatMap((line) => ['', ...wrap(line, width).map(palette.dim)]),
        ],
  );
  tellNewer(recording, err);
  const { damage, rows } = recording;
  if (damage !== null)
    throw new RecordingError(
      'DAMAGED',
      `${file}: ${damage.message}; only the first ${damage.rowsReadable} of its ${rows} records could be used.`,
    );
}
