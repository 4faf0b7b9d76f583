// A shrunk recording: what it says of itself, and how it is written.

import { basename } from 'node:path';
import type { Invariant } from '../check/invariant.ts';
import { EventView } from '../decode/event-view.ts';
import { isPositioned } from '../decode/once.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import type { ObjectEntry } from '../model/objects.ts';
import type { RecordingMeta, ThreadName } from '../model/recording.ts';
import { type Batch, FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { InvariantCounts, Violation } from '../model/violation.ts';
import type { Recording } from '../recording/open.ts';
import { plural } from '../report/span.ts';

export interface Least {
  readonly invariant: Invariant;
  readonly batch: Batch;
  readonly events: number;
  readonly objects: readonly ObjectEntry[];
  /** All that the invariant finds in it. */
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, InvariantCounts>>;
}

/** A copy in which only those events say that others of their ring are left out, in front of which some are. */
export function markCuts({ lanes, slots }: Batch): Batch {
  const copy = { lanes: lanes.slice(), slots };
  const next = new Map<string, number>();
  for (const event of viewsOf(copy)) {
    if (!isPositioned(event.kindNumber)) continue;
    const ring = `${event.kind} ${event.u32('object')}`;
    const position = event.u32('position');
    const expected = next.get(ring) ?? position;
    next.set(ring, (position + 1) >>> 0);
    if (position !== expected) continue;
    const flags = event.at + HEAD.kindFlags;
    copy.lanes[flags] = ((copy.lanes[flags] as number) & ~(FLAG.cut << 16)) >>> 0;
  }
  return copy;
}

/** One view, moved over the records of a batch. */
export function* viewsOf({ lanes, slots }: Batch): Generator<EventView, void, undefined> {
  const view = new EventView();
  for (let slot = 0; slot < slots; slot += view.slots) yield view.move(lanes, slot * SLOT_LANES);
}

export function describeShrunk({ meta, path, rows }: Recording, least: Least): RecordingMeta {
  const { invariant, batch, events, objects, violations, counts } = least;
  const eventsRemoved = rows - events;
  const objectsRemoved = meta.objects.length - objects.length;
  const from = basename(path);
  const { costs: _costs, outOfWindow: _outOfWindow, snapshot: _snapshot, ...kept } = meta;
  const found = countSnapshot(batch);
  return {
    ...kept,
    layouts: LAYOUTS,
    objects,
    threads: threadsOf(batch, meta.threads),
    // These facts are about what the rings held, which is not what is left.
    freeze: null,
    invariants: [{ name: invariant.name, version: invariant.version ?? 1 }],
    violations,
    counts,
    loss: { overwritten: 0, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
    ...(found > 0 ? { snapshot: { records: found } } : {}),
    shrunk: { from, eventsRemoved, objectsRemoved },
    notes: [
      ...meta.notes,
      `Shrunk from ${from} to what ${invariant.name} needs: ${plural(eventsRemoved, 'event')} and ${plural(objectsRemoved, 'object')} were left out.`,
    ],
  };
}

function countSnapshot(batch: Batch): number {
  let count = 0;
  for (const event of viewsOf(batch)) if (event.flags & FLAG.snapshot) count++;
  return count;
}

/** The names of the threads that the events speak of. */
function threadsOf(batch: Batch, threads: readonly ThreadName[]): ThreadName[] {
  const tids = new Set<number>();
  for (const event of viewsOf(batch)) {
    tids.add(event.tid);
    for (const { name, type } of event.layout?.fields ?? []) if (type === 'tid') tids.add(event.u32(name));
  }
  return threads.filter(({ tid }) => tids.has(tid));
}
