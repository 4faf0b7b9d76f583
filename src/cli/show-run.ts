// What flightring show does, loaded only when it is run.

import { EXIT, type ExitCode, RecordingError, UsageError } from '../model/errors.ts';
import { openRecording } from '../recording/open.ts';
import { createFilter } from '../report/filter.ts';
import { collectLife } from '../report/life.ts';
import { createObjectTable } from '../report/objects.ts';
import { createPalette } from '../report/palette.ts';
import { printableAll } from '../report/printable.ts';
import { parseSelector, type Selector, selectorText } from '../report/selector.ts';
import { createThreadNames } from '../report/threads.ts';
import { timeline } from '../report/timeline.ts';
import { traceJson, type TraceRecording, traceText } from '../report/trace.ts';
import type { TraceContext } from '../report/trace-line.ts';
import { isPartly } from './check-exit.ts';
import { wantsColour } from './colour.ts';
import { type EventFlags, readFilter, readNumber, readSelector } from './event-filter.ts';
import { tellNewer, writeLines } from './output.ts';

export interface ShowOptions extends EventFlags {
  readonly limit?: string;
  readonly timeline?: boolean;
  readonly json?: boolean;
  readonly color: boolean;
}

export async function show(
  file: string,
  options: ShowOptions,
  out: NodeJS.WriteStream = process.stdout,
): Promise<ExitCode> {
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : readNumber(options.limit, '--limit');
  const opened = await openRecording(file);
  const recording = options.json ? opened : { ...opened, meta: printableAll(opened.meta) };
  const { meta } = recording;
  const context: TraceContext = {
    objects: createObjectTable(meta.objects),
    threads: createThreadNames(meta.threads),
    palette: createPalette(options.json !== true && wantsColour(out, options.color)),
  };
  const { filter, selected } = readFilter(options, {
    meta,
    objects: context.objects,
    threads: context.threads,
    batches: () => recording.batches(),
  });
  const print = options.json ? traceJson : traceText;
  const wanted = await writeLines(
    out,
    options.timeline
      ? drawLife(options.object, recording, context, limit)
      : print(recording, context, { filter: createFilter(filter, context.threads), limit, selected }),
  );
  if (wanted && recording.unknownKinds.size > 0) {
    const kinds = [...recording.unknownKinds].map(([kind, count]) => `${kind} (${count})`).join(', ');
    process.stderr.write(
      `Left out events of kinds that this version of flightring doesn't know: ${kinds}.\n`,
    );
  }
  tellNewer(recording, process.stderr);
  if (recording.damage) {
    const { offset, message, rowsReadable } = recording.damage;
    throw new RecordingError(
      'DAMAGED',
      `${file}: ${message} (from byte ${offset} on); ${rowsReadable} of its ${recording.rows} records could be read.`,
    );
  }
  return isPartly(recording) ? EXIT.incomplete : EXIT.fine;
}

/** The life up to the violation of that object, or else to the end. */
function drawLife(
  object: string | undefined,
  recording: TraceRecording,
  context: TraceContext,
  limit: number,
): string[] {
  const { violations } = recording.meta;
  const text = object ?? violations[0]?.object;
  if (text === undefined)
    throw new UsageError(
      'NO_OBJECT',
      'This recording holds no violation; name an object for --timeline with --object.',
    );
  const selector = readSelector(text);
  const violation = violations.find((candidate) => concerns(candidate.object, selector));
  const keep = Number.isFinite(limit) ? { keep: Math.max(1, limit) } : {};
  const broken = violation ? { violation } : {};
  const life = collectLife(recording.batches(), selector, context, { ...keep, ...broken });
  return timeline(life, { palette: context.palette, ...broken });
}

function concerns(object: string, selector: Selector): boolean {
  const other = parseSelector(object);
  return other !== undefined && selectorText(other) === selectorText(selector);
}
