// States in one row, moves to the next one straight between them, all others as arcs above (onward) and below (back).

import type { Diagram } from '../model.ts';

export interface Node {
  readonly state: number;
  readonly label: string;
  readonly x: number;
  readonly width: number;
}

export interface Arc {
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
  readonly bad: boolean;
  /** `straight` between neighbours; above or below the row otherwise. */
  readonly side: 'straight' | 'above' | 'below';
  /** Where it leaves and where it arrives. */
  x0: number;
  x1: number;
  /** Distance of its far side from the row, in pixels; 0 if straight. */
  reach: number;
}

export interface Layout {
  readonly nodes: readonly Node[];
  readonly arcs: readonly Arc[];
  readonly width: number;
  readonly above: number;
  readonly below: number;
}

export const NODE_HEIGHT = 34;
export const LINE = 13;
const CHAR = 6.7;
const PORT = 15;
const LEVEL = 20;

export function layDiagram(diagram: Diagram): Layout {
  const labels = shortLabels(diagram);
  const order = orderStates(diagram);
  const place = new Map(order.map((state, i) => [state, i]));
  const at = (state: number) => place.get(state) ?? 0;
  const arcs = diagram.edges.map(({ from, to, label }): Arc => {
    const onward = at(to) - at(from);
    const side = onward === 1 ? 'straight' : onward >= 0 ? 'above' : 'below';
    return { from, to, lines: labels(label), bad: false, side, x0: 0, x1: 0, reach: 0 };
  });
  const { illegal } = diagram;
  if (illegal)
    arcs.push({
      from: illegal.from,
      to: illegal.to ?? illegal.from,
      lines: illegal.late ? ['too late'] : labels(illegal.label),
      bad: true,
      side: 'below',
      x0: 0,
      x1: 0,
      reach: 0,
    });
  const nodes = placeNodes(diagram, order, arcs, at);
  placePorts(nodes, arcs, at);
  const above = placeLevels(arcs.filter(({ side }) => side === 'above'));
  const below = placeLevels(arcs.filter(({ side }) => side === 'below'));
  const ends = arcs.map((arc) => intervalOf(arc));
  const right = Math.max(...nodes.map(({ x, width }) => x + width), ...ends.map(([, to]) => to));
  const left = Math.min(0, ...ends.map(([from]) => from));
  for (const arc of arcs) [arc.x0, arc.x1] = [arc.x0 - left, arc.x1 - left];
  return {
    nodes: nodes.map((node) => ({ ...node, x: node.x - left })),
    arcs,
    width: right - left,
    above,
    below,
  };
}

/** From the first state on, each where it is first reached; states that nothing concerns are left out. */
function orderStates({ states, edges, illegal }: Diagram): number[] {
  const order: number[] = [];
  const visit = (state: number) => {
    if (order.includes(state)) return;
    order.push(state);
    for (const { from, to } of edges) if (from === state) visit(to);
  };
  const used = (state: number) =>
    edges.some(({ from, to }) => from === state || to === state) || illegal?.from === state;
  for (const state of states.keys()) if (used(state)) visit(state);
  return order;
}

/** Without the path where all kinds are of one. */
function shortLabels({ edges, illegal }: Diagram): (label: string) => string[] {
  const kinds = [...edges.map(({ label }) => label), illegal?.label ?? ''].flatMap((label) =>
    label.split(', '),
  );
  const paths = new Set(kinds.filter((kind) => kind !== '').map((kind) => kind.split('_')[0]));
  return (label) =>
    label.split(', ').map((kind) => (paths.size === 1 ? kind.slice(kind.indexOf('_') + 1) : kind));
}

function widthOf(lines: readonly string[]): number {
  return Math.max(0, ...lines.map((line) => line.length)) * CHAR;
}

function placeNodes(
  { states }: Diagram,
  order: readonly number[],
  arcs: readonly Arc[],
  at: (state: number) => number,
): Node[] {
  const nodes: Node[] = [];
  let x = 0;
  for (const [i, state] of order.entries()) {
    const label = states[state] ?? '';
    const ports = Math.max(
      ...(['above', 'below'] as const).map(
        (side) =>
          arcs
            .filter((arc) => arc.side === side)
            .flatMap(({ from, to }) => [from, to])
            .filter((end) => end === state).length,
      ),
    );
    const width = Math.max(64, label.length * 7.4 + 26, ports * PORT + 16);
    nodes.push({ state, label, x, width });
    const next = arcs.filter(({ side, from }) => side === 'straight' && at(from) === i);
    x += width + Math.max(46, ...next.map(({ lines }) => widthOf(lines) + 34));
  }
  return nodes;
}

/** Along each side of a node so that arcs don't cross where they needn't. */
function placePorts(nodes: readonly Node[], arcs: readonly Arc[], at: (state: number) => number): void {
  for (const node of nodes) {
    for (const arc of arcs) {
      if (arc.side !== 'straight') continue;
      if (arc.from === node.state) arc.x0 = node.x + node.width;
      if (arc.to === node.state) arc.x1 = node.x;
    }
    for (const side of ['above', 'below'] as const) {
      const ends = arcs
        .filter((arc) => arc.side === side)
        .flatMap((arc) => [
          ...(arc.from === node.state ? [{ arc, start: true, other: at(arc.to) - at(arc.from) }] : []),
          ...(arc.to === node.state ? [{ arc, start: false, other: at(arc.from) - at(arc.to) }] : []),
        ])
        .sort((a, b) => rank(a.other) - rank(b.other) || Number(b.start) - Number(a.start));
      for (const [i, { arc, start }] of ends.entries()) {
        const x = node.x + node.width / 2 + (i - (ends.length - 1) / 2) * PORT;
        if (start) arc.x0 = x;
        else arc.x1 = x;
      }
    }
  }
}

/** Arcs to the left, the near ones outside; then loops; then those to the right, the far ones inside. */
function rank(other: number): number {
  if (other < 0) return -1000 - other;
  return other === 0 ? 0 : 1000 - other;
}

/** What an arc covers, its label included. */
function intervalOf({ x0, x1, lines, side }: Arc): [number, number] {
  if (side === 'straight') return [Math.min(x0, x1), Math.max(x0, x1)];
  const middle = (x0 + x1) / 2;
  const half = Math.max(Math.abs(x1 - x0) / 2, widthOf(lines) / 2 + 6);
  return [middle - half, middle + half];
}

/** The short ones next to the row; each as far out as it must be to lie on no other. Returns how far that is. */
function placeLevels(arcs: readonly Arc[]): number {
  const placed: { interval: [number, number]; from: number; to: number }[] = [];
  let most = 0;
  const length = ({ x0, x1 }: Arc) => Math.abs(x1 - x0);
  for (const arc of [...arcs].sort((a, b) => length(a) - length(b))) {
    const interval = intervalOf(arc);
    const text = arc.lines.length * LINE + (arc.bad ? 10 : 0);
    let from = LEVEL;
    for (const other of [...placed].sort((a, b) => a.from - b.from)) {
      const apart = interval[1] + 8 < other.interval[0] || interval[0] - 8 > other.interval[1];
      if (!apart && from < other.to + 8 && from + text + 6 > other.from - 8) from = other.to + 12;
    }
    arc.reach = from;
    placed.push({ interval, from, to: from + text + 4 });
    most = Math.max(most, from + text + 10);
  }
  return most;
}
