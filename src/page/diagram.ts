// The states of an invariant and its legal moves, with the move that broke it.

import { isTable, type Invariant } from '../check/invariant.ts';
import type { Violation } from '../model/violation.ts';
import { type Edge, edgesOf, statesOf } from '../report/invariant-graph.ts';
import type { Diagram } from './model.ts';

/**
 * Null for an invariant that has no picture. The evidence is that of the violation's own object; `state` is the one that it was
 * in, where that is known better than from the evidence; `late` if the offending event doesn't concern the object.
 */
export function diagramOf(
  invariant: Invariant,
  violation: Pick<Violation, 'at' | 'evidence'>,
  { state, late = false }: { readonly state?: string | undefined; readonly late?: boolean } = {},
): Diagram | null {
  const edges = edgesOf(invariant);
  if (edges === null || edges.length === 0) return null;
  const states = statesOf(invariant);
  const arrows = new Map<string, { from: number; to: number; label: string }>();
  for (const edge of edges) {
    const [from, to] = [states.indexOf(edge.from), states.indexOf(edge.to)];
    const known = arrows.get(`${from}:${to}`);
    if (known) known.label += `, ${edge.event}`;
    else arrows.set(`${from}:${to}`, { from, to, label: edge.event });
  }
  return {
    states,
    anyFirst: isTable(invariant),
    edges: [...arrows.values()],
    illegal: illegalMove(edges, states, violation, state, late),
  };
}

/** The evidence leads to the state in which the offending event was not legal. */
function illegalMove(
  edges: readonly Edge[],
  states: readonly string[],
  { at, evidence }: Pick<Violation, 'at' | 'evidence'>,
  known: string | undefined,
  late: boolean,
): Diagram['illegal'] {
  let state = known;
  for (const { kind, cpu, seq } of evidence) {
    if (known !== undefined || (cpu === at.cpu && seq === at.seq)) break;
    const moves = edges.filter(({ event }) => event === kind);
    state = (moves.find(({ from }) => from === state) ?? moves[0])?.to ?? state;
  }
  const moves = edges.filter(({ event }) => event === at.kind);
  // Without a history, the offending event is as good as coming from where it is legal.
  const from = state ?? moves[0]?.from ?? edges[0]?.from;
  if (from === undefined) return null;
  const isLegal = moves.some((edge) => edge.from === from);
  const to = isLegal || late ? undefined : moves[0]?.to;
  return {
    from: states.indexOf(from),
    to: to === undefined ? null : states.indexOf(to),
    label: at.kind,
    late,
  };
}
