// What an event is about, as a key under which its moves are followed: a frame, a neighbour, an SA, a device, a thread.

import type { EventView } from '../decode/event-view.ts';
import { PROBE_PATHS } from '../generated/probes.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import type { FieldLayout } from '../model/layout.ts';
import { NO_OBJECT, OBJECTS_MAX, type ObjectTable } from '../model/objects.ts';
import { slotByte } from '../model/slot.ts';

/** Paths whose events are about the thread that causes them. */
const OF_THREADS = new Set(['netns', 'task']);

interface KindKey {
  readonly prefix: string;
  /** Bytes of the record. */
  readonly bytes: readonly number[];
}

/** By kind; undefined for kinds that are about nothing that has moves. */
const KINDS: readonly (KindKey | undefined)[] = LAYOUTS.map(({ kind, path, fields }) => {
  if (path === 'xsk' || OF_THREADS.has(path)) return undefined;
  const snapshots = PROBE_PATHS.find((candidate) => candidate.path === path)?.snapshot ?? [];
  const own = snapshots.find(
    ({ madeBy, changedBy, endedBy }) => kind in madeBy || kind in changedBy || endedBy.includes(kind),
  );
  const candidates = [...(own ? [own] : []), ...snapshots].map(({ key }) => key);
  const key = candidates.find(
    (names) => names.length > 0 && names.every((name) => fields.some((field) => field.name === name)),
  );
  if (!key) return undefined;
  const bytes = key.flatMap((name) => bytesOf(fields.find((field) => field.name === name) as FieldLayout));
  return { prefix: `${path}:${key.join(',')}:`, bytes };
});

function bytesOf({ offset, size }: FieldLayout): number[] {
  return Array.from({ length: size }, (_, i) => slotByte(offset + i));
}

/** Null for an event without identity. Frames get a number, which is quicker than a text. */
export function identityOf(event: EventView, objects: ObjectTable): string | number | null {
  const key = KINDS[event.kindNumber];
  if (key) {
    let text = key.prefix;
    for (const byte of key.bytes)
      text += String.fromCharCode(
        ((event.lanes[event.at + (byte >> 2)] as number) >>> ((byte & 3) * 8)) & 0xff,
      );
    return text;
  }
  if (OF_THREADS.has(event.layout?.path ?? '')) return event.tid;
  if (!event.field('addr')) return null;
  const umem = objects.get(objects.get(event.u32('object'))?.umem ?? NO_OBJECT);
  if (!umem || umem.chunkSize < 1) return null;
  // The upper bits of an unaligned chunk's address are an offset.
  const frame = Math.floor((event.u53('addr') % 2 ** 48) / umem.chunkSize);
  return frame * OBJECTS_MAX + umem.index;
}
