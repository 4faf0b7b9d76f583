// What both forms of an explanation say of one event.

import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import type { ExplainedEvent } from './explain.ts';

/** `CPU 2`; nothing was found on a CPU when recording began. */
export function cpuText({ ref }: ExplainedEvent): string {
  return ref.cpu === SNAPSHOT_CPU ? 'before' : `CPU ${ref.cpu}`;
}

/** The kernel's are of 15 bytes at most; a file may say anything. */
const COMM_MOST = 32;

/** `iperf2-1217`. */
export function threadText({ comm, tid, ref }: ExplainedEvent): string {
  const name = comm.length > COMM_MOST ? `${comm.slice(0, COMM_MOST - 1)}…` : comm;
  return printable(ref.cpu === SNAPSHOT_CPU && tid === 0 ? name : `${name}-${tid}`);
}

/** The event's mark, and its kind, in colour. */
export function paintEvent({ role, ref }: ExplainedEvent, text: string, palette: Palette): string {
  return role === 'offending' ? palette.bad(text) : palette.kind(ref.kind, text);
}

export function markOf({ role }: ExplainedEvent): string {
  if (role === 'offending') return '✗';
  if (role === 'afterwards') return '○';
  return role === 'evidence' ? '◆' : '●';
}
