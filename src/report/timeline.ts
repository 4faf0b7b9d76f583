// An object's life as a picture: its stations from top to bottom, wandering over the CPUs, the violation at the end.

import type { Violation } from '../model/violation.ts';
import type { Life, LifeEvent } from './life.ts';
import type { Palette } from './palette.ts';
import { SNAPSHOT_CPU } from '../model/slot.ts';
import { selectorText } from './selector.ts';
import { formatOffset, formatSpan, plural } from './span.ts';

export interface TimelineOptions {
  readonly palette: Palette;
  /** Marked at its event; the other events behind it are marked as well. */
  readonly violation?: Violation;
}

/** What a frame's moves are called: the ring it gets into, or what the kernel does with it in between. */
const STATIONS: Readonly<Record<string, string>> = {
  xsk_fill_submit: 'FILL',
  xsk_fill_take: 'take',
  xsk_rx_write: 'RX',
  xsk_rx_publish: 'publish',
  xsk_tx_submit: 'TX',
  xsk_tx_take: 'send',
  xsk_comp_submit: 'COMP',
};

const CPU_WIDTH = 4;
const CPUS_MAX = 12;

export function timeline(life: Life, { palette, violation }: TimelineOptions): string[] {
  const { events } = life;
  const title = palette.bold(
    violation?.object ?? selectorText(life.selector).replace(':', ' ').replace('@umem:', ' of umem '),
  );
  if (events.length === 0) return [`${title}: no event in this recording concerns it`];
  const cpus = [...new Set(events.filter(isEvent).map(({ ref }) => ref.cpu))]
    .filter((cpu) => cpu !== SNAPSHOT_CPU)
    .sort((a, b) => a - b);
  const reference = violation?.at.ts ?? (events.at(-1) as LifeEvent).ref.ts;
  const rows = layRows(life, cpus, reference, palette, violation);
  return [
    `${title}${palette.dim(summary(life, cpus.length))}`,
    '',
    palette.dim(heading(rows, cpus)),
    ...rows.map((row) => joinRow(row, rows, palette)),
    ...(violation ? ['', palette.bad(`  ✗ ${violation.invariant}`), `    ${violation.sentence}`] : []),
  ];
}

function isEvent({ ref }: LifeEvent): boolean {
  return ref.kind !== 'gap';
}

function summary({ events, earlier }: Life, cpus: number): string {
  const shown = events.reduce((sum, { times }) => sum + times, 0);
  const first = events[0] as LifeEvent;
  const last = events.at(-1) as LifeEvent;
  const which =
    earlier > 0 ? `the last ${shown} of ${plural(earlier + shown, 'event')}` : plural(shown, 'event');
  return `   ${which}, ${formatSpan(last.last - first.ref.ts)}, ${plural(cpus, 'CPU')}`;
}

interface Row {
  readonly time: string;
  readonly after: string;
  readonly station: string;
  /** Drawn and coloured already. */
  readonly track: string;
  readonly by: string;
  readonly place: string;
  readonly remark: string;
  readonly paint: (text: string) => string;
  readonly lost: boolean;
}

function layRows(
  life: Life,
  cpus: readonly number[],
  reference: number,
  palette: Palette,
  violation: Violation | undefined,
): Row[] {
  let previous: LifeEvent | undefined;
  let place = '';
  return life.events.map((event) => {
    const { ref } = event;
    const offending = violation !== undefined && isSame(ref, violation.at);
    const paint = offending ? palette.bad : (text: string) => palette.kind(ref.kind, text);
    const row: Row = {
      time: formatOffset(ref.ts - reference),
      after: previous ? formatSpan(ref.ts - previous.last) : '',
      station: STATIONS[ref.kind] ?? ref.kind.slice(ref.kind.indexOf('_') + 1),
      track: isEvent(event)
        ? drawTrack(
            cpus,
            previous && previous.ref.cpu !== SNAPSHOT_CPU ? previous.ref.cpu : ref.cpu,
            ref.cpu,
            paint(offending ? '✗' : event.behind ? '◆' : '●'),
            palette,
          )
        : '',
      by: event.ref.cpu === SNAPSHOT_CPU && event.tid === 0 ? event.comm : `${event.comm}-${event.tid}`,
      place: event.place === place ? '' : event.place,
      remark: event.times > 1 ? `×${event.times} in ${formatSpan(event.last - ref.ts)}` : event.remark,
      paint,
      lost: !isEvent(event),
    };
    if (isEvent(event)) {
      previous = event;
      place = event.place;
    }
    return row;
  });
}

function isSame(a: { cpu: number; seq: number }, b: { cpu: number; seq: number }): boolean {
  return a.cpu === b.cpu && a.seq === b.seq;
}

/** The dot in its CPU's column, and the way it came from the CPU before. With very many CPUs, just the number. */
function drawTrack(cpus: readonly number[], from: number, to: number, dot: string, palette: Palette): string {
  if (to === SNAPSHOT_CPU) return dot.padEnd(CPU_WIDTH * Math.min(cpus.length, 1));
  if (cpus.length > CPUS_MAX) return `${dot} ${String(to).padEnd(3)}`;
  const a = cpus.indexOf(from);
  const b = cpus.indexOf(to);
  const cells = cpus.map((_, column) => {
    if (column === b) return b < a ? dot + palette.dim('───') : `${dot}   `;
    if (column === a) return palette.dim(a < b ? '╰───' : '╯   ');
    const between = column > Math.min(a, b) && column < Math.max(a, b);
    return between ? palette.dim('────') : '    ';
  });
  return cells.join('');
}

const COLUMNS = ['time', 'after', 'station', 'by', 'place'] as const;

function widthOf(rows: readonly Row[], column: (typeof COLUMNS)[number], least: number): number {
  return Math.max(least, ...rows.filter(({ lost }) => !lost).map((row) => row[column].length));
}

function heading(rows: readonly Row[], cpus: readonly number[]): string {
  const numbers =
    cpus.length > CPUS_MAX ? 'no.  ' : cpus.map((cpu) => String(cpu).padEnd(CPU_WIDTH)).join('');
  return [
    'time'.padStart(widthOf(rows, 'time', 8) + 2),
    'after'.padStart(widthOf(rows, 'after', 6)),
    'move'.padEnd(widthOf(rows, 'station', 5)),
    `CPU ${numbers}`,
    'thread'.padEnd(widthOf(rows, 'by', 6)),
    'where',
  ].join('  ');
}

function joinRow(row: Row, rows: readonly Row[], palette: Palette): string {
  if (row.lost) return palette.warn(`  ### ${row.remark} ###`);
  const place = widthOf(rows, 'place', 5);
  return [
    row.time.padStart(widthOf(rows, 'time', 8) + 2),
    palette.dim(row.after.padStart(widthOf(rows, 'after', 6))),
    row.paint(row.station.padEnd(widthOf(rows, 'station', 5))),
    `    ${row.track}`,
    row.by.padEnd(widthOf(rows, 'by', 6)),
    place > 0 ? row.place.padEnd(place) : '',
    row.remark === '' ? '' : palette.dim(row.remark),
  ]
    .join('  ')
    .trimEnd();
}
