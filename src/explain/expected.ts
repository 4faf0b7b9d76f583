// What an invariant would have accepted in place of the event that broke it.

import { type Invariant, isTable } from '../check/invariant.ts';
import { type Edge, edgesOf } from '../report/invariant-graph.ts';
import { meaningOf } from '../report/violation.ts';

export interface LegalMove {
  readonly event: string;
  readonly to: string;
  /** What such an event is, in words. */
  readonly meaning: string;
}

export interface Expected {
  /** The states that the object may have been in, usually one; none if the invariant has no table of moves. */
  readonly states: readonly string[];
  /** The moves that are legal from there. */
  readonly moves: readonly LegalMove[];
  /** The states in which the offending kind of event would have been legal. */
  readonly legalIn: readonly string[];
  /** The kind is among the legal moves: what was wrong is what it said. */
  readonly isLegalKind: boolean;
}

/** `earlier`: the kinds of the events in front of the offending one, oldest first. */
export function expectedInstead(
  invariant: Invariant,
  earlier: readonly string[],
  offending: string,
): Expected {
  const edges = edgesOf(invariant) ?? [];
  const states = statesAfter(invariant, edges, earlier);
  const moves = new Map<string, LegalMove>();
  for (const { from, event, to } of edges)
    if (states.includes(from))
      moves.set(`${event} ${to}`, { event, to, meaning: meaningOf({ kind: event }) });
  return {
    states,
    moves: [...moves.values()],
    legalIn: [...new Set(edges.filter(({ event }) => event === offending).map(({ from }) => from))],
    isLegalKind: [...moves.values()].some(({ event }) => event === offending),
  };
}

/** Follows the moves from any state; an event that fits none of the states reached begins anew where it may lead. */
function statesAfter(invariant: Invariant, edges: readonly Edge[], kinds: readonly string[]): string[] {
  let states: readonly string[] | null = null;
  for (const kind of kinds) {
    const moves = edges.filter(({ event }) => event === kind);
    if (moves.length === 0) continue;
    const fitting: readonly Edge[] = moves.filter(({ from }) => states?.includes(from) ?? true);
    states = [...new Set((fitting.length > 0 ? fitting : moves).map(({ to }) => to))];
  }
  if (states) return [...states];
  // A table says what an object is before anything is known of it; of a picture the first state is where it begins.
  const first = isTable(invariant) ? undefined : edges[0]?.from;
  return first === undefined ? [] : [first];
}
