// Follows one output port of a command slot up to the mark that ends the command.

import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';

import { deferred } from './command.ts';

export interface StreamEnd {
  readonly text: string;
  readonly code: number;
}

const markStart = '\x1e';

/** Passes text on as it comes and resolves when `<RS>mark code<LF>` was read; the mark itself is never passed on. */
export function readUntilMark(
  socket: Socket,
  mark: string,
  onText: (text: string) => void,
): Promise<StreamEnd> {
  const { promise, resolve } = deferred<StreamEnd>();
  const decoder = new StringDecoder('utf8');
  const parts: string[] = [];
  const pass = (text: string): void => {
    if (text === '') return;
    parts.push(text);
    onText(text);
  };
  const wholeMark = new RegExp(`${markStart}${mark} (\\d+)\\n`);
  // RS, mark, space, three digits, LF.
  const longest = mark.length + 6;
  let held = '';
  const take = (chunk: Buffer): void => {
    held += decoder.write(chunk);
    const found = wholeMark.exec(held);
    if (found !== null) {
      socket.off('data', take);
      pass(held.slice(0, found.index));
      resolve({ text: parts.join(''), code: Number(found[1]) });
      return;
    }
    const possible = held.indexOf(markStart, Math.max(0, held.length - longest));
    const cut = possible < 0 ? held.length : possible;
    pass(held.slice(0, cut));
    held = held.slice(cut);
  };
  socket.on('data', take);
  return promise;
}
