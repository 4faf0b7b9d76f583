// The object table of a recording, and what its entries are called.

import { NO_OBJECT, type ObjectEntry, type ObjectTable } from '../model/objects.ts';

export function createObjectTable(entries: readonly ObjectEntry[]): ObjectTable {
  const byIndex: (ObjectEntry | undefined)[] = [];
  for (const entry of entries) byIndex[entry.index] = entry;
  return { get: (index) => byIndex[index], length: byIndex.length };
}

/** `outer q1 netns 8193`: where a queue or a bound socket is; empty for what has no device. */
export function placeOf(objects: ObjectTable, index: number): string {
  const entry = objects.get(index);
  if (!entry || entry.ifindex === 0) return '';
  return `${entry.name || `ifindex ${entry.ifindex}`} q${entry.queue} netns ${entry.netns}`;
}

/** `queue:2`, as `--object` takes it. */
export function handleOf(objects: ObjectTable, index: number): string {
  if (index === NO_OBJECT) return 'none';
  return `${objects.get(index)?.type ?? 'object'}:${index}`;
}

/** `queue:2 (outer q1 netns 8193)`. */
export function describeObject(objects: ObjectTable, index: number): string {
  const place = placeOf(objects, index);
  return place === '' ? handleOf(objects, index) : `${handleOf(objects, index)} (${place})`;
}

/** The name of a device that queues or sockets here have; only with the namespace is an ifindex a device. */
export function deviceName(objects: ObjectTable, netns: bigint, ifindex: number): string | undefined {
  for (let index = 0; index < objects.length; index++) {
    const entry = objects.get(index);
    if (entry?.ifindex === ifindex && entry.netns === netns && entry.name !== '') return entry.name;
  }
  return undefined;
}
