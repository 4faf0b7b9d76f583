// Keeps the last lines of the guest's serial console, for errors.

import type { Readable } from 'node:stream';

const keptCharacters = 128 * 1024;
// How the kernel begins to report that it cannot go on.
const crashed = /Kernel panic|BUG: |Oops: |general protection fault|stack segment: /;

// Of SysRq-q's list of timers, what says nothing of whether they run.
const timerDetail =
  /^\[ *[\d.]+\] +(max_delta|min_delta|mult|shift|mode|set_next|shutdown|periodic|oneshot|resume|retries|\.(index|resolution|get_time|offset|nr_|max_|idle_|last_|iowait|softirq|hang|online|inidle|tick_stopped|nohz))|^\[ *[\d.]+\] *$/;

export interface ConsoleLog {
  /** The last `count` non-empty lines; when the kernel has crashed, the beginning of that and the very last ones. */
  tail(count: number): string;
}

export function keepConsole(stream: Readable): ConsoleLog {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('latin1')).slice(-keptCharacters);
  });
  return { tail: (count) => telling(plain(text), count).join('\n') };
}

function telling(text: string, count: number): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !timerDetail.test(line));
  const crash = lines.findIndex((line) => crashed.test(line));
  if (crash < 0 || crash >= lines.length - count) return lines.slice(-count);
  const lastOnes = Math.floor(count / 4);
  return [...lines.slice(crash, crash + count - lastOnes), '…', ...lines.slice(-lastOnes)];
}

const escapeSequence = new RegExp(`${String.fromCharCode(27)}(\\[[0-9;?=]*[A-Za-z]|c)`, 'g');

/** Without the firmware's cursor movements and the serial line's carriage returns. */
function plain(text: string): string {
  return text.replaceAll(escapeSequence, '').replaceAll('\r', '');
}
