// What flightring check does, loaded only when it is run.

import { EXIT, type ExitCode, FlightringError } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import { checkRecording, type CheckOptions, type RecordingCheck } from '../pipeline.ts';
import { checkFacts, checkLines } from './check-report.ts';
import { createPalette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { type ChosenInvariants, chooseInvariants } from './invariant-list.ts';
import { writeLines } from './output.ts';
import { type Progress, startProgress } from './progress.ts';

export interface CheckFlags {
  readonly invariants?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/** From the best to the worst. */
const SEVERITY: readonly ExitCode[] = [
  EXIT.fine,
  EXIT.incomplete,
  EXIT.violation,
  EXIT.badInput,
  EXIT.kernelRefused,
];

/** Checks all files, whatever is wrong with some of them; returns the worst exit status. */
export async function runCheck(
  files: readonly string[],
  flags: CheckFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<ExitCode> {
  const chosen = flags.invariants === undefined ? null : await chooseInvariants(flags.invariants);
  let worst: ExitCode = EXIT.fine;
  for (const [i, file] of files.entries()) {
    const code = await checkOne(file, i > 0, chosen, flags, out, err);
    if (SEVERITY.indexOf(code) > SEVERITY.indexOf(worst)) worst = code;
  }
  return worst;
}

async function checkOne(
  file: string,
  follows: boolean,
  chosen: ChosenInvariants | null,
  { json, quiet, color }: CheckFlags,
  out: NodeJS.WriteStream,
  err: NodeJS.WriteStream,
): Promise<ExitCode> {
  const progress = startProgress(`checking ${file}`, err);
  let check: RecordingCheck;
  try {
    check = await checkRecording(file, optionsOf(chosen, progress));
  } catch (thrown) {
    progress.end();
    const error = chosen === null ? thrown : chosen.explain(thrown);
    if (!(error instanceof FlightringError)) throw error;
    err.write(`flightring: ${error.message}\n`);
    if (json)
      await writeLines(out, [
        JSON.stringify({ path: file, error: { code: error.code, message: error.message } }),
      ]);
    return error.exitCode;
  }
  progress.end();
  if (json) await writeLines(out, [JSON.stringify(checkFacts(check), bigIntsAsText)]);
  else if (!quiet)
    await writeLines(out, [
      ...(follows ? [''] : []),
      ...checkLines(check, createPalette(wantsColour(out, color))),
    ]);
  const { damage, rows } = check.recording;
  if (damage !== null)
    err.write(
      `flightring: ${file}: ${damage.message}; ${damage.rowsReadable} of ${rows} events could be checked.\n`,
    );
  return exitCodeOf(check);
}

function optionsOf(chosen: ChosenInvariants | null, progress: Progress): CheckOptions {
  const onProgress = (done: number, total: number) => progress.tell(done, total);
  return chosen === null ? { onProgress } : { onProgress, invariants: chosen.invariants };
}

function exitCodeOf({ recording, summary, outOfWindow }: RecordingCheck): ExitCode {
  const breaks = ({ severity }: Violation) => severity === 'violation';
  if (recording.damage !== null) return EXIT.badInput;
  if (summary.violations.some(breaks) || outOfWindow.some(breaks)) return EXIT.violation;
  return summary.lost > 0 ? EXIT.incomplete : EXIT.fine;
}

function bigIntsAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
