// Looking for an object or any text among the embedded events.

import type { Recording } from './data.ts';
import { button, h } from './dom.ts';
import type { Picture } from './picture.ts';
import { step } from './controls.ts';
import { formatCount } from './span.ts';

export interface Search {
  readonly element: HTMLElement;
  focus(): void;
  clear(): void;
}

export function createSearch(picture: Picture): Search {
  const { recording } = picture;
  const { embedded } = recording.page;
  const input = h('input', {
    type: 'search',
    placeholder: 'Search: an address, a thread, a kind …',
    'aria-label': 'Search the events for an object or any text',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const found = h('output', { class: 'found' });
  const go = (by: 1 | -1) => {
    if (picture.hits) step(picture, by);
  };
  const look = () => {
    const words = input.value
      .trim()
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) {
      found.textContent = '';
      picture.mark(null);
      return;
    }
    const hits = hitsOf(recording, words);
    const among = embedded.events < embedded.of ? ` among ${formatCount(embedded.events)} embedded` : '';
    found.textContent = hits.size === 0 ? `none${among}` : `${formatCount(hits.size)}${among}`;
    picture.mark(hits);
  };
  let waiting = 0;
  input.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(look, 120);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      clearTimeout(waiting);
      look();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      input.value = '';
      look();
      picture.element.focus();
    } else return;
    event.preventDefault();
  });
  return {
    element: h(
      'div',
      { class: 'search', role: 'search' },
      input,
      found,
      button('‹', 'Previous match', () => go(-1), { class: 'small' }),
      button('›', 'Next match', () => go(1), { class: 'small' }),
    ),
    focus: () => input.select(),
    clear() {
      input.value = '';
      look();
    },
  };
}

/** Events that hold all the words, and all events of an object that is called so. */
function hitsOf(recording: Recording, words: readonly string[]): ReadonlySet<number> {
  const holds = (text: string) => words.every((word) => text.includes(word));
  const hits = new Set<number>();
  for (let row = 0; row < recording.count; row++) if (holds(recording.searchText(row))) hits.add(row);
  for (const { object, selector, points } of recording.page.lives)
    if (holds(`${object} ${selector}`.toLowerCase())) for (const [row] of points) hits.add(row);
  return hits;
}
