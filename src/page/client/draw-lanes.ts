// CPUs and threads: each event a mark, what isn't embedded as a shade, and what the ring held as a line below.

import { s } from './dom.ts';
import { clampX, type Frame } from './frame.ts';
import type { Lane } from './lanes.ts';
import { markOf, round } from './marks.ts';

/** Marks closer than this are one. */
const APART = 4;

export function drawLanes(frame: Frame): SVGElement[] {
  const { recording, lanes } = frame;
  const drawn: SVGElement[] = [];
  const { cpus, threads } = recording.page.density;
  for (const lane of lanes.cpus) {
    drawn.push(laneLine(frame, lane), ...drawDensity(frame, lane, cpus[lane.id]), ...drawWindow(frame, lane));
  }
  for (const lane of lanes.threads)
    drawn.push(laneLine(frame, lane), ...drawDensity(frame, lane, threads[lane.id]));
  drawn.push(...drawMarks(frame, lanes.cpus, (row) => recording.cpu(row), 4.5));
  drawn.push(...drawMarks(frame, lanes.threads, (row) => recording.tid(row), 3.5));
  return drawn;
}

/** Where its marks are: a little above the middle, since a CPU has a line of text and its window below them. */
export function middleOf({ y, height }: Lane): number {
  return y + Math.round(height * 0.4);
}

function laneLine({ left, right }: Frame, lane: Lane): SVGElement {
  return s('line', { class: 'lane', x1: left, x2: right, y1: middleOf(lane), y2: middleOf(lane) });
}

/** How many events there are, higher where there are more. */
function drawDensity(frame: Frame, lane: Lane, bins: readonly number[] | undefined): SVGElement[] {
  const { range, embedded } = frame.recording.page;
  // Where every event is here, its mark says more.
  if (!bins || !range || embedded.events === embedded.of) return [];
  const most = Math.max(...bins);
  if (most === 0) return [];
  const width = (range[1] - range[0] + 1) / bins.length;
  const pixels =
    frame.x(range[0] + width * (bins.length / 2 + 1)) - frame.x(range[0] + (width * bins.length) / 2);
  // Where time is bent, or a part of it is very wide, how high it is would say nothing.
  const bent = frame.scale.knots.length > 0 || pixels > 40;
  const base = lane.y + lane.height - (bent ? 4 : 6);
  const parts: string[] = [];
  for (const [i, count] of bins.entries()) {
    if (count === 0) continue;
    const from = frame.x(range[0] + i * width);
    const to = frame.x(range[0] + (i + 1) * width);
    if (to < frame.left || from > frame.right) continue;
    const height = bent ? 4 : round(2 + (lane.height - 12) * Math.sqrt(count / most));
    const x = round(clampX(frame, from));
    parts.push(`M${x} ${base}v${-height}H${round(clampX(frame, to))}v${height}z`);
  }
  return parts.length === 0 ? [] : [s('path', { class: 'density', d: parts.join('') })];
}

function drawWindow(frame: Frame, lane: Lane): SVGElement[] {
  const window = frame.recording.page.cpus.find(({ cpu }) => cpu === lane.id)?.window;
  if (!window) return [];
  const [from, to] = [clampX(frame, frame.x(window[0])), clampX(frame, frame.x(window[1]))];
  if (to < frame.left || from > frame.right) return [];
  const y = lane.y + lane.height - 3;
  return [
    s('path', {
      class: 'window',
      d: `M${round(from)} ${y - 3}v6M${round(from)} ${y}H${round(to)}M${round(to)} ${y - 3}v6`,
      'data-window': lane.id,
    }),
  ];
}

/** One mark per few pixels of a lane; one for several events is larger. */
function drawMarks(
  frame: Frame,
  lanes: readonly Lane[],
  laneOf: (row: number) => number,
  radius: number,
): SVGElement[] {
  const { recording, selected, hits } = frame;
  const byId = new Map(
    lanes.map((lane) => [lane.id, { lane, x: Number.NEGATIVE_INFINITY, row: -1, count: 0 }]),
  );
  const drawn: SVGElement[] = [];
  const put = (open: { lane: Lane; x: number; row: number; count: number }) => {
    if (open.count === 0) return;
    const crowded = open.count > 1 ? 0.8 : 0;
    const mark = markOf(recording.kind(open.row).path, open.x, middleOf(open.lane), radius + crowded);
    mark.setAttribute('data-row', String(open.row));
    if (open.count > 1) mark.setAttribute('data-count', String(open.count));
    if (open.row === selected) mark.classList.add('selected');
    if (hits) mark.classList.add(hits.has(open.row) ? 'hit' : 'dim');
    drawn.push(mark);
  };
  const end = frame.tsAt(frame.right);
  for (let row = recording.rowFrom(frame.tsAt(frame.left)); row < recording.count; row++) {
    const ts = recording.ts(row);
    if (ts > end) break;
    const open = byId.get(laneOf(row));
    if (!open) continue;
    const x = frame.x(ts);
    const matters = row === selected || (hits?.has(row) ?? false);
    if (open.count > 0 && x - open.x < APART && !(matters && open.count > 0)) {
      open.count++;
      continue;
    }
    put(open);
    [open.x, open.row, open.count] = [x, row, 1];
  }
  for (const open of byId.values()) put(open);
  return drawn;
}
