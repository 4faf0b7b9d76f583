// The time over the lanes: distances from the violation, where the rings were frozen, and the violations.

import { s } from './dom.ts';
import { clampX, type Frame, textWidth } from './frame.ts';
import { round, stopSign } from './marks.ts';
import { roundSteps } from './scale.ts';
import { offsetText, spanText } from './span.ts';
import { TOP } from './lanes.ts';

const BETWEEN = 18;

export function drawAxis(frame: Frame, frozenAt: number | null): SVGElement[] {
  const { left, right, lanes } = frame;
  const drawn: SVGElement[] = [s('line', { class: 'axis', x1: left, x2: right, y1: TOP, y2: TOP })];
  const isTaken = placeTexts();
  const zeroX = frame.x(frame.zero);
  if (frame.violation && isInside(frame, zeroX)) isTaken(zeroX - 14, zeroX + 14);
  const said = new Set<string>();
  for (const ts of tickTimes(frame)) {
    const x = frame.x(ts);
    if (!isInside(frame, x)) continue;
    const text = offsetText(ts - frame.zero);
    const half = textWidth(text) / 2;
    drawn.push(s('line', { class: 'grid', x1: round(x), x2: round(x), y1: TOP, y2: lanes.height - 6 }));
    // Of events that follow closely, only the first has a distance; those between them say the rest.
    if (said.has(text) || x - half < left - 4 || x + half > right + 4 || isTaken(x - half, x + half))
      continue;
    said.add(text);
    drawn.push(
      s('line', { class: 'axis', x1: round(x), x2: round(x), y1: TOP - 20, y2: TOP }),
      s('text', { class: 'tick', x: round(x), y: TOP - 25, 'text-anchor': 'middle' }, text),
    );
  }
  drawn.push(...drawWaits(frame));
  if (frozenAt !== null && isInside(frame, frame.x(frozenAt))) {
    const x = round(frame.x(frozenAt));
    drawn.push(
      s('line', { class: 'frozen', x1: x, x2: x, y1: TOP, y2: lanes.height - 6 }),
      s(
        'text',
        { class: 'frozen-text', x: x - 5, y: lanes.height - 10, 'text-anchor': 'end' },
        'rings frozen',
      ),
    );
  }
  return drawn;
}

function isInside({ left, right }: Frame, x: number): boolean {
  return x >= left - 0.5 && x <= right + 0.5;
}

/** The events that matter have ticks of their own; even time has round ones. */
function tickTimes({ scale, from, to, left, right, zero }: Frame): number[] {
  if (scale.knots.length === 0) {
    const count = Math.max(3, Math.floor((right - left) / 130));
    return roundSteps(scale.toTs(from) - zero, scale.toTs(to) - zero, count).map((offset) => offset + zero);
  }
  // What lies nearest to the violation is labelled first.
  return [...scale.knots].sort((a, b) => Math.abs(a - zero) - Math.abs(b - zero));
}

/** In a story, how long it is from each event that matters to the next. */
function drawWaits(frame: Frame): SVGElement[] {
  const { knots } = frame.scale;
  return knots.slice(1).flatMap((to, i) => {
    const from = knots[i] as number;
    const [x0, x1] = [frame.x(from), frame.x(to)];
    const text = spanText(to - from);
    const isEnd = i === 0 || i === knots.length - 2;
    if (isEnd || x0 < frame.left - 1 || x1 > frame.right + 1 || x1 - x0 < textWidth(text, 10) + 8) return [];
    return [s('text', { class: 'wait', x: round((x0 + x1) / 2), y: TOP - 7, 'text-anchor': 'middle' }, text)];
  });
}

/** Whether a text would lie on another one; if not, it takes its place. */
function placeTexts(): (from: number, to: number) => boolean {
  const taken: [number, number][] = [];
  return (from, to) => {
    if (taken.some(([a, b]) => from < b + BETWEEN && to > a - BETWEEN)) return true;
    taken.push([from, to]);
    return false;
  };
}

/** The violation through all lanes, and the others as signs on the axis. */
export function drawViolations(frame: Frame): SVGElement[] {
  const { recording, violation, lanes } = frame;
  const drawn: SVGElement[] = [];
  // On top of all others.
  const chosen: SVGElement[] = [];
  for (const [i, other] of recording.page.violations.entries()) {
    const x = round(frame.x(other.at.ts));
    if (!isInside(frame, x)) continue;
    const own = other === violation;
    if (!own && violation && other.at.ts === violation.at.ts) continue;
    const sign = stopSign(x, TOP - 28, own ? 11 : 7);
    sign.setAttribute('data-violation', String(i));
    sign.setAttribute('class', own ? 'stop own' : 'stop other');
    if (own)
      chosen.push(s('line', { class: 'violation-line', x1: x, x2: x, y1: TOP - 17, y2: lanes.height - 6 }));
    (own ? chosen : drawn).push(sign);
  }
  return [...drawn, ...chosen];
}

/** What the rings have lost, hatched; and a word in it where there is room. */
export function drawGaps(frame: Frame): SVGElement[] {
  const { recording, lanes } = frame;
  const drawn: SVGElement[] = [];
  for (const [i, gap] of recording.page.gaps.entries()) {
    const lane = lanes.cpus.find(({ id }) => id === gap.cpu);
    if (!lane) continue;
    const from = clampX(frame, frame.x(gap.from));
    const to = clampX(frame, frame.x(gap.to));
    if (to < frame.left || from > frame.right) continue;
    const width = Math.max(5, to - from);
    const x = round(to - from < 5 ? from - 2.5 : from);
    drawn.push(
      s('rect', {
        class: 'gap',
        x,
        width: round(width),
        y: lane.y + 3,
        height: lane.height - 8,
        'data-gap': i,
      }),
    );
    if (width > 44)
      drawn.push(
        s('text', { class: 'gap-text', x: round(Math.max(x, frame.left) + 6), y: lane.y + 14 }, 'gap'),
      );
  }
  return drawn;
}
