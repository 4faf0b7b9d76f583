// The events behind the violation: numbered on their CPUs, and an arrow from each to the next.

import type { PageEvidence } from '../model.ts';
import { cpuName } from './data.ts';
import { s } from './dom.ts';
import { type Frame, textWidth } from './frame.ts';
import { middleOf } from './draw-lanes.ts';
import { round, stopSign } from './marks.ts';
import { relationText } from './span.ts';

interface Placed {
  readonly evidence: PageEvidence;
  readonly number: number;
  readonly x: number;
  readonly y: number;
  readonly last: boolean;
  readonly visible: boolean;
}

export function drawEvidence(frame: Frame): SVGElement[] {
  const { violation, lanes } = frame;
  if (!violation) return [];
  const placed = violation.evidence.flatMap((evidence, i): Placed[] => {
    const lane = lanes.cpus.find(({ id }) => id === evidence.cpu);
    if (!lane) return [];
    const x = frame.x(evidence.ts);
    return [
      {
        evidence,
        number: i + 1,
        x: round(x),
        y: middleOf(lane),
        last: i === violation.evidence.length - 1,
        visible: x >= frame.left && x <= frame.right,
      },
    ];
  });
  const arrows = placed.slice(1).flatMap((to, i) => drawArrow(frame, placed[i] as Placed, to));
  const seen = placed.filter(({ visible }) => visible);
  return [...arrows, ...seen.map((one) => drawBadge(frame, one, seen, violation.evidence.length))];
}

function drawArrow({ left, right }: Frame, from: Placed, to: Placed): SVGElement[] {
  if ((from.x < left && to.x < left) || (from.x > right && to.x > right)) return [];
  const clamp = (x: number) => Math.min(right + 60, Math.max(left - 60, x));
  const [x0, x1] = [clamp(from.x), clamp(to.x)];
  const reach = Math.abs(x1 - x0);
  if (reach < 4 && from.y === to.y) return [];
  const [startX, endX] = [x0 + Math.min(9, reach / 3), x1 - Math.min(11, reach / 3)];
  const lift = from.y === to.y ? Math.min(22, 8 + reach / 14) : 0;
  const bend = Math.max(18, reach * 0.35);
  const d =
    lift > 0
      ? `M${round(startX)} ${from.y - 4}C${round(startX + bend / 2)} ${from.y - lift} ${round(endX - bend / 2)} ${to.y - lift} ${round(endX)} ${to.y - 4}`
      : `M${round(startX)} ${from.y}C${round(startX + bend)} ${from.y} ${round(endX - bend)} ${to.y} ${round(endX)} ${to.y}`;
  return [
    s('path', {
      class: to.last ? 'arrow bad' : 'arrow',
      d,
      'marker-end': `url(#head${to.last ? '-bad' : ''})`,
    }),
  ];
}

function drawBadge(
  { violation, zero, left, right, selected }: Frame,
  one: Placed,
  all: readonly Placed[],
  count: number,
): SVGElement {
  const { evidence, number, x, y, last } = one;
  const reference = violation?.severity ?? 'violation';
  const badge = s('g', {
    class: `evidence${last ? ' bad' : ''}${evidence.row >= 0 && evidence.row === selected ? ' selected' : ''}`,
    tabindex: 0,
    role: 'button',
    'data-row': evidence.row,
    'data-evidence': number - 1,
    'aria-label': `Event ${number} of ${count} behind the ${reference}: ${evidence.kind}, ${evidence.meaning}, ${relationText(evidence.ts - zero, reference)}, ${cpuName(evidence.cpu)}`,
  });
  if (last) badge.append(stopSign(x, y, 11));
  else
    badge.append(
      s('circle', { cx: x, cy: y, r: 8.5 }),
      s('text', { x, y: y + 3.8, 'text-anchor': 'middle' }, String(number)),
    );
  // Its kind below it, if that lies on no other's.
  const half = textWidth(evidence.kind) / 2;
  const middle = Math.min(right - half, Math.max(left + half, x));
  const isFree = all.every(
    (other) =>
      other.y !== y ||
      (other.number >= number && !other.last) ||
      Math.abs(other.x - x) > half + textWidth(other.evidence.kind) / 2 + 8,
  );
  if (last || isFree)
    badge.append(
      s('text', { class: 'kind', x: round(middle), y: y + 22, 'text-anchor': 'middle' }, evidence.kind),
    );
  return badge;
}
