// All there is to know of one event, a gap, or what a ring held; for the pointer and for the keyboard.

import type { Recording, Shown } from './data.ts';
import { cpuName } from './data.ts';
import { h, s } from './dom.ts';
import { markOf } from './marks.ts';
import { formatCount, offsetText, relationText, spanText } from './span.ts';

const SHARE_BASE = 2 ** 48;

export function eventDetails(
  recording: Recording,
  row: number,
  zero: number,
  reference: string,
): HTMLElement {
  const event = recording.event(row);
  const entries: [string, string][] = [
    ['time', `${secondsText(recording.page.base + event.ts)} s, ${relationText(event.ts - zero, reference)}`],
    ['where', `${cpuName(event.cpu)}, number ${event.seq % SHARE_BASE}`],
    ['thread', threadText(event)],
    ...event.fields.map(([name, text]): [string, string] => [name, text]),
    ...(event.flags === '' ? [] : [['flags', event.flags] as [string, string]]),
  ];
  return h(
    'div',
    { class: 'event-details' },
    h(
      'p',
      { class: 'event-title' },
      s(
        'svg',
        { class: 'shape', viewBox: '-8 -8 16 16', 'aria-hidden': 'true' },
        markOf(event.kind.path, 0, 0, 5.5),
      ),
      h('strong', {}, event.kind.name),
      h('span', {}, event.kind.meaning),
    ),
    definitions(entries),
  );
}

export function definitions(entries: readonly (readonly [string, string])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...entries.map(([name, text]) => h('div', {}, h('dt', {}, name), h('dd', {}, text))),
  );
}

export function gapDetails(recording: Recording, gap: number, zero: number): HTMLElement {
  const found = recording.page.gaps[gap];
  if (!found) return h('div');
  return h(
    'div',
    { class: 'event-details' },
    h('p', { class: 'event-title' }, h('strong', {}, 'gap'), h('span', {}, found.text)),
    definitions(
      found.to > found.from
        ? [
            ['from', offsetText(found.from - zero)],
            ['to', offsetText(found.to - zero)],
            ['length', spanText(found.to - found.from)],
          ]
        : [['at', offsetText(found.from - zero)]],
    ),
  );
}

export function windowDetails(recording: Recording, cpu: number, zero: number): HTMLElement {
  const found = recording.page.cpus.find((candidate) => candidate.cpu === cpu);
  if (!found?.window) return h('div');
  return h(
    'div',
    { class: 'event-details' },
    h(
      'p',
      { class: 'event-title' },
      h('strong', {}, `window of ${cpuName(cpu)}`),
      h('span', {}, 'what its rings held when they were frozen'),
    ),
    definitions([
      ['from', offsetText(found.window[0] - zero)],
      ['to', offsetText(found.window[1] - zero)],
      ['events', formatCount(found.events)],
    ]),
  );
}

export function threadText({ thread: { comm, tid, pid } }: Shown): string {
  if (tid === 0) return comm;
  return pid === tid ? `${comm}, ${tid}` : `${comm}, ${tid} of process ${pid}`;
}

/** `16.465489349`, as `show` has it, to the nanosecond. */
export function secondsText(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  return `${seconds}.${String(Math.round(ns - seconds * 1e9)).padStart(9, '0')}`;
}
