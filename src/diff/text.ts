// The differences of two recordings for a person: what was lost, verdicts, probes, and figures in aligned columns.

import type { Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import { formatCount, formatSpan, plural } from '../report/span.ts';
import type { Difference } from './compare.ts';
import type {
  CoverageDifference,
  DiffSide,
  PathDifference,
  RecordingDiff,
  VerdictDifference,
} from './diff.ts';

export interface DiffTextOptions {
  readonly palette: Palette;
  /** Rows of figures at most. */
  readonly limit: number;
  /** Also the figures whose difference is not notable. */
  readonly all: boolean;
}

const PROBES_SHOWN = 8;
/** The kernel's own limit (struct new_utsname); a file may say anything. */
const KERNEL_MOST = 64;

export function diffText(diff: RecordingDiff, { palette, limit, all }: DiffTextOptions): string[] {
  const rows = all ? [...diff.differences, ...diff.minor] : diff.differences;
  const hidden = Math.max(0, rows.length - limit);
  return [
    ...sides(diff.a, diff.b, palette),
    ...section('verdicts', diff.verdicts.map(verdictText), palette),
    ...section('paths', diff.paths.map(pathText), palette),
    ...section('probes', coverageTexts(probesOf(diff)), palette),
    ...figures(rows.slice(0, limit), palette),
    ...(hidden > 0 ? [palette.dim(`  … and ${formatCount(hidden)} more (--limit)`)] : []),
    '',
    ...summary(diff, all, palette),
  ];
}

function sides(a: DiffSide, b: DiffSide, palette: Palette): string[] {
  const cells = [a, b].map(({ path, events, spanNs, kernel, lost, forgotten }) => [
    printable(path),
    plural(events, 'event'),
    `in ${formatSpan(spanNs)}`,
    `Linux ${printable(kernel.slice(0, KERNEL_MOST))}`,
    lost > 0 ? `${plural(lost, 'event')} lost` : 'nothing lost',
    ...(forgotten > 0 ? [`${plural(forgotten, 'object')} not followed to the end`] : []),
  ]);
  return align(cells).map((line, i) => `${palette.bold(i === 0 ? 'A' : 'B')}  ${line}`);
}

function section(title: string, lines: readonly string[], palette: Palette): string[] {
  return lines.length === 0 ? [] : ['', palette.bold(title), ...lines.map((line) => `  ${line}`)];
}

function verdictText({ invariant, a, b }: VerdictDifference): string {
  const text = (facts: VerdictDifference['a']) => {
    if (!facts) return 'not checked';
    return facts.verdict === 'violated' ? `violated (${formatCount(facts.fired)}×)` : facts.verdict;
  };
  return `${invariant}: ${text(a)} in A, ${text(b)} in B`;
}

function pathText({ path, recordedIn }: PathDifference): string {
  const [there, missing] = recordedIn === 'a' ? ['A', 'B'] : ['B', 'A'];
  return `${printable(path)}: recorded in ${there}, not in ${missing}; its figures are left out`;
}

/** Those of paths that both were recorded with. */
function probesOf({ coverage, paths }: RecordingDiff): CoverageDifference[] {
  return coverage.filter((probe) => !paths.some(({ path }) => path === probe.path));
}

function coverageTexts(coverage: readonly CoverageDifference[]): string[] {
  const shown = coverage
    .slice(0, PROBES_SHOWN)
    .map(({ probe, a, b }) => printable(`${probe}: ${a} in A, ${b} in B`));
  const more = coverage.length - shown.length;
  return more > 0 ? [...shown, `… and ${formatCount(more)} more`] : shown;
}

function figures(rows: readonly Difference[], palette: Palette): string[] {
  if (rows.length === 0) return [];
  const cells = rows.map((row) => [
    row.atLeast > 1 ? `×${factorText(row.atLeast)}` : '',
    row.measure,
    figureText(row, row.a),
    figureText(row, row.b),
    changeText(row),
    row.subject,
  ]);
  const [head, ...lines] = align([['at least', 'figure', 'A', 'B', 'B is', 'of'], ...cells], 4);
  return [
    '',
    palette.dim(`  ${head}`),
    ...lines.map((line, i) => (rows[i]?.atLeast === 1 ? palette.dim(`  ${line}`) : `  ${line}`)),
  ];
}

function figureText({ measure }: Difference, value: number): string {
  if (measure === 'rate') return `${amountText(value)}/s`;
  return measure === 'share' ? `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)} %` : formatSpan(value);
}

function amountText(value: number): string {
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 9_995) return `${(value / 1e3).toPrecision(3)}k`;
  return value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function changeText({ a, b }: Difference): string {
  if (a === 0) return 'new';
  if (b === 0) return 'gone';
  return b > a ? `${factorText(b / a)} × A` : `A / ${factorText(a / b)}`;
}

function factorText(factor: number): string {
  return factor >= 99.5 ? formatCount(Math.round(factor)) : factor.toFixed(factor < 9.95 ? 2 : 1);
}

function summary(diff: RecordingDiff, all: boolean, palette: Palette): string[] {
  const { a, b, differ, differences, minor } = diff;
  if (a.events === 0 || b.events === 0) return [emptyText(a, b)];
  const few =
    all || minor.length === 0
      ? ''
      : `; ${plural(minor.length, 'figure')} differ by less, or perhaps by chance (--all)`;
  if (!differ && minor.length === 0) return ['No difference: every figure and every verdict is the same.'];
  if (!differ) return [`No notable difference${few}.`];
  return [
    palette.dim(
      `${plural(differences.length, 'figure')} ${differences.length === 1 ? 'differs' : 'differ'} notably${few}.`,
    ),
  ];
}

function emptyText(a: DiffSide, b: DiffSide): string {
  if (a.events === 0 && b.events === 0) return 'Neither holds an event: there is nothing to compare.';
  const [empty, other] = a.events === 0 ? ['A', b] : ['B', a];
  return `${empty} holds no event, the other one ${formatCount(other.events)}: no figure can be compared.`;
}

/** Columns as wide as their widest cell; the first `right` of them but the second are numbers, to the right. */
function align(rows: readonly (readonly string[])[], right = 0): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < right && column !== 1 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
