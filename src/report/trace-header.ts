// What stands above a trace: where it comes from, what of it is here, how it was frozen, what is missing.

import { basename } from 'node:path';
import type { FreezeFacts, RecordingMeta } from '../model/recording.ts';
import type { Palette } from './palette.ts';
import { formatCount, formatSeconds, formatSpan, plural } from './span.ts';
import { COLUMNS } from './trace-line.ts';

export interface TraceSource {
  readonly path: string;
  readonly rows: number;
  readonly meta: RecordingMeta;
}

export function traceHeader({ path, rows, meta }: TraceSource, palette: Palette): string[] {
  const { freeze, kernel, snapshot } = meta;
  const events = rows - (snapshot?.records ?? 0);
  const written = freeze
    ? freeze.window.reduce((sum, { events, overwritten }) => sum + events + overwritten, 0)
    : events + meta.loss.overwritten;
  const lines = [
    `# flightring ${meta.flightring} · ${basename(path)}`,
    `# recorded ${meta.createdAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')} on Linux ${kernel.release} ${kernel.machine}`,
    '#',
    `# entries-in-buffer/entries-written: ${events}/${written}   #P:${kernel.cpus}`,
    '#',
    ...(freeze
      ? [...windowLines(freeze), '#', ...freezeLines(freeze).map((line) => `# ${line}`)]
      : ['# not frozen: the whole of what was kept']),
    ...lossLines(meta),
    ...(snapshot ? [`# snapshot: ${plural(snapshot.records, 'record')} of what existed before`] : []),
    ...meta.notes.map((note) => `# note: ${note}`),
  ];
  return [
    ...lines.map(palette.head),
    ...violationLines(meta, palette),
    ...['#', ...COLUMNS].map(palette.head),
  ];
}

function windowLines({ window }: FreezeFacts): string[] {
  const byPath = window.some(({ path }) => path !== undefined);
  const rows = window.map(({ cpu, path = '-', firstTs, lastTs, events, overwritten }) => [
    String(cpu),
    ...(byPath ? [path] : []),
    formatCount(events),
    firstTs === null ? '-' : formatSeconds(firstTs),
    lastTs === null ? '-' : formatSeconds(lastTs),
    firstTs === null || lastTs === null ? '-' : formatSpan(lastTs - firstTs),
    formatCount(overwritten),
  ]);
  const table = [
    ['CPU', ...(byPath ? ['path'] : []), 'events', 'from', 'to', 'span', 'overwritten before'],
    ...rows,
  ];
  const widths =
    table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return table.map(
    (row) => `#   ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('   ')}`,
  );
}

/** Why and how fast it was frozen, and what had been asked for. */
export function freezeSentence(freeze: FreezeFacts): string {
  const causes: Readonly<Record<FreezeFacts['cause'], string>> = {
    violation: 'a violation',
    tripwire: 'a tripwire in the kernel',
    signal: 'a signal',
    exit: 'the end of the recorder',
    library: 'a call of the library',
  };
  const latency =
    freeze.latencyNs === null ? '' : ` ${formatSpan(freeze.latencyNs)} after the offending event`;
  const meanwhile =
    freeze.latencyNs === null
      ? ''
      : `, ${plural(freeze.overwrittenMeanwhile, 'event')} overwritten meanwhile`;
  return `frozen by ${causes[freeze.cause]}${latency}${meanwhile}`;
}

/** When and why the rings were frozen, and what window had been asked for. */
export function freezeLines(freeze: FreezeFacts): string[] {
  const { lastEvents, beforeNs, afterNs } = freeze.requested;
  const asked = [
    lastEvents === null ? '' : `the last ${plural(lastEvents, 'event')} of each path`,
    beforeNs === null ? '' : `${formatSpan(beforeNs)} before`,
    afterNs === 0 ? '' : `${formatSpan(afterNs)} after`,
  ].filter((part) => part !== '');
  return [freezeSentence(freeze), ...(asked.length > 0 ? [`asked for: ${asked.join(', ')}`] : [])];
}

function lossLines({ loss }: RecordingMeta): string[] {
  const parts = [
    loss.overwritten > 0 ? `${plural(loss.overwritten, 'event')} overwritten before they were read` : '',
    loss.recursionMisses > 0
      ? `${plural(loss.recursionMisses, 'event')} missed by a probe interrupted by itself`
      : '',
    loss.objectsDropped > 0 ? `${plural(loss.objectsDropped, 'object')} beyond the object table` : '',
    loss.windowlessViolations > 0
      ? `${plural(loss.windowlessViolations, 'later violation')} without a window of their own`
      : '',
  ].filter((part) => part !== '');
  return [`# lost: ${parts.join('; ') || 'nothing'}`];
}

function violationLines({ violations }: RecordingMeta, palette: Palette): string[] {
  return violations
    .slice(0, 3)
    .map(({ invariant, object, at, severity }) => {
      const paint = severity === 'violation' ? palette.bad : palette.warn;
      return paint(`# ${severity} of ${invariant} at ${formatSeconds(at.ts)} on CPU ${at.cpu}: ${object}`);
    })
    .concat(violations.length > 3 ? [palette.bad(`# and ${violations.length - 3} more`)] : []);
}
