// How AF_XDP objects are named in sentences and by `--object`.

import type { ObjectTable } from '../../model/objects.ts';

/** `outer q1 (netns 8193)`: the device, queue and namespace of a queue or bound socket. */
export function describeQueue(objects: ObjectTable, index: number): string {
  const entry = objects.get(index);
  if (!entry) return `object ${index}`;
  if (entry.ifindex === 0) return `${entry.type} ${index}`;
  return `${entry.name || `ifindex ${entry.ifindex}`} q${entry.queue} (netns ${entry.netns})`;
}

/** `frame 0x16ce000 of umem 3`. */
export function nameFrame(umem: number, address: number | bigint): string {
  return `frame ${hex(address)} of umem ${umem}`;
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** `1 entry`, `74 entries`. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Milliseconds with one decimal. */
export function milliseconds(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`;
}
