// Quotes text for the guest's shell, on one line whatever the text holds.

import { UsageError } from '../model/errors.ts';

/** Newlines become "$newline", since the guest's agent reads its commands line by line. */
export function shellQuote(text: string): string {
  if (text.includes('\0'))
    throw new UsageError('LAB_BAD_ARGUMENT', 'a command for the lab cannot hold a NUL byte');
  return `'${text.replaceAll("'", `'\\''`).replaceAll('\n', `'"$newline"'`)}'`;
}
