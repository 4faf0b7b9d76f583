// Events as lines of text in the style ftrace users know: task, CPU, time, kind, fields.

import type { EventView } from '../decode/event-view.ts';
import { GAP_KIND, SNAPSHOT_CPU } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { fieldTexts } from './fields.ts';
import { gapText } from './gap.ts';
import type { NamedObjects } from './objects.ts';
import type { Palette } from './palette.ts';
import { formatSeconds } from './span.ts';
import type { ThreadNames } from './threads.ts';

/** What a line needs besides its event. */
export interface TraceContext {
  readonly objects: NamedObjects;
  readonly threads: ThreadNames;
  readonly palette: Palette;
}

/** Most kinds and a colon; the few longer ones push their fields to the right. */
const KIND_WIDTH = 18;

/** The line over the columns. */
export const COLUMNS: readonly string[] = [
  '#           TASK-TID     CPU#       TIMESTAMP  EVENT',
  '#              | |         |            |        |',
];

/** `       forwarder-4711    [001]  8123.456789: xsk_rx_publish:    socket:4 (outer q1 netns 8193) position=7 …`. */
export function traceLine(event: EventView, { objects, threads, palette }: TraceContext): string {
  const { kind, ts, tid } = event;
  if (event.kindNumber === GAP_KIND) return palette.warn(`### ${gapText(event)} ###`);
  // What existed before is nobody's doing, on no CPU.
  const found = event.cpu === SNAPSHOT_CPU;
  const comm = (found && tid === 0 ? 'snapshot' : threads.at(tid, ts)).padStart(16);
  const cpu = found ? '[ - ]' : `[${String(event.cpu).padStart(3, '0')}]`;
  const name = palette.kind(kind, `${kind}:`.padEnd(KIND_WIDTH));
  const fields = fieldTexts(event, objects).join(' ');
  const line = `${comm}-${palette.dim((found && tid === 0 ? '' : String(tid)).padEnd(7))} ${palette.dim(cpu)} ${formatSeconds(ts).padStart(14)}: ${name} ${fields}`;
  return event.repeated ? palette.dim(line) : line;
}

/** The lines above and below an event that broke an invariant. */
export function violationMarks(
  violations: readonly Violation[],
  palette: Palette,
): { above: string[]; below: string[] } {
  return {
    above: violations.map(({ invariant, severity, orderDependent }) => {
      const paint = severity === 'violation' ? palette.bad : palette.warn;
      const note = orderDependent ? ' (in the order recorded)' : '';
      return paint(`# ▼▼▼ ${invariant}${severity === 'warning' ? ', a warning' : ''}${note}`);
    }),
    below: violations.map(({ sentence, severity }) =>
      (severity === 'violation' ? palette.bad : palette.warn)(`# ▲▲▲ ${sentence}`),
    ),
  };
}
