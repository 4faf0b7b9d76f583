// Lines as a bpftrace script prints them: `time cpu comm tid name: key=value …` (docs/importing.md).

import { COLON, endOfDigits, endOfWord, readEvent, readTime, skipSpaces, type TraceLine } from './line.ts';

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };
/** Words in front of the name: a comm has at most fifteen characters, and so eight words. */
const WORDS_MAX = 12;

/** False for a line that has not this form. */
export function readBpftraceLine(text: string, line: TraceLine): boolean {
  let at = skipSpaces(text, 0);
  let end = endOfWord(text, at);
  const digits = text.indexOf('.', at) >= 0 && text.indexOf('.', at) < end ? end : endOfDigits(text, at);
  const unit = digits < end ? UNITS[text.slice(digits, end).replace(/:$/, '')] : 1;
  if (unit === undefined || digits === at) return false;
  const time = readTime(text, at, line, unit);
  if (time < 0 || (time !== digits && text.slice(time, end) !== ':')) return false;
  at = skipSpaces(text, end);
  end = endOfWord(text, at);
  const cpu = /^(?:cpu=|\[)?(\d{1,5})\]?$/.exec(text.slice(at, Math.min(end, at + 12)));
  if (cpu === null) return false;
  line.cpu = Number(cpu[1]);
  const comm = skipSpaces(text, end);
  at = comm;
  for (let word = 0; word < WORDS_MAX && at < text.length; word++) {
    end = endOfWord(text, at);
    const next = skipSpaces(text, end);
    if (word > 0 && text.charCodeAt(endOfWord(text, next) - 1) === COLON && readIds(text, at, end, line)) {
      line.comm = text.slice(comm, at).trimEnd();
      return readEvent(text, next, line);
    }
    at = next;
  }
  return false;
}

/** `tid` or `pid/tid`. */
function readIds(text: string, at: number, end: number, line: TraceLine): boolean {
  if (end - at > 21) return false;
  const ids = /^(?:(\d{1,10})\/)?(\d{1,10})$/.exec(text.slice(at, end));
  if (ids === null) return false;
  line.tgid = Number(ids[1] ?? 0);
  line.tid = Number(ids[2]);
  return true;
}
