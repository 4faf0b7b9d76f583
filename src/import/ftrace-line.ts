// Lines of ftrace, of trace-cmd report and of perf script: `comm-tid (tgid) [cpu] flags time: event: …`, read by hand so
// that no line takes longer than its length, whatever is in it.

import {
  COLON,
  endOfDigits,
  endOfWord,
  isDigit,
  isSpace,
  readEvent,
  readTime,
  skipSpaces,
  type TraceFormat,
  type TraceLine,
} from './line.ts';

/** The head: a name of 15 characters, ids and spaces. What looks like a CPU further on is part of the event. */
const HEAD_MAX = 96;
const FLAGS_MAX = 24;
/** sizeof(task_struct.comm) - 1; of a multibyte name that is cut, perf prints what it can. */
const COMM_MAX = 31;
/** What perf prints of a thread that is gone. */
const UNKNOWN = /^\s{0,32}:-1\s{1,32}(?:-1\/)?-1$/;
const MINUS = 0x2d;
const SLASH = 0x2f;
const CLOSE = 0x5d;

/** False for a line that has not this form. */
export function readFtraceLine(text: string, line: TraceLine, format: TraceFormat | 'auto'): boolean {
  // A name may look like the rest of a head, but is too short to hold a time with decimals: such a head goes first.
  return readHead(text, line, format, true) || readHead(text, line, format, false);
}

function readHead(text: string, line: TraceLine, format: TraceFormat | 'auto', decimals: boolean): boolean {
  for (let open = text.indexOf('['); open > 0 && open < HEAD_MAX; open = text.indexOf('[', open + 1)) {
    const close = endOfDigits(text, open + 1);
    if (close - open < 4 || close - open > 6 || text.charCodeAt(close) !== CLOSE) continue;
    const time = findTime(text, close + 1, line, decimals);
    if (time < 0 || !readTask(text, open, line, format)) continue;
    line.cpu = Number(text.slice(open + 1, close));
    return readEvent(text, time + 1, line);
  }
  return false;
}

/** The colon behind the time, behind flags if there are any; or -1. */
function findTime(text: string, from: number, line: TraceLine, decimals: boolean): number {
  let at = skipSpaces(text, from);
  for (let tries = 0; tries < 2; tries++) {
    const end = readTime(text, at, line);
    if (
      end > 0 &&
      text.charCodeAt(end) === COLON &&
      (text.length === end + 1 || isSpace(text.charCodeAt(end + 1)))
    )
      return !decimals || line.unit > 1 || text.charCodeAt(end - 10) === 0x2e ? end : -1;
    const next = endOfWord(text, at);
    if (next - at > FLAGS_MAX || next === at) return -1;
    at = skipSpaces(text, next);
  }
  return -1;
}

/** `comm-tid`, `comm-tid (tgid)`, and perf's `comm tid` and `comm pid/tid`, up to `end`. */
function readTask(text: string, end: number, line: TraceLine, format: TraceFormat | 'auto'): boolean {
  let to = trimEnd(text, end);
  line.tgid = 0;
  if (text[to - 1] === ')') {
    const open = text.lastIndexOf('(', to);
    const inside = text.slice(open + 1, to - 1).trim();
    if (open < 0 || !/^(\d{1,10}|-{1,10})$/.test(inside)) return false;
    line.tgid = inside.startsWith('-') ? 0 : Number(inside);
    to = trimEnd(text, open);
  }
  const digits = startOfDigits(text, to);
  if (digits === to || digits < 1 || to - digits > 10) return false;
  line.tid = Number(text.slice(digits, to));
  const before = text.charCodeAt(digits - 1);
  let comm = digits - 1;
  if (before === MINUS) {
    const isUnknown = format !== 'ftrace' && format !== 'trace-cmd' && UNKNOWN.test(text.slice(0, to));
    if (format === 'perf' && !isUnknown) return false;
    if (isUnknown) {
      line.comm = '';
      line.tid = 0;
      return true;
    }
  } else {
    if (format === 'ftrace' || format === 'trace-cmd' || line.tgid !== 0) return false;
    if (before === SLASH) {
      const start = startOfDigits(text, comm);
      if (start === comm || comm - start > 10 || !isSpace(text.charCodeAt(start - 1))) return false;
      line.tgid = Number(text.slice(start, comm));
      comm = start - 1;
    } else if (!isSpace(before)) return false;
    comm = trimEnd(text, comm);
  }
  line.comm = text.slice(skipSpaces(text, 0), comm);
  return line.comm.length <= COMM_MAX;
}

function trimEnd(text: string, end: number): number {
  let to = end;
  while (to > 0 && isSpace(text.charCodeAt(to - 1))) to--;
  return to;
}

function startOfDigits(text: string, end: number): number {
  let at = end;
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at--;
  return at;
}
