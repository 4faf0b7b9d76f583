// What a wrong word of the command line was meant to be, as an error.

import { UsageError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';

export { editDistance, nearest } from '../model/nearest.ts';

/** `There is no kind "xsk_rx_publich"; did you mean xsk_rx_publish?`: to be thrown. */
export function unknownWord(what: string, word: string, candidates: readonly string[]): UsageError {
  const best = nearest(word, candidates);
  return new UsageError(
    `UNKNOWN_${what.toUpperCase().replaceAll(/\W+/g, '_')}`,
    best === undefined
      ? `There is no ${what} "${word}", and none at all here.`
      : `There is no ${what} "${word}"; did you mean ${best}?`,
  );
}
