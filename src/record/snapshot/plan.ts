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
  /** Events tell what becomes of it; without them it is only known when it is seen. */
  readonly followed: boolean;
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
  /** It changes what names the object, too. */
  readonly renames: boolean;
  /** Of an object that it makes: bytes that it doesn't tell. */
  readonly initial: readonly (readonly [at: number, byte: number])[];
  /** Bytes of its result: an event that tells of a refusal changes nothing. */
  readonly result: readonly number[];
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
  for (const { kind, key, madeBy, changedBy, endedBy, initially } of kinds) {
    const layout = byKind.get(kind);
    if (!layout) continue;
    const object: ObjectPlan = { layout, key: keyOf(layout, key), followed: key.length > 0 };
    objects.push(object);
    const add = (name: string, how: EventPlan['how'], renamed: Readonly<Record<string, string>>) => {
      const event = byKind.get(name);
      if (!event) return;
      const names = [...layout.fields.map((field) => field.name), ...Object.keys(renamed)];
      const plan: EventPlan = {
        object,
        how,
        key: copyOf(event, layout, key, how === HOW.made ? renamed : {}),
        values: copyOf(event, layout, [...new Set(names)], renamed),
        renames: how === HOW.changed && key.some((field) => field in renamed),
        initial: Object.entries(initially ?? {})
          .filter(([field]) => !bytesOf(event, renamed[field] ?? field))
          .flatMap(([field, value]) =>
            (bytesOf(layout, field) ?? []).map((at, i): [number, number] => [at, (value >>> (8 * i)) & 0xff]),
          ),
        result: event.fields.some((field) => field.name === 'result' && field.type === 'errno')
          ? (bytesOf(event, 'result') ?? [])
          : [],
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

/** Of a kind that no event follows its whole content is its name. */
function keyOf(layout: RecordLayout, key: readonly string[]): number[] {
  const names = key.length > 0 ? key : ['tid', ...layout.fields.map(({ name }) => name)];
  return names.flatMap((name) => bytesOf(layout, name) ?? []);
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

/** Whether the event that begins at byte `at` says that nothing came of it: its result is a negative errno. */
export function isRefused({ result }: EventPlan, bytes: Uint8Array, at: number): boolean {
  const highest = result.at(-1);
  return highest !== undefined && (bytes[at + highest] as number) >= 0x80;
}
