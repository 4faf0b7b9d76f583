// What the picture's elements refer to: the clip of the plot, heads of arrows, the hatching of gaps.

import { s } from './dom.ts';

export function definitions(): SVGDefsElement {
  const head = (id: string) =>
    s(
      'marker',
      { id, viewBox: '0 0 8 8', refX: 6.5, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
      s('path', { d: 'M0 0.5L8 4L0 7.5z' }),
    );
  return s(
    'defs',
    {},
    s('clipPath', { id: 'plot' }, s('rect', {})),
    head('head'),
    head('head-bad'),
    s(
      'pattern',
      { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      s('rect', { width: 6, height: 6 }),
      s('path', { d: 'M1 0V6' }),
    ),
  );
}
