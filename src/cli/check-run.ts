// What flightring check does, loaded only when it is run.

import { EXIT, type ExitCode, FlightringError } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import { checkRecording, type CheckOptions, type RecordingCheck } from '../pipeline.ts';
import { checkFacts, checkLines } from './check-report.ts';
import { createPalette, type Palette } from '../report/palette.ts';
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
const SEVERITY: readonly ExitCode[] = [EXIT.fine, EXIT.incomplete, EXIT.violation, EXIT.badInput, EXIT.kernelRefused];

/** Checks all files, whatever is wrong with some of them; returns the worst exit status. */
export async function runCheck(files: readonly string[], flags: CheckFlags): Promise<ExitCode> {
  const chosen = flags.invariants === undefined ? null : await chooseInvariants(flags.invariants);
  const palette = createPalette(wantsColour(process.stdout, flags.color));
  let worst: ExitCode = EXIT.fine;
  for (const [i, file] of files.entries()) {
    const code = await checkOne(file, i > 0, chosen, flags, palette);
    if (SEVERITY.indexOf(code) > SEVERITY.indexOf(worst)) worst = code;
  }
  return worst;
}

async function checkOne(
  file: string,
  follows: boolean,
  chosen: ChosenInvariants | null,
  { json, quiet }: CheckFlags,
  palette: Palette,
): Promise<ExitCode> {
  const progress = startProgress(`checking ${file}`);
  let check: RecordingCheck;
  try {
    check = await checkRecording(file, optionsOf(chosen, progress));
  } catch (thrown) {
    progress.end();
    const error = chosen === null ? thrown : chosen.explain(thrown);
    if (!(error instanceof FlightringError)) throw error;
    process.stderr.write(`flightring: ${error.message}\n`);
    if (json) await writeLines(process.stdout, [JSON.stringify({ path: file, error: { code: error.code, message: error.message } })]);
    return error.exitCode;
  }
  progress.end();
  if (json) await writeLines(process.stdout, [JSON.stringify(checkFacts(check), bigIntsAsText)]);
  else if (!quiet) await writeLines(process.stdout, [...(follows ? [''] : []), ...checkLines(check, palette)]);
  const { damage } = check.recording;
  if (damage !== null) process.stderr.write(`flightring: ${file}: ${damage.message}; ${damage.rowsReadable} of ${check.recording.rows} events could be checked.\n`);
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
