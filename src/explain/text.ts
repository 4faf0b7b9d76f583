// An explanation for a person: the events as a table, or the CPUs side by side, and what was expected instead.

import type { Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import { formatOffset, formatSpan, plural } from '../report/span.ts';
import { meaningOf } from '../report/violation.ts';
import { cpuText, markOf, paintEvent, threadText } from './cells.ts';
import { cpusSideBySide, sideBySide } from './side-by-side.ts';
import type { ExplainedEvent, Explanation } from './explain.ts';
import { wrap } from './wrap.ts';

export interface ExplanationOptions {
  readonly palette: Palette;
  /** Columns that may be used. */
  readonly width: number;
}

export function explanationText(explanation: Explanation, { palette, width }: ExplanationOptions): string[] {
  const { violation, events, leftOut } = explanation;
  const { invariant, severity, sentence, orderDependent } = violation;
  const cpus = cpusSideBySide(events, width);
  const needed = events.filter(({ role }) => role !== 'afterwards').length;
  return [
    severity === 'violation' ? palette.bad(`✗ ${invariant}`) : palette.warn(`! ${invariant}, a warning`),
    ...wrap(printable(sentence), width - 2).map((line) => `  ${palette.bold(line)}`),
    ...(orderDependent
      ? [palette.warn('  In the order recorded: the events lie closer together than the clock can order.')]
      : []),
    '',
    palette.bold('What had to happen'),
    palette.dim(
      `  ${plural(needed, 'event')} of ${plural(needed + leftOut, 'record')}: without any one of them it would not have been reported.`,
    ),
    '',
    ...(cpus ? sideBySide(events, cpus, { palette, width }) : table(events, palette, width)),
    '',
    ...expectedLines(explanation, palette, width),
  ];
}

function table(events: readonly ExplainedEvent[], palette: Palette, width: number): string[] {
  const rows = events.map((event) => [
    formatOffset(event.offsetNs),
    event.afterNs === 0 ? '' : formatSpan(event.afterNs),
    cpuText(event),
    threadText(event),
    event.ref.kind,
    printable(event.meaning),
  ]);
  const heads = ['time', 'after', 'CPU', 'thread', 'event', 'which is'];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i < 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)));
  const indent = ' '.repeat(4 + (widths[0] ?? 0) + 2 + (widths[1] ?? 0) + 2);
  return [
    palette.dim(`    ${line(heads).join('  ')}`.trimEnd()),
    ...events.flatMap((event, i) => {
      const cells = line(rows[i] as string[]);
      cells[4] = paintEvent(event, cells[4] as string, palette);
      const mark = paintEvent(event, markOf(event), palette);
      return [
        `  ${mark} ${cells.join('  ')}`.trimEnd(),
        ...wrap(printable(event.fields.join('  ')), width - indent.length).map((text) =>
          palette.dim(`${indent}${text}`),
        ),
      ];
    }),
  ];
}

function expectedLines(
  { claim, source, about, expected, violation, isDeadline }: Explanation,
  palette: Palette,
  width: number,
): string[] {
  const { states, moves, legalIn, isLegalKind } = expected;
  const { kind } = violation.at;
  const entry = (name: string, text: string) =>
    wrap(text, width - 16).map((line, i) => `  ${palette.dim((i === 0 ? name : '').padEnd(14))}${line}`);
  const column = Math.max(0, ...moves.map(({ event, to }) => `${event} → ${to}`.length));
  return [
    palette.bold('What was expected instead'),
    ...entry('claim', claim),
    ...entry('about', about),
    ...(states.length > 0 ? entry('state', `${states.join(', or ')}, by then`) : []),
    ...moves.map(({ event, to, meaning }, i) => {
      const move = `${event} → ${to}`;
      const name = palette.dim((i === 0 ? 'legal moves' : '').padEnd(14));
      return `  ${name}${palette.kind(event, move.padEnd(column))}  ${palette.dim(meaning)}`;
    }),
    ...entry('instead', insteadText(kind, isDeadline, isLegalKind, legalIn)).map((line, i) =>
      i === 0 ? line.replace(kind, palette.bad(kind)) : line,
    ),
    ...entry('source', source),
  ];
}

function insteadText(
  kind: string,
  isDeadline: boolean,
  isLegalKind: boolean,
  legalIn: readonly string[],
): string {
  if (isDeadline) return `none of these had come in time when ${kind} showed how late it was`;
  const came = `${kind} came: ${meaningOf({ kind })}`;
  if (isLegalKind) return `${came}; a legal move, but for what it says`;
  return legalIn.length > 0 ? `${came}; legal only when ${legalIn.join(', or ')}` : came;
}
