// The keys, and what is drawn how.

import { button, h } from './dom.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['+  −', 'zoom in, out (or the wheel, two fingers, a double click)'],
  ['←  →', 'move (or drag, or the wheel with shift)'],
  ['0', 'the first view again'],
  ['a', 'the whole recording'],
  ['v', 'to the violation'],
  ['[  ]', 'the violation before, the next one'],
  ['n  p', 'the next event, the one before; of a search, its matches'],
  ['Tab', 'through the events behind the violation'],
  ['/', 'search'],
  ['s', 'spaced by events, or by time'],
  ['l', 'all lanes, or those that matter'],
  ['t', 'colours: light, dark'],
  ['?', 'this help'],
  ['Esc', 'ends a search, closes this'],
];

const SIGNS: readonly (readonly [string, string])[] = [
  ['bars', 'where an object is, from one of its events to the next'],
  [
    'numbers',
    'the events behind the violation, in their order; the sign with the cross is the one that broke it',
  ],
  ['hatching', 'a gap: events were lost there'],
  ['bracket below a CPU', 'what its rings held when they were frozen'],
  ['shading', 'how many events there are, of which not all are in this file'],
  [
    'spaced by events',
    'each event that matters is a step, longer waits are only a little longer; spaced by time, nothing is bent',
  ],
];

export function createHelp(): { readonly element: HTMLDialogElement; open(): void } {
  const list = (entries: readonly (readonly [string, string])[], key: 'kbd' | 'b') =>
    h(
      'dl',
      { class: 'keys' },
      ...entries.map(([name, text]) =>
        h('div', {}, h('dt', {}, ...name.split('  ').map((one) => h(key, {}, one))), h('dd', {}, text)),
      ),
    );
  const element = h(
    'dialog',
    { class: 'help', 'aria-label': 'Keys and signs' },
    h('h2', {}, 'Keys'),
    list(KEYS, 'kbd'),
    h('h2', {}, 'Signs'),
    list(SIGNS, 'b'),
    button('Close', 'Close this help', () => element.close()),
  );
  element.addEventListener('click', (event) => {
    if (event.target === element) element.close();
  });
  return {
    element,
    open: () => {
      if (!element.open) element.showModal();
    },
  };
}
