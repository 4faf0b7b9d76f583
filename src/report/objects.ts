// The object table of a recording, and what its entries and devices are called.

import type { EventView } from '../decode/event-view.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import { NO_OBJECT, type ObjectEntry, type ObjectTable } from '../model/objects.ts';

/** The objects of a recording, and the devices that its events have named so far. */
export interface NamedObjects extends ObjectTable {
  /** To be called with each event in turn: a device has the name that it was given last. */
  learn(event: EventView): void;
  /** Only with the namespace is an ifindex a device. */
  deviceName(netns: bigint, ifindex: number): string | undefined;
}

export function createObjectTable(entries: readonly ObjectEntry[]): NamedObjects {
  const byIndex: (ObjectEntry | undefined)[] = [];
  const names = new Map<string, string>();
  for (const entry of entries) {
    byIndex[entry.index] = entry;
    const key = `${entry.netns}:${entry.ifindex}`;
    if (entry.ifindex !== 0 && entry.name !== '' && !names.has(key)) names.set(key, entry.name);
  }
  return {
    get: (index) => byIndex[index],
    length: byIndex.length,
    learn(event) {
      const field = NAMING[event.kindNumber];
      if (field === undefined) return;
      const name = event.text(event.u32('result') < 0 ? 'name' : field);
      if (name !== '') names.set(`${event.u64('netns')}:${event.u32('ifindex')}`, name);
    },
    deviceName: (netns, ifindex) => names.get(`${netns}:${ifindex}`),
  };
}

/** By kind, the field that names the device which the event happens on; in requests it is only what was asked for. */
const NAMING: readonly (string | undefined)[] = LAYOUTS.map(({ path, fields }) => {
  const has = (wanted: string) => fields.some(({ name }) => name === wanted);
  if (!['link', 'vxlan', 'xfrm'].includes(path) || !has('netns') || !has('ifindex')) return undefined;
  return ['new_name', 'name', 'device'].find(has);
});

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

/** The namespace of the device that a field names: `peer_ifindex` is in `peer_netns`, a bridge where its port is. */
export function netnsOf(event: EventView, name: string): bigint {
  const own = name.replace('ifindex', 'netns');
  if (own !== name) return event.u64(event.field(own) ? own : 'netns');
  return event.u64(name === 'bridge' && event.field('peer_netns') ? 'peer_netns' : 'netns');
}
