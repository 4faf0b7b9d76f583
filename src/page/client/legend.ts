// Which mark belongs to which path.

import type { Recording } from './data.ts';
import { h, s } from './dom.ts';
import { markOf, stopSign } from './marks.ts';

export function legend({ page }: Recording): HTMLElement {
  const paths = [...new Set(page.kinds.map(({ path }) => path))].sort();
  const sign = (mark: SVGElement, label: string) =>
    h('li', {}, s('svg', { viewBox: '-9 -9 18 18', 'aria-hidden': 'true' }, mark), label);
  const hatched = s('rect', { class: 'gap', x: -8, y: -6, width: 16, height: 12 });
  const badge = s(
    'g',
    { class: 'evidence' },
    s('circle', { r: 7.5 }),
    s('text', { y: 3.6, 'text-anchor': 'middle' }, '1'),
  );
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'Signs' },
    ...paths.map((path) => sign(markOf(path, 0, 0, 5.5), path === '' ? 'other' : path)),
    page.violations.length > 0 && sign(badge, 'evidence'),
    page.violations.length > 0 && sign(stopSign(0, 0, 8), 'violation'),
    page.gaps.length > 0 && sign(hatched, 'gap'),
  );
}
