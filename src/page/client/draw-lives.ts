// Life-lines: bars in the station where the object is, from event to event, and a line down or up where it goes on.

import type { PageLife } from '../model.ts';
import { s } from './dom.ts';
import { clampX, type Frame, shorten, textWidth } from './frame.ts';
import type { LifeBlock } from './lanes.ts';
import { markOf, round, stopSign } from './marks.ts';

const BAR = 14;

interface Stay {
  readonly station: number;
  readonly from: number;
  readonly to: number;
  readonly detail: string;
  readonly row: number;
}

export function drawLives(frame: Frame): SVGElement[] {
  return frame.lanes.lives.flatMap((block) => drawLife(frame, block));
}

function drawLife(frame: Frame, block: LifeBlock): SVGElement[] {
  const { left, right } = frame;
  const drawn: SVGElement[] = block.stations.map((lane, i) =>
    s('rect', {
      class: i % 2 === 0 ? 'station even' : 'station',
      x: left,
      width: right - left,
      y: lane.y,
      height: lane.height,
    }),
  );
  const stays = staysOf(frame, block.life);
  for (const [i, stay] of stays.entries()) drawn.push(...drawStay(frame, block, stay, stays[i - 1]));
  drawn.push(...drawPoints(frame, block));
  return drawn;
}

/** Where it was from when to when; the last stay ends with the recording. */
function staysOf({ recording }: Frame, { points }: PageLife): Stay[] {
  const moves = points.filter(([, station]) => station >= 0);
  const end = recording.page.range?.[1] ?? 0;
  return moves.map(([row, station, detail], i): Stay => {
    const next = moves[i + 1];
    return {
      station,
      row,
      from: recording.ts(row),
      to: next ? recording.ts(next[0]) : Math.max(end, recording.ts(row)),
      detail: recording.string(detail),
    };
  });
}

function drawStay(frame: Frame, block: LifeBlock, stay: Stay, before: Stay | undefined): SVGElement[] {
  const { recording } = frame;
  const x = clampX(frame, frame.x(stay.from));
  const to = clampX(frame, frame.x(stay.to));
  if (to < frame.left || x > frame.right) return [];
  const lane = block.stations[stay.station];
  if (!lane) return [];
  const y = lane.y + lane.height / 2;
  const isAfter = frame.violation !== undefined && stay.from >= frame.violation.at.ts;
  const bad = isAfter && block.own ? ' after' : '';
  const width = Math.max(2, to - x);
  const drawn: SVGElement[] = [
    s('rect', {
      class: `stay${bad}`,
      x: round(x),
      width: round(width),
      y: y - BAR / 2,
      height: BAR,
      rx: 4,
      'data-row': stay.row,
    }),
  ];
  const start = block.stations[before?.station ?? -1];
  if (start && start !== lane) {
    const illegal = frame.violation?.at.row === stay.row && block.own ? ' illegal' : '';
    const fromY = start.y + start.height / 2;
    const down = y > fromY ? 1 : -1;
    drawn.push(
      s('path', {
        class: `way${illegal}`,
        d: `M${round(x)} ${fromY + (down * BAR) / 2}V${y - (down * BAR) / 2}`,
      }),
    );
  }
  const next = block.life.points.find(
    ([row]) => recording.ts(row) > stay.from && frame.x(recording.ts(row)) > frame.left + 20,
  );
  const seen =
    Math.min(to, frame.right, next ? frame.x(recording.ts(next[0])) : to) - Math.max(x, frame.left) - 20;
  const text = stay.detail === before?.detail && start === lane ? '' : shorten(stay.detail, seen, 10);
  if (text !== '' && textWidth(text, 10) <= seen)
    drawn.push(
      s('text', { class: `stay-text${bad}`, x: round(Math.max(x, frame.left) + 13), y: y + 3.5 }, text),
    );
  return drawn;
}

/** Its events, on the bar on which they found or left it. */
function drawPoints(frame: Frame, block: LifeBlock): SVGElement[] {
  const { recording, violation, selected, hits } = frame;
  const drawn: SVGElement[] = [];
  let station = block.life.points.find((point) => point[1] >= 0)?.[1] ?? 0;
  let lastX = Number.NEGATIVE_INFINITY;
  for (const [row, to] of block.life.points) {
    if (to >= 0) station = to;
    const lane = block.stations[station];
    const x = frame.x(recording.ts(row));
    if (!lane || x < frame.left - 1 || x > frame.right + 1) continue;
    const y = lane.y + lane.height / 2;
    const offending = violation?.at.row === row;
    const behind = violation?.evidence.some((evidence) => evidence.row === row) ?? false;
    // Events closer than a pixel or two are one mark, unless they matter.
    if (x - lastX < 2.5 && !offending && !behind && row !== selected) continue;
    lastX = x;
    const sign = offending
      ? stopSign(round(x), y, 9)
      : markOf(recording.kind(row).path, x, y, behind ? 5.5 : to < 0 ? 3 : 4);
    sign.setAttribute('data-row', String(row));
    if (row === selected) sign.classList.add('selected');
    if (behind) sign.classList.add('behind');
    if (hits && !hits.has(row)) sign.classList.add('dim');
    drawn.push(sign);
  }
  return drawn;
}
