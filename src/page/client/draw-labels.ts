// The names of the lanes, left of the plot.

import { s } from './dom.ts';
import { type Frame, shorten } from './frame.ts';
import { middleOf } from './draw-lanes.ts';

export function drawLabels({ lanes, left, right }: Frame): SVGElement[] {
  const room = left - 26;
  const drawn: SVGElement[] = [];
  const text = (name: string, x: number, y: number, words: string, anchor = 'start') =>
    s('text', { class: name, x, y, 'text-anchor': anchor }, words);
  for (const { life, y, stations } of lanes.lives) {
    const title = text('title', 8, y + 17, shorten(life.object, right - 20, 12));
    title.append(s('tspan', { class: 'about', dx: 10 }, life.about));
    drawn.push(title);
    for (const lane of stations)
      drawn.push(text('label', left - 12, lane.y + lane.height / 2 + 4, shorten(lane.label, room), 'end'));
  }
  for (const { title, y } of lanes.sections) drawn.push(text('title', 8, y + 17, title));
  for (const lane of [...lanes.cpus, ...lanes.threads]) {
    const label = text('label', left - 12, middleOf(lane) + 4, shorten(lane.label, room), 'end');
    label.setAttribute('data-lane', String(lane.id));
    if (lane.remark !== '' && room > 120) label.append(s('title', {}, `${lane.remark} events`));
    drawn.push(label);
  }
  return drawn;
}
