// What flightring import does, loaded only when it is run.

import { EXIT, type ExitCode, UsageError } from '../model/errors.ts';
import { importTrace, type ImportResult } from '../import/import.ts';
import type { TraceFormat } from '../import/line.ts';
import { DEFAULT_MAPPING, MAPPINGS } from '../import/mappings.ts';
import { formatCount, plural } from '../report/span.ts';
import { unknownWord } from './nearest.ts';
import { writeLines } from './output.ts';
import { startProgress } from './progress.ts';

export interface ImportFlags {
  readonly output?: string;
  readonly map?: string;
  readonly format: TraceFormat | 'auto';
  readonly printMap?: string | true;
  readonly json?: boolean;
}

/** Reasons told in lines of their own. */
const REASONS = 8;

export async function runImport(
  file: string | undefined,
  { output, map, format, printMap, json }: ImportFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  if (printMap !== undefined) {
    const name = printMap === true ? DEFAULT_MAPPING : printMap;
    if (!Object.hasOwn(MAPPINGS, name)) throw unknownWord('mapping', name, Object.keys(MAPPINGS));
    await writeLines(out, [(MAPPINGS[name] as string).trimEnd()]);
    return EXIT.fine;
  }
  if (file === undefined)
    throw new UsageError('NO_TRACE', 'Name the trace to import, or - for standard input.');
  if (output === undefined)
    throw new UsageError('NO_OUTPUT', 'Name the recording to write with -o OUT.parquet.');
  if (output === '-')
    throw new UsageError('NO_OUTPUT', 'A recording is a file, not a stream: name it with -o OUT.parquet.');
  const progress = startProgress(`importing ${file}`, err);
  let result: ImportResult;
  try {
    result = await importTrace(file, output, {
      format,
      ...(map === undefined ? {} : { mapping: map }),
      onProgress: (done, total) => progress.tell(done, total),
    });
  } finally {
    progress.end();
  }
  if (json) await writeLines(out, [JSON.stringify(result)]);
  await writeLines(err, summaryLines(result));
  return result.complete ? EXIT.fine : EXIT.incomplete;
}

function summaryLines({ path, events, counts, lost, problems, mapping }: ImportResult): string[] {
  const { lines, headers, losses, ignored, unused } = counts;
  const others = [
    headers > 0 ? `${formatCount(headers)} headers` : '',
    losses > 0 ? `${formatCount(losses)} of lost events` : '',
    ignored > 0 ? `${formatCount(ignored)} ignored by the mapping` : '',
    unused > 0 ? `${formatCount(unused)} not used` : '',
  ].filter((part) => part !== '');
  return [
    `${path}: ${plural(events, 'event')} from ${plural(lines, 'line')} by ${mapping}: ${formatCount(counts.events)} of probes, ${formatCount(counts.markers)} markers${others.map((part) => `, ${part}`).join('')}`,
    ...(lost > 0 ? [`the trace says that ${plural(lost, 'event')} or more were lost`] : []),
    ...problems
      .slice(0, REASONS)
      .flatMap(({ reason, lines: count, samples }) => [
        `${plural(count, 'line')} not used: ${reason}`,
        ...samples.map((sample) => `  ${sample}`),
      ]),
    ...(problems.length > REASONS ? [`and ${problems.length - REASONS} other reasons`] : []),
  ];
}
