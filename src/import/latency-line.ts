// Lines of ftrace's latency format and of `trace-cmd report -l`, where the CPU stands in front of the flags without brackets.

import { readEvent, readTime, skipSpaces, type TraceLine } from './line.ts';

/**
 * kernel/trace/trace_output.c, trace_print_lat_context(): name, thread, CPU, flags, µs since the trace began, and a mark
 * behind long delays. trace-cmd prints seconds there.
 */
const HEAD =
  /^[ \t]{0,32}(\S[^\n]{0,30}?)-(\d{1,10})[ \t]{1,12}(\d{1,5})[.dDbBX][^\s\d][^\s]{2,4}[ \t]{1,16}(?=\d)/;
const MICROSECONDS = /^(\d{1,15})us[ !+#*@$]?:[ \t]/;
const LOOKED_AT = 128;

/** False for a line that has not this form. */
export function readLatencyLine(text: string, line: TraceLine): boolean {
  const start = text.slice(0, LOOKED_AT);
  const head = HEAD.exec(start);
  if (head === null) return false;
  const at = head[0].length;
  const end = readEnd(start, at, line);
  if (end < 0) return false;
  line.comm = head[1] as string;
  line.tid = Number(head[2]);
  line.tgid = 0;
  line.cpu = Number(head[3]);
  return readEvent(text, skipSpaces(text, end), line);
}

/** Behind the time and its colon, or -1. */
function readEnd(start: string, at: number, line: TraceLine): number {
  const micros = MICROSECONDS.exec(start.slice(at));
  if (micros !== null) {
    line.ts = Number(micros[1]) * 1000;
    line.unit = 1000;
    return at + micros[0].length;
  }
  const end = readTime(start, at, line);
  return end > 0 && start[end] === ':' ? end + 1 : -1;
}
