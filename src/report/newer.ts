// What is said of a recording that a newer version made.

import { VERSION } from '../generated/version.ts';
import type { RecordingFacts } from '../recording/open.ts';

/** That a newer version made it, and what is left out; empty for a recording that is known through and through. */
export function newerLines({ path, newer }: Pick<RecordingFacts, 'path' | 'newer'>): string[] {
  if (newer === null) return [];
  const { flightring, format, leftOut } = newer;
  const shown = leftOut.slice(0, 8).join(', ') + (leftOut.length > 8 ? ', …' : '');
  const what = leftOut.length === 0 ? 'nothing had to be left out' : `left out: ${leftOut.length} (${shown})`;
  return [
    `${path} was made by flightring ${flightring} (format ${format}), newer than this one (${VERSION}); what is known here was read; ${what}.`,
  ];
}
