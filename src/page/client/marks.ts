// The marks of events: a shape and a colour for each path, so that neither is needed alone.

import { s } from './dom.ts';

/** In the order of their colours in page.css (`--path-N`). */
const PATHS = ['xsk', 'neigh', 'xfrm', 'vxlan', 'link', 'netns', 'sockiter', 'task', 'mark'];

export function pathNumber(path: string): number {
  const at = PATHS.indexOf(path);
  return at < 0 ? PATHS.length : at;
}

/** Outlines around 0,0 with a radius of 1. */
const SHAPES: readonly (readonly (readonly [number, number])[] | 'circle')[] = [
  'circle',
  polygon(4, 45),
  polygon(3, -90),
  polygon(4, 0),
  polygon(3, 90),
  polygon(5, -90),
  polygon(6, 0),
  polygon(4, 45),
  star(),
  'circle',
];

function polygon(corners: number, turn: number): (readonly [number, number])[] {
  const radius = corners === 3 ? 1.25 : corners === 4 ? 1.18 : 1.08;
  return Array.from({ length: corners }, (_, i) => {
    const angle = ((turn + (360 * i) / corners) * Math.PI) / 180;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  });
}

function star(): (readonly [number, number])[] {
  return Array.from({ length: 10 }, (_, i) => {
    const angle = ((-90 + 36 * i) * Math.PI) / 180;
    const radius = i % 2 === 0 ? 1.35 : 0.6;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  });
}

export function markOf(path: string, x: number, y: number, radius: number): SVGElement {
  const number = pathNumber(path);
  const shape = SHAPES[number] ?? 'circle';
  const name = `mark path-${number}`;
  if (shape === 'circle') return s('circle', { class: name, cx: round(x), cy: round(y), r: radius });
  const points = shape.map(([dx, dy]) => `${round(x + dx * radius)},${round(y + dy * radius)}`).join(' ');
  return s('polygon', { class: name, points });
}

/** The octagon of a stop sign with a cross in it: what was not allowed. */
export function stopSign(x: number, y: number, radius: number): SVGGElement {
  const points = Array.from({ length: 8 }, (_, i) => {
    const angle = ((22.5 + 45 * i) * Math.PI) / 180;
    return `${round(x + radius * Math.cos(angle))},${round(y + radius * Math.sin(angle))}`;
  }).join(' ');
  const d = radius * 0.42;
  return s(
    'g',
    { class: 'stop' },
    s('polygon', { points }),
    s('path', { d: `M${x - d} ${y - d}L${x + d} ${y + d}M${x - d} ${y + d}L${x + d} ${y - d}` }),
  );
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
