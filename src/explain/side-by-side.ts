// Two or three CPUs side by side, time going down: what one of them did while another was at it.

import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import { formatOffset, formatSpan } from '../report/span.ts';
import { markOf, paintEvent, threadText } from './cells.ts';
import type { ExplainedEvent } from './explain.ts';
import { wrap } from './wrap.ts';

const CPUS_MAX = 3;
const COLUMN_LEAST = 30;
const COLUMN_MOST = 52;
const GAP = 2;
/** Events of two CPUs that lie further apart than this did not run into each other. */
const CLOSE_NS = 1e6;

/** The CPUs that get a column each; null if it is one, too many, there is no room for them, or it tells nothing. */
export function cpusSideBySide(events: readonly ExplainedEvent[], width: number): readonly number[] | null {
  if (events.some(({ ref }) => ref.cpu === SNAPSHOT_CPU || ref.kind === 'gap')) return null;
  const meet = events.some(
    ({ ref, afterNs }, i) => i > 0 && afterNs <= CLOSE_NS && events[i - 1]?.ref.cpu !== ref.cpu,
  );
  if (!meet) return null;
  const cpus = [...new Set(events.map(({ ref }) => ref.cpu))].sort((a, b) => a - b);
  const fits = columnWidth(cpus.length, timeWidth(events), width) >= COLUMN_LEAST;
  return cpus.length >= 2 && cpus.length <= CPUS_MAX && fits ? cpus : null;
}

export function sideBySide(
  events: readonly ExplainedEvent[],
  cpus: readonly number[],
  { palette, width }: { readonly palette: Palette; readonly width: number },
): string[] {
  const time = timeWidth(events);
  const column = columnWidth(cpus.length, time, width);
  const threads = cpus.map((cpu) => threadsOf(events, cpu));
  const row = (left: string, cells: readonly Cell[]) =>
    `  ${palette.dim(left.padStart(time))}  ${cells.map((cell) => pad(cell, column)).join(' '.repeat(GAP))}`.trimEnd();
  const heads = cpus.map((cpu, i) => {
    const names = threads[i] as readonly string[];
    const whole = names.length === 1 ? `CPU ${cpu}  ${names[0]}` : `CPU ${cpu}`;
    const head = whole.length > column ? `${whole.slice(0, column - 1)}…` : whole;
    return { text: head, painted: palette.bold(head) };
  });
  const rules = cpus.map(() => ({ text: '─'.repeat(column), painted: palette.dim('─'.repeat(column)) }));
  return [
    row('time', heads),
    row('', rules),
    ...events.flatMap((event, i) => {
      const at = cpus.indexOf(event.ref.cpu);
      const block = blockOf(event, column - 2, (threads[at]?.length ?? 0) > 1, palette);
      return block.map((line, n) =>
        row(
          n === 0 ? formatOffset(event.offsetNs) : '',
          cpus.map((cpu, c) => {
            const bar = barOf(events, i, cpu, palette);
            if (c !== at) return bar;
            if (n === 0) return line;
            return {
              text: `${bar.text.padEnd(2)}${line.text}`,
              painted: `${bar.painted}${bar.text === '' ? '  ' : ' '}${line.painted}`,
            };
          }),
        ),
      );
    }),
    ...overlapLines(events, palette, width),
  ];
}

interface Cell {
  readonly text: string;
  readonly painted: string;
}

function pad({ text, painted }: Cell, width: number): string {
  return painted + ' '.repeat(Math.max(0, width - text.length));
}

function timeWidth(events: readonly ExplainedEvent[]): number {
  return Math.max(4, ...events.map(({ offsetNs }) => formatOffset(offsetNs).length));
}

function columnWidth(cpus: number, time: number, width: number): number {
  return Math.min(COLUMN_MOST, Math.floor((width - time - 4 - GAP * (cpus - 1)) / cpus));
}

function threadsOf(events: readonly ExplainedEvent[], cpu: number): readonly string[] {
  return [...new Set(events.filter(({ ref }) => ref.cpu === cpu).map(threadText))];
}

/** The event's mark and kind, then what it is, then its fields. */
function blockOf(event: ExplainedEvent, width: number, withThread: boolean, palette: Palette): Cell[] {
  const head = `${markOf(event)} ${event.ref.kind}`;
  const by = withThread ? `  ${threadText(event)}` : '';
  const plain = (text: string) => ({ text, painted: text });
  const dim = (text: string) => ({ text, painted: palette.dim(text) });
  const meaning = event.role === 'afterwards' ? `too late: ${event.meaning}` : event.meaning;
  return [
    { text: head + by, painted: paintEvent(event, head, palette) + by },
    ...wrap(meaning, width).map(plain),
    ...wrap(printable(event.fields.join(' ')), width).map(dim),
  ];
}

/** A CPU's line from its first event to its last, and thick from where it was kept from going on to where it did. */
function barOf(events: readonly ExplainedEvent[], current: number, cpu: number, palette: Palette): Cell {
  const isOf = (event: ExplainedEvent) => event.ref.cpu === cpu;
  const first = events.findIndex(isOf);
  const last = events.findLastIndex(isOf);
  if (first > current || current >= last) return { text: '', painted: '' };
  const next = events.slice(current + 1).find(isOf);
  if (next?.role !== 'afterwards') return { text: '│', painted: palette.dim('│') };
  return { text: '┃', painted: palette.warn('┃') };
}

/** In words: what the other CPU was in the middle of. */
function overlapLines(events: readonly ExplainedEvent[], palette: Palette, width: number): string[] {
  const offending = events.find(({ role }) => role === 'offending');
  const late = events.find(({ role }) => role === 'afterwards');
  if (!offending || !late) return [];
  const began = events.findLast(({ ref, role }) => ref.cpu === late.ref.cpu && role !== 'afterwards');
  if (!began) return [];
  const text = `┃ CPU ${late.ref.cpu} was between ${began.ref.kind} and ${late.ref.kind} for ${formatSpan(late.ref.ts - began.ref.ts)}; CPU ${offending.ref.cpu}'s ${offending.ref.kind} came ${formatSpan(offending.ref.ts - began.ref.ts)} into it, ${formatSpan(late.ref.ts - offending.ref.ts)} before its end.`;
  return ['', ...wrap(text, width - 2).map((line) => palette.warn(`  ${line}`))];
}
