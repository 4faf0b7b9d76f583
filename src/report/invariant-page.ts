// What an invariant claims: in words, with the events it needs, and its legal moves as a table.

import { type Invariant, isTable, neededKinds, severityOf, type TableInvariant } from '../check/invariant.ts';
import { edgesOf, statesOf } from './invariant-graph.ts';
import type { Palette } from './palette.ts';
import { meaningOf } from './violation.ts';

export function invariantPage(invariant: Invariant, palette: Palette): string[] {
  const { name, claim, object, source } = invariant;
  const severity = severityOf(invariant);
  const effect =
    severity === 'violation'
      ? 'a violation freezes the rings'
      : 'a warning: counted, freezes only with --freeze-on warning';
  const edges = edgesOf(invariant);
  return [
    palette.bold(name),
    `  ${claim}`,
    '',
    ...entries(
      [
        ['object', object],
        ['severity', effect],
        ['source', source],
        ['version', String(invariant.version ?? 1)],
      ],
      palette,
    ),
    '',
    palette.dim('  events it needs'),
    ...alignRows(
      neededKinds(invariant).map((kind) => [`    ${kind}`, meaningOf({ kind })]),
      (cell, column, row) => (column === 0 ? palette.kind(neededKinds(invariant)[row] ?? '', cell) : cell),
    ),
    ...(isTable(invariant)
      ? ['', ...moveTable(invariant, palette)]
      : edges
        ? ['', ...edgeTable(invariant, palette)]
        : []),
  ];
}

/** One line per invariant. */
export function invariantList(invariants: readonly Invariant[], palette: Palette): string[] {
  return alignRows(
    invariants.map((invariant) => [invariant.name, severityOf(invariant), invariant.claim]),
    (cell, column, row) => {
      if (column === 0) return palette.bold(cell);
      if (column === 2) return cell;
      return severityOf(invariants[row] as Invariant) === 'warning' ? palette.warn(cell) : palette.dim(cell);
    },
  );
}

/** The same facts for programs. */
export function invariantFacts(invariant: Invariant): Record<string, unknown> {
  const { name, claim, object, source } = invariant;
  return {
    name,
    claim,
    object,
    source,
    severity: severityOf(invariant),
    version: invariant.version ?? 1,
    needs: neededKinds(invariant),
    states: statesOf(invariant),
    moves: edgesOf(invariant),
  };
}

/** States × events → next state; a dot where the invariant is broken. */
function moveTable({ states, moves }: TableInvariant, palette: Palette): string[] {
  const kinds = Object.keys(moves);
  const rows = states.map((state, i) => [
    `    ${state}`,
    ...kinds.map((kind) => {
      const move = moves[kind];
      return move && (i === 0 || move.from.includes(state)) ? move.to : '·';
    }),
  ]);
  return [
    palette.dim('  where each event leads; · breaks the invariant'),
    ...alignRows([['', ...kinds], ...rows], (cell, column, row) => {
      if (row === 0) return palette.kind(kinds[column - 1] ?? '', cell);
      return cell.trim() === '·' ? palette.dim(cell) : cell;
    }),
    palette.dim(`  From ${states[0]} every event is legal once: at the start, and after events were lost.`),
  ];
}

function edgeTable(invariant: Invariant, palette: Palette): string[] {
  const rows = (edgesOf(invariant) ?? []).map(({ from, event, to }) => [`    ${from}`, event, to]);
  return alignRows([['  from', 'event', 'to'], ...rows], (cell, _column, row) =>
    row === 0 ? palette.dim(cell) : cell,
  );
}

function entries(rows: readonly (readonly [string, string])[], palette: Palette): string[] {
  return alignRows(
    rows.map(([name, value]) => [`  ${name}`, value]),
    (cell, column) => (column === 0 ? palette.dim(cell) : cell),
  );
}

/** Columns as wide as their widest cell; painted after measuring. */
function alignRows(
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number, row: number) => string,
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row, i) =>
    row
      .map((cell, column) =>
        paint(column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0), column, i),
      )
      .join('  ')
      .trimEnd(),
  );
}
