// The invariant's states and moves as a drawing, the one that broke it in red and with a stop sign.

import type { Diagram, PageViolation } from '../model.ts';
import { type Arc, layDiagram, LINE, NODE_HEIGHT } from './diagram-layout.ts';
import { h, s } from './dom.ts';
import { round, stopSign } from './marks.ts';

const MARGIN = 14;
const CORNER = 9;

export function drawDiagram(violation: PageViolation): HTMLElement | null {
  const { diagram } = violation;
  if (!diagram) return null;
  const { nodes, arcs, width, above, below } = layDiagram(diagram);
  const top = MARGIN + above;
  const bottom = top + NODE_HEIGHT;
  const size = { width: width + 2 * MARGIN, height: bottom + below + MARGIN };
  const from = diagram.illegal ? diagram.states[diagram.illegal.from] : undefined;
  const svg = s(
    'svg',
    {
      class: 'diagram',
      viewBox: `0 0 ${round(size.width)} ${round(size.height)}`,
      width: round(size.width),
      height: round(size.height),
      role: 'img',
      'aria-label': `States of ${violation.invariant}: ${nodes.map(({ label }) => label).join(', ')}. ${brokenText(
        diagram.illegal,
        from ?? 'unknown',
      )}`,
    },
    s('g', { transform: `translate(${MARGIN} 0)` }, ...arcs.map((arc) => drawArc(arc, top, bottom))),
    s(
      'g',
      { transform: `translate(${MARGIN} 0)` },
      ...nodes.map(({ state, label, x, width: w }) =>
        s(
          'g',
          { class: diagram.illegal?.from === state ? 'node now' : 'node' },
          s('rect', { x, y: top, width: w, height: NODE_HEIGHT, rx: 9 }),
          s('text', { x: round(x + w / 2), y: top + NODE_HEIGHT / 2 + 4.5, 'text-anchor': 'middle' }, label),
        ),
      ),
    ),
  );
  const moves = diagram.edges.map(
    ({ from: a, to, label }) => `${diagram.states[a]} → ${diagram.states[to]}: ${label}`,
  );
  return h(
    'div',
    {},
    h('div', { class: 'diagram-box', tabindex: 0, role: 'region', 'aria-label': 'State diagram' }, svg),
    h('p', { class: 'quiet' }, captionOf(violation)),
    h('p', { class: 'unseen' }, `Legal moves: ${moves.join('; ')}.`),
  );
}

function brokenText(illegal: Diagram['illegal'], state: string): string {
  if (!illegal) return '';
  return illegal.late
    ? `The time ran out in state ${state}.`
    : `Broken by ${illegal.label} in state ${state}.`;
}

function captionOf({ diagram, at, claim }: PageViolation): string {
  if (!diagram?.illegal) return claim ?? '';
  const from = diagram.states[diagram.illegal.from] ?? '';
  if (diagram.illegal.late)
    return `In red: the time ran out in state “${from}”. ${at.kind} only shows how late it was.`;
  const legal = diagram.edges.filter((edge) => edge.label.split(', ').includes(at.kind));
  const isMove = legal.some((edge) => edge.from === diagram.illegal?.from);
  const first = diagram.anyFirst
    ? ' Of an object of which nothing is known yet, every event is legal once.'
    : '';
  if (isMove)
    return `In red: ${at.kind}, which in state “${from}” is legal by itself, but not with these values.${first}`;
  return legal.length > 0
    ? `In red: ${at.kind} in state “${from}”; it is legal only from ${list(legal.map((edge) => diagram.states[edge.from] ?? ''))}.${first}`
    : `In red: ${at.kind}, which nothing in this picture allows in state “${from}”.${first}`;
}

function list(words: readonly string[]): string {
  const quoted = [...new Set(words)].map((word) => `“${word}”`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

function drawArc(arc: Arc, top: number, bottom: number): SVGGElement {
  const { x0, x1, reach, side, lines, bad } = arc;
  const middle = (x0 + x1) / 2;
  const group = s('g', { class: bad ? 'move bad' : 'move' });
  if (side === 'straight') {
    const y = (top + bottom) / 2;
    group.append(s('path', { d: `M${round(x0)} ${y}H${round(x1 - 7)}` }), arrowHead(x1, y, 'right'));
    for (const [i, line] of lines.entries())
      group.append(textAt(middle - 3, y - 7 - (lines.length - 1 - i) * LINE, line));
    return group;
  }
  const up = side === 'above' ? -1 : 1;
  const edge = side === 'above' ? top : bottom;
  const y = edge + up * reach;
  const corner = Math.min(CORNER, Math.abs(x1 - x0) / 2, reach / 2);
  const turn = Math.sign(x1 - x0) || 1;
  group.append(
    s('path', {
      d: [
        `M${round(x0)} ${edge}V${round(y - up * corner)}`,
        `Q${round(x0)} ${y} ${round(x0 + turn * corner)} ${y}`,
        `H${round(x1 - turn * corner)}`,
        `Q${round(x1)} ${y} ${round(x1)} ${round(y - up * corner)}`,
        `V${round(edge + up * 7)}`,
      ].join(''),
    }),
    arrowHead(x1, edge, side === 'above' ? 'down' : 'up'),
  );
  const start = y + up * (bad ? 15 : 5);
  for (const [i, line] of lines.entries()) {
    const row = up < 0 ? lines.length - 1 - i : i;
    group.append(textAt(middle, up < 0 ? start - row * LINE : start + 9 + row * LINE, line));
  }
  if (bad) group.append(stopSign(round(middle), y, 9));
  return group;
}

function textAt(x: number, y: number, text: string): SVGTextElement {
  return s('text', { x: round(x), y: round(y), 'text-anchor': 'middle' }, text);
}

function arrowHead(x: number, y: number, to: 'right' | 'up' | 'down'): SVGPathElement {
  const d = {
    right: `M${x} ${y}l-9 -4.5v9z`,
    down: `M${x} ${y}l-4.5 -9h9z`,
    up: `M${x} ${y}l-4.5 9h9z`,
  }[to];
  return s('path', { class: 'head', d });
}
