// The least events, and then the least objects, that still show a violation: guesses first, then delta debugging.

import { EventView } from '../decode/event-view.ts';
import type { ObjectEntry } from '../model/objects.ts';
import { NO_OBJECT } from '../model/objects.ts';
import { type EventStore, RANK } from './event-store.ts';
import { minimise } from './minimise.ts';
import type { Trial } from './trial.ts';

/** The first guess at how much of the latest history it takes; each further one takes four times as much. */
const RECENT_AT_FIRST = 1024;

/** The events, in order; null if even all of them don't show it. `onProgress` is told how many may still be needed. */
export function leastEvents(
  store: EventStore,
  trial: Trial,
  objects: readonly ObjectEntry[],
  onProgress: (left: number) => void,
): readonly number[] | null {
  const start = firstThat(guesses(store), (events) => trial.find(events, objects) !== undefined);
  if (start === null) return null;
  const named = start.filter((event) => store.rankOf(event) === RANK.named);
  const others = start.filter((event) => store.rankOf(event) !== RANK.named);
  const least = minimise(others, (part) => {
    const shows = trial.find(merge(named, part), objects) !== undefined;
    if (shows) onProgress(named.length + part.length);
    return shows;
  });
  return merge(named, least);
}

/** Parts of the history from the smallest to the whole, each a guess at what is enough. */
function* guesses(store: EventStore): Generator<readonly number[], void, undefined> {
  const all = Array.from({ length: store.length }, (_, event) => event);
  yield all.filter((event) => store.rankOf(event) === RANK.named);
  yield all.filter((event) => store.rankOf(event) !== RANK.other);
  for (let recent = RECENT_AT_FIRST; recent < all.length; recent *= 4)
    yield all.filter((event) => event >= all.length - recent || store.rankOf(event) !== RANK.other);
  yield all;
}

function firstThat<T>(candidates: Iterable<T>, test: (candidate: T) => boolean): T | null {
  for (const candidate of candidates) if (test(candidate)) return candidate;
  return null;
}

/** Two ascending lists as one. */
function merge(a: readonly number[], b: readonly number[]): number[] {
  const merged: number[] = [];
  let i = 0;
  for (const event of b) {
    while (i < a.length && (a[i] as number) < event) merged.push(a[i++] as number);
    merged.push(event);
  }
  while (i < a.length) merged.push(a[i++] as number);
  return merged;
}

/** The objects that the events name, with what those are bound to, and any others without which the violation is another. */
export function leastObjects(
  store: EventStore,
  events: readonly number[],
  trial: Trial,
  objects: readonly ObjectEntry[],
): readonly ObjectEntry[] {
  const named = namedObjects(store, events, objects);
  const sentence = trial.find(events, objects)?.sentence;
  const others = minimise(
    objects.filter(({ index }) => !named.has(index)),
    (part) => trial.find(events, withNamed(part))?.sentence === sentence,
  );
  return withNamed(others);

  function withNamed(part: readonly ObjectEntry[]): ObjectEntry[] {
    const kept = new Set(part);
    return objects.filter((entry) => named.has(entry.index) || kept.has(entry));
  }
}

function namedObjects(
  store: EventStore,
  events: readonly number[],
  objects: readonly ObjectEntry[],
): ReadonlySet<number> {
  const byIndex = new Map(objects.map((entry) => [entry.index, entry]));
  const named = new Set<number>();
  const add = (index: number): void => {
    const entry = byIndex.get(index);
    if (!entry || named.has(index)) return;
    named.add(index);
    for (const other of [entry.umem, entry.parent]) if (other !== NO_OBJECT) add(other);
  };
  const view = new EventView();
  for (const event of events) {
    view.move(store.lanes, store.laneOf(event));
    for (const { name, type } of view.layout?.fields ?? []) if (type === 'object') add(view.u32(name));
  }
  return named;
}
