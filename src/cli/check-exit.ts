// What a checked recording means for the exit status.

import { EXIT, type ExitCode } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import type { RecordingCheck } from '../pipeline.ts';
import type { RecordingFacts } from '../recording/open.ts';

/** From the best to the worst. */
const SEVERITY: readonly ExitCode[] = [
  EXIT.fine,
  EXIT.incomplete,
  EXIT.violation,
  EXIT.badInput,
  EXIT.kernelRefused,
];

export function worstOf(a: ExitCode, b: ExitCode): ExitCode {
  return SEVERITY.indexOf(a) > SEVERITY.indexOf(b) ? a : b;
}

export function exitCodeOf({ recording, summary, outOfWindow }: RecordingCheck<RecordingFacts>): ExitCode {
  const breaks = ({ severity }: Violation) => severity === 'violation';
  if (recording.damage !== null) return EXIT.badInput;
  if (summary.violations.some(breaks) || outOfWindow.some(breaks)) return EXIT.violation;
  return summary.lost > 0 || isPartly(recording) ? EXIT.incomplete : EXIT.fine;
}

/** Whether something in the recording, though undamaged, can't be read by this version. */
export function isPartly({ newer, unknownKinds }: Pick<RecordingFacts, 'newer' | 'unknownKinds'>): boolean {
  return unknownKinds.size > 0 || (newer !== null && (newer.format > 1 || newer.leftOut.length > 0));
}
