// The states and legal moves of an invariant as a graph, in the two languages that tools draw.

import { type Invariant, isTable } from '../check/invariant.ts';

export interface Edge {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** The legal moves; null for an invariant that has no picture. The state before anything is known is not among them. */
export function edgesOf(invariant: Invariant): readonly Edge[] | null {
  if (!isTable(invariant)) return invariant.picture ?? null;
  return Object.entries(invariant.moves).flatMap(([event, { from, to }]) =>
    from.map((state) => ({ from: state, event, to })),
  );
}

/** The states in the order in which they are declared or first met. */
export function statesOf(invariant: Invariant): readonly string[] {
  if (isTable(invariant)) return invariant.states;
  return [...new Set((invariant.picture ?? []).flatMap(({ from, to }) => [from, to]))];
}

/** Moves with the same ends are one arrow. */
function arrowsOf(invariant: Invariant): { from: string; to: string; label: string }[] | null {
  const edges = edgesOf(invariant);
  if (edges === null) return null;
  const arrows = new Map<string, { from: string; to: string; label: string }>();
  for (const { from, event, to } of edges) {
    const key = JSON.stringify([from, to]);
    const known = arrows.get(key);
    if (known) known.label += `, ${event}`;
    else arrows.set(key, { from, to, label: event });
  }
  return [...arrows.values()];
}

/** `stateDiagram-v2`; null if there is nothing to draw. */
export function toMermaid(invariant: Invariant): string | null {
  const arrows = arrowsOf(invariant);
  if (arrows === null) return null;
  const states = statesOf(invariant);
  const id = (state: string) => `s${states.indexOf(state)}`;
  const first = states[0] as string;
  return [
    'stateDiagram-v2',
    `  %% ${invariant.name}: ${invariant.claim}`,
    ...states.map((state) => `  state ${JSON.stringify(state.replaceAll('"', "'"))} as ${id(state)}`),
    `  [*] --> ${id(first)}`,
    ...(isTable(invariant)
      ? Object.entries(invariant.moves).map(([event, { to }]) => `  ${id(first)} --> ${id(to)}: ${event}`)
      : []),
    ...arrows.map(({ from, to, label }) => `  ${id(from)} --> ${id(to)}: ${label.replaceAll(':', ' ')}`),
  ].join('\n');
}

/** Graphviz; null if there is nothing to draw. */
export function toDot(invariant: Invariant): string | null {
  const arrows = arrowsOf(invariant);
  if (arrows === null) return null;
  const text = (words: string) => JSON.stringify(words);
  const first = statesOf(invariant)[0] as string;
  return [
    `digraph ${text(invariant.name)} {`,
    `  label=${text(invariant.claim)};`,
    '  rankdir=LR;',
    '  node [shape=box, style=rounded];',
    ...(isTable(invariant) ? [`  ${text(first)} [style="rounded,dashed"];`] : []),
    ...(isTable(invariant)
      ? Object.entries(invariant.moves).map(
          ([event, { to }]) => `  ${text(first)} -> ${text(to)} [label=${text(event)}, style=dashed];`,
        )
      : []),
    ...arrows.map(({ from, to, label }) => `  ${text(from)} -> ${text(to)} [label=${text(label)}];`),
    '}',
  ].join('\n');
}
