// What every form of trace line says in front of its event: who, where, when.

export type TraceFormat = 'ftrace' | 'trace-cmd' | 'perf' | 'bpftrace';

/** One line of a trace taken apart; the same object is filled again and again. */
export interface TraceLine {
  comm: string;
  tid: number;
  /** 0 if the line doesn't say. */
  tgid: number;
  cpu: number;
  /** ns; of a clock that counts no time, its count. */
  ts: number;
  /** ns of the last digit that was printed. */
  unit: number;
  /** Name of the event, without its group. */
  event: string;
  group: string;
  /** What follows the name. */
  body: string;
}

export function createLine(): TraceLine {
  return { comm: '', tid: 0, tgid: 0, cpu: 0, ts: 0, unit: 1, event: '', group: '', body: '' };
}

export const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
export const COLON = 0x3a;

export function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** The end of a word that begins here. */
export function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
  return at;
}

export function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** Beyond it a time can't be told in a number: 2^63 ns. */
export const MAX_TIME = 2 ** 63;

/** A number of seconds with up to nine decimals, or a whole number of `whole` ns; returns its end, or -1. */
export function readTime(text: string, from: number, line: TraceLine, whole = 1): number {
  const point = endOfDigits(text, from);
  if (point === from || point - from > 19) return -1;
  if (text.charCodeAt(point) !== DOT) {
    line.ts = Number(text.slice(from, point)) * whole;
    line.unit = whole;
    return point;
  }
  const end = endOfDigits(text, point + 1);
  const decimals = end - point - 1;
  if (decimals === 0 || decimals > 9) return -1;
  const unit = 10 ** (9 - decimals);
  line.ts = Number(text.slice(from, point)) * 1e9 + Number(text.slice(point + 1, end)) * unit;
  line.unit = unit;
  return end;
}

/** The event's name and what follows it, from where they begin; false if there is no name. */
export function readEvent(text: string, from: number, line: TraceLine): boolean {
  let at = skipSpaces(text, from);
  let end = endOfWord(text, at);
  // perf prints the period of a sample in front of its event.
  if (end > at && endOfDigits(text, at) === end) {
    at = skipSpaces(text, end);
    end = endOfWord(text, at);
  }
  if (end === at) return false;
  line.group = '';
  if (text.charCodeAt(end - 1) !== COLON) {
    // The function tracer prints no name: `ksys_read <-do_syscall_64`.
    line.event = 'function';
    line.body = text.slice(at);
    return text.startsWith(' <-', end);
  }
  const colon = text.lastIndexOf(':', end - 2);
  if (colon >= at) {
    line.group = text.slice(at, colon);
    line.event = text.slice(colon + 1, end - 1);
  } else line.event = text.slice(at, end - 1);
  line.body = text.slice(skipSpaces(text, end));
  return line.event !== '';
}
