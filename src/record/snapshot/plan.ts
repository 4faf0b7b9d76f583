// How events speak of the objects of a snapshot: compiled from the declarations of src/probes to bytes that are copied.

import { LAYOUTS } from '../../generated/layouts.ts';
import type { RecordLayout } from '../../model/layout.ts';
import type { SnapshotKind } from '../../model/probe.ts';
import { GAP_KIND, HEAD, HEAD_BYTES, slotByte } from '../../model/slot.ts';

/** One kind of object. */
export interface ObjectPlan {
  readonly layout: RecordLayout;
  /** Bytes of the record's slots that name the object. */
  readonly key: readonly number[];
}

/** Bytes of an event's slots to bytes of the object's; -1 for a byte that the event's field hasn't got. */
interface Copy {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

export const HOW = { made: 0, changed: 1, ended: 2 } as const;

/** What one kind of event does to one kind of object. */
export interface EventPlan {
  readonly object: ObjectPlan;
  readonly how: (typeof HOW)[keyof typeof HOW];
  readonly key: Copy;
  readonly values: Copy;
}

export interface SnapshotPlan {
  readonly objects: readonly ObjectPlan[];
  /** By number of the kind of event: 1 for those that concern an object, and for gaps. */
  readonly wanted: Int32Array;
  /** By number of the kind of event. */
  readonly events: readonly (readonly EventPlan[] | undefined)[];
}

/** The kinds that this build has records for. */
export function planSnapshot(kinds: readonly SnapshotKind[]): SnapshotPlan {
  const byKind = new Map(LAYOUTS.map((layout) => [layout.kind, layout]));
  const objects: ObjectPlan[] = [];
  const wanted = new Int32Array(LAYOUTS.length);
  const events: EventPlan[][] = [];
  wanted[GAP_KIND] = 1;
  for (const { kind, key, madeBy, changedBy, endedBy } of kinds) {
    const layout = byKind.get(kind);
    if (!layout) continue;
    const object: ObjectPlan = { layout, key: key.flatMap((name) => bytesOf(layout, name) ?? []) };
    objects.push(object);
    const add = (name: string, how: EventPlan['how'], renamed: Readonly<Record<string, string>>) => {
      const event = byKind.get(name);
      if (!event) return;
      const names = [...layout.fields.map((field) => field.name), ...Object.keys(renamed)];
      const plan: EventPlan = {
        object,
        how,
        key: copyOf(event, layout, key, renamed),
        values: copyOf(event, layout, [...new Set(names)], renamed),
      };
      if (plan.key.to.length < object.key.length)
        throw new Error(`${name} has not all fields of ${kind}'s key ${key.join(', ')}`);
      wanted[event.number] = 1;
      (events[event.number] ??= []).push(plan);
    };
    for (const [name, renamed] of Object.entries(madeBy)) add(name, HOW.made, renamed);
    for (const [name, renamed] of Object.entries(changedBy)) add(name, HOW.changed, renamed);
    for (const name of endedBy) add(name, HOW.ended, {});
  }
  return { objects, wanted, events };
}

/** The bytes, in slots, of a field; the thread and process of the head are fields, too. */
function bytesOf(layout: RecordLayout, name: string): number[] | undefined {
  const head = { tid: HEAD.tid * 4, tgid: HEAD.tgid * 4, pid: HEAD.tgid * 4 }[name];
  const field = layout.fields.find((candidate) => candidate.name === name && candidate.offset >= HEAD_BYTES);
  if (field) return Array.from({ length: field.size }, (_, i) => slotByte(field.offset + i));
  return head === undefined ? undefined : Array.from({ length: 4 }, (_, i) => head + i);
}

/** The fields that the event has; little-endian numbers of other widths are cut or filled up. */
function copyOf(
  event: RecordLayout,
  object: RecordLayout,
  names: readonly string[],
  renamed: Readonly<Record<string, string>>,
): Copy {
  const from: number[] = [];
  const to: number[] = [];
  for (const name of names) {
    const target = bytesOf(object, name);
    const source = bytesOf(event, renamed[name] ?? name);
    if (!target || !source) continue;
    for (const [i, byte] of target.entries()) {
      to.push(byte);
      from.push(source[i] ?? -1);
    }
  }
  return { from, to };
}

/** Copies from the slots that begin at byte `at`. */
export function copyBytes({ from, to }: Copy, source: Uint8Array, at: number, target: Uint8Array): void {
  for (let i = 0; i < to.length; i++) {
    const byte = from[i] as number;
    target[to[i] as number] = byte < 0 ? 0 : (source[at + byte] as number);
  }
}
