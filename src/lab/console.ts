// Keeps the last lines of the guest's serial console, for errors.

import type { Readable } from 'node:stream';

const keptCharacters = 64 * 1024;

export interface ConsoleLog {
  /** The last `count` non-empty lines. */
  tail(count: number): string;
}

export function keepConsole(stream: Readable): ConsoleLog {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('latin1')).slice(-keptCharacters);
  });
  return {
    tail: (count) =>
      plain(text)
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-count)
        .join('\n'),
  };
}

/** Without the firmware's cursor movements and the serial line's carriage returns. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is removed
  return text.replaceAll(/\x1b(\[[0-9;?=]*[A-Za-z]|c)/g, '').replaceAll('\r', '');
}
