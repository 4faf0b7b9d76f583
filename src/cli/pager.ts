// Long output through $PAGER, as git does it: only on a terminal, and only if it is longer than the screen.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeLines } from './output.ts';

/** Cuts long lines, keeps colours, ends by itself, leaves the text on the screen. */
const LESS = 'less -SRFX';

export async function withPager(
  terminal: NodeJS.WriteStream,
  lines: AsyncIterable<readonly string[]>,
  command = process.env['PAGER'] ?? LESS,
): Promise<void> {
  const held: string[] = [];
  const rows = terminal.rows || 24;
  const iterator = lines[Symbol.asyncIterator]();
  let next = await iterator.next();
  while (next.done !== true) {
    held.push(...next.value);
    if (held.length >= rows) break;
    next = await iterator.next();
  }
  if (next.done === true || command === '' || command === 'cat') {
    if (!(await writeLines(terminal, held))) return;
    for await (const some of { [Symbol.asyncIterator]: () => iterator })
      if (!(await writeLines(terminal, some))) return;
    return;
  }
  // A person who quits the pager, or presses Ctrl-C in it, doesn't end the command in an error.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  const pager = spawn('sh', ['-c', command], {
    stdio: ['pipe', 'inherit', 'inherit'],
    // For a $PAGER that is less without options.
    env: { LESS: 'SRFX', ...process.env },
  });
  const closed = once(pager, 'close');
  try {
    if (!(await writeLines(pager.stdin, held))) return;
    for await (const some of { [Symbol.asyncIterator]: () => iterator })
      if (!(await writeLines(pager.stdin, some))) return;
  } finally {
    pager.stdin.end();
    await closed;
    process.off('SIGINT', ignore);
  }
}
