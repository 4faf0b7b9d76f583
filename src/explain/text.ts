// An explanation for a person: the events as a table, or the CPUs side by side, and what was expected instead.

import type { Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import { formatOffset, formatSpan, plural } from '../report/span.ts';
import { meaningOf } from '../report/violation.ts';
import { cpuText, markOf, paintEvent, threadText } from './cells.ts';
import { cpusSideBySide, sideBySide } from './side-by-side.ts';
import type { LegalMove } from './expected.ts';
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
  const told = (text: string, paint: (line: string) => string) =>
    wrap(text, width - 2).map((line) => paint(`  ${line}`));
  return [
    severity === 'violation' ? palette.bad(`✗ ${invariant}`) : palette.warn(`! ${invariant}, a warning`),
    ...told(printable(sentence), palette.bold),
    ...(orderDependent
      ? told('In the order recorded: the events lie closer together than the clock can order.', palette.warn)
      : []),
    '',
    palette.bold('What had to happen'),
    ...told(
      `${plural(needed, 'event')} of ${plural(needed + leftOut, 'record')}: without any one of them it would not have been reported.`,
      palette.dim,
    ),
    '',
    ...(cpus ? sideBySide(events, cpus, { palette, width }) : table(events, palette, width)),
    '',
    ...expectedLines(explanation, palette, width),
  ];
}

const HEADS = ['time', 'after', 'CPU', 'thread', 'event', 'which is'] as const;
const KIND = 4;
/** A last column narrower than this is read more easily below its event. */
const MEANING_LEAST = 24;
const BELOW = ' '.repeat(6);

/** A line for each event and its fields below it; on a narrow terminal its meaning and its thread stand there, too. */
function table(events: readonly ExplainedEvent[], palette: Palette, width: number): string[] {
  const rows = events.map((event) => [
    formatOffset(event.offsetNs),
    event.afterNs === 0 ? '' : formatSpan(event.afterNs),
    cpuText(event),
    threadText(event),
    event.ref.kind,
    printable(event.meaning),
  ]);
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const upTo = (columns: readonly number[]) =>
    columns.reduce((sum, column) => sum + (widths[column] ?? 0) + 2, 4);
  const all = [0, 1, 2, 3, KIND];
  const meaningAt = upTo(all);
  const withMeaning = width - meaningAt >= MEANING_LEAST;
  const columns = upTo(all) - 2 <= width ? all : [0, 1, 2, KIND];
  const line = (row: readonly string[], paint = (text: string) => text) =>
    columns
      .map((column) => {
        const [cell, room] = [row[column] ?? '', widths[column] ?? 0];
        if (column === KIND) return paint(withMeaning ? cell.padEnd(room) : cell);
        return column < 2 ? cell.padStart(room) : cell.padEnd(room);
      })
      .join('  ');
  const indent = withMeaning ? ' '.repeat(upTo([0, 1])) : BELOW;
  return [
    palette.dim(`    ${line(HEADS)}${withMeaning ? `  ${HEADS[5]}` : ''}`.trimEnd()),
    ...events.flatMap((event, i) => {
      const row = rows[i] as readonly string[];
      const [meaning = '', ...more] = wrap(
        `${columns.includes(3) ? '' : `${row[3]}: `}${row[5]}`,
        withMeaning ? width - meaningAt : width - BELOW.length,
      );
      const head = `  ${paintEvent(event, markOf(event), palette)} ${line(row, (kind) => paintEvent(event, kind, palette))}`;
      const rest = more.map((text) => (withMeaning ? ' '.repeat(meaningAt) : BELOW) + text);
      return [
        ...(withMeaning ? [`${head}  ${meaning}`.trimEnd()] : [head, `${BELOW}${meaning}`]),
        ...rest,
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
  return [
    palette.bold('What was expected instead'),
    ...entry('claim', claim),
    ...entry('about', about),
    ...(states.length > 0 ? entry('state', `${states.join(', or ')}, by then`) : []),
    ...moveLines(moves, palette, width),
    ...entry('instead', insteadText(kind, isDeadline, isLegalKind, legalIn)).map((line, i) =>
      i === 0 ? line.replace(kind, palette.bad(kind)) : line,
    ),
    ...entry('source', source),
  ];
}

/** Each with its meaning beside it, or below it where there is no room. */
function moveLines(moves: readonly LegalMove[], palette: Palette, width: number): string[] {
  const column = Math.max(0, ...moves.map(({ event, to }) => `${event} → ${to}`.length));
  const beside = width - 18 - column >= MEANING_LEAST;
  const indent = ' '.repeat(beside ? 18 + column : 18);
  return moves.flatMap(({ event, to, meaning }, i) => {
    const move = `${event} → ${to}`;
    const name = palette.dim((i === 0 ? 'legal moves' : '').padEnd(14));
    const lines = wrap(meaning, width - indent.length).map((text) => palette.dim(text));
    const painted = palette.kind(event, beside ? move.padEnd(column) : move);
    const below = (texts: readonly string[]) => texts.map((text) => indent + text);
    if (!beside) return [`  ${name}${painted}`, ...below(lines)];
    return [`  ${name}${painted}  ${lines[0] ?? ''}`, ...below(lines.slice(1))];
  });
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
