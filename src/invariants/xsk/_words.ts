// How AF_XDP objects are named in sentences.

import type { ObjectTable } from '../../model/objects.ts';

/** `outer q1 (netns 8193)`: the device, queue and namespace of a queue or bound socket. */
export function describeQueue(objects: ObjectTable, index: number): string {
  const entry = objects.get(index);
  if (!entry) return `object ${index}`;
  if (entry.ifindex === 0) return `${entry.type} ${index}`;
  return `${entry.name || `ifindex ${entry.ifindex}`} q${entry.queue} (netns ${entry.netns})`;
}
