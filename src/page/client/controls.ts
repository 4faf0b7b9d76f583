// Pointer, wheel, fingers and keys on the picture.

import { gapDetails, eventDetails, windowDetails } from './details.ts';
import { h } from './dom.ts';
import type { Picture } from './picture.ts';

/** Pixels that a press may move and still be a click. */
const SLOP = 4;

export function attachPointer(picture: Picture, onViolation: (index: number) => void): HTMLElement {
  const { element } = picture;
  const tip = h('div', { class: 'tip', role: 'tooltip', id: 'tip', hidden: true });
  const fingers = new Map<number, number>();
  let moved = 0;

  const xOf = (event: MouseEvent) => event.clientX - element.getBoundingClientRect().left;
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    fingers.set(event.pointerId, xOf(event));
    moved = 0;
  });
  element.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) {
      showTip(picture, tip, event);
      return;
    }
    const x = xOf(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    moved += Math.abs(x - before);
    if (moved < SLOP) return;
    if (!element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
    tip.hidden = true;
    element.classList.add('dragged');
    if (other === undefined) picture.panPixels(before - x);
    else if (Math.abs(before - other) > 8)
      picture.zoom(Math.abs(x - other) / Math.abs(before - other), (x + other) / 2);
    fingers.set(event.pointerId, x);
  });
  const release = (event: PointerEvent) => {
    const pressed = fingers.delete(event.pointerId);
    element.classList.remove('dragged');
    if (!pressed || event.type !== 'pointerup' || moved >= SLOP) return;
    const violation = markOf(event, 'data-violation');
    const row = markOf(event, 'data-row');
    if (violation !== undefined) onViolation(violation);
    else if (row !== undefined) picture.select(row);
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('pointerleave', () => (tip.hidden = true));
  element.addEventListener(
    'wheel',
    (event) => {
      if (event.deltaX === 0 && event.deltaY === 0) return;
      event.preventDefault();
      tip.hidden = true;
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 24 : 1;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        picture.panPixels((event.deltaX || event.deltaY) * pixels);
      else picture.zoom(1.0016 ** (-event.deltaY * pixels), xOf(event));
    },
    { passive: false },
  );
  element.addEventListener('dblclick', (event) => picture.zoom(2.5, xOf(event)));
  element.addEventListener('focusin', (event) => {
    const row = markOf(event, 'data-row');
    if (row !== undefined && !picture.refocusing && row !== picture.selected) picture.select(row);
  });
  return tip;
}

function markOf(event: Event, attribute: string): number | undefined {
  const found = event.target instanceof Element ? event.target.closest(`[${attribute}]`) : null;
  const number = Number(found?.getAttribute(attribute) ?? Number.NaN);
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

function showTip(picture: Picture, tip: HTMLElement, event: PointerEvent): void {
  const { recording, zero, violation } = picture;
  const row = markOf(event, 'data-row');
  const gap = markOf(event, 'data-gap');
  const cpu = markOf(event, 'data-window');
  const other = markOf(event, 'data-violation');
  const said = recording.page.violations[other ?? -1];
  if (said) tip.replaceChildren(h('p', {}, h('strong', {}, said.invariant), ` ${said.sentence}`));
  else if (row !== undefined) {
    tip.replaceChildren(eventDetails(recording, row, zero, violation?.severity ?? 'first event'));
    const count = Number((event.target as Element).getAttribute('data-count') ?? 1);
    if (count > 1)
      tip.append(h('p', { class: 'more' }, `and ${count - 1} more here: zoom in to see them apart`));
  } else if (gap !== undefined) tip.replaceChildren(gapDetails(recording, gap, zero));
  else if (cpu !== undefined) tip.replaceChildren(windowDetails(recording, cpu, zero));
  else {
    tip.hidden = true;
    return;
  }
  tip.hidden = false;
  placeTip(tip, event.clientX, event.clientY);
}

/** Beside the pointer, inside the window. */
function placeTip(tip: HTMLElement, x: number, y: number): void {
  const { width, height } = tip.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const left = x + 16 + width > clientWidth ? Math.max(8, x - width - 16) : x + 16;
  const top = y + 18 + height > clientHeight ? Math.max(8, y - height - 14) : y + 18;
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

export interface KeyActions {
  search(): void;
  help(): void;
  theme(): void;
  /** To the next violation (1) or the one before (-1). */
  violation(by: number): void;
  escape(): void;
}

/** Every key works anywhere on the page but in a field; arrows only on the picture, since they scroll the page, too. */
export function attachKeys(picture: Picture, actions: KeyActions): void {
  const anywhere: Readonly<Record<string, () => void>> = {
    '+': () => picture.zoom(1.5),
    '=': () => picture.zoom(1.5),
    '-': () => picture.zoom(1 / 1.5),
    '0': () => picture.reset(),
    a: () => picture.lookAtAll(),
    v: () => picture.jumpToViolation(),
    n: () => step(picture, 1),
    p: () => step(picture, -1),
    s: () => picture.setScale(picture.scaleName === 'story' ? 'time' : 'story'),
    l: () => picture.showAllLanes(!picture.allLanes),
    t: actions.theme,
    '/': actions.search,
    '?': actions.help,
    ']': () => actions.violation(1),
    '[': () => actions.violation(-1),
    Escape: actions.escape,
  };
  const onPicture: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => picture.pan(-0.15),
    ArrowRight: () => picture.pan(0.15),
    ArrowUp: () => picture.zoom(1.5),
    ArrowDown: () => picture.zoom(1 / 1.5),
  };
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
    if (target.closest('input, select, textarea, dialog')) return;
    const inPicture = picture.element.contains(target);
    if (inPicture && (key === 'Enter' || key === ' ') && target !== picture.element) {
      event.preventDefault();
      return;
    }
    const act = anywhere[key] ?? (inPicture ? onPicture[key] : undefined);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** To the next event: among those searched for, or else among all that are embedded. */
export function step(picture: Picture, by: 1 | -1): void {
  const { recording, hits, selected } = picture;
  const start = selected >= 0 ? selected : (picture.violation?.at.row ?? (by > 0 ? -1 : recording.count));
  for (let row = start + by; row >= 0 && row < recording.count; row += by) {
    if (hits && !hits.has(row)) continue;
    picture.select(row);
    picture.reveal(row);
    return;
  }
}
