// Puts records of a recording's own layouts into the layouts of this version, field by field, by name.

import { isDeepStrictEqual } from 'node:util';
import { LAYOUTS } from '../generated/layouts.ts';
import type { RecordLayout } from '../model/layout.ts';
import { type Batch, FLAG, HEAD, REPEATED_KIND, SLOT_LANES } from '../model/slot.ts';
import { type FieldPlan, type KindPlan, planColumns } from './columns.ts';
import { BATCH_SLOTS, isWholeRecord, putContinuations } from './slots.ts';

/** How records of one kind become records of the wanted layouts. */
export interface KindTranslation {
  readonly from: RecordLayout;
  /** Null for a kind that this version doesn't have. */
  readonly to: RecordLayout | null;
  readonly fields: readonly { readonly from: FieldPlan; readonly to: FieldPlan }[];
}

export interface Translator {
  /** The records in the wanted layouts; slots that hold none of them are left out and counted by kind. */
  translate(batches: Iterable<Batch>, unknown: Map<string, number>): Generator<Batch, void, undefined>;
}

/** Layouts are few, and the recordings that have them many. */
const pairs = new WeakMap<
  readonly KindPlan[],
  { readonly to: readonly RecordLayout[]; readonly kinds: readonly KindTranslation[] }
>();

/** A field that the recording lacks, or has as another type, reads 0. */
export function pairKinds(
  from: readonly KindPlan[],
  to: readonly RecordLayout[],
): readonly KindTranslation[] {
  const known = pairs.get(from);
  if (known?.to === to) return known.kinds;
  const wanted = new Map(planColumns(to).kinds.map((kind) => [kind.layout.kind, kind]));
  const kinds = from.map((kind) => pair(kind, wanted.get(kind.layout.kind)));
  pairs.set(from, { to, kinds });
  return kinds;
}

/** Kinds of this version that a newer one's recording lacks, or has in part: their events aren't, or not wholly, read. */
export function partialKinds(from: readonly KindPlan[], places: Int32Array | null): string[] {
  const whole = new Map(
    pairKinds(from, LAYOUTS).map(({ from: own, fields }) => [
      own.kind,
      fields.filter((field) => places === null || (places[field.from.column] as number) >= 0).length,
    ]),
  );
  return planColumns(LAYOUTS)
    .kinds.filter(({ layout, fields }) => whole.get(layout.kind) !== fields.length)
    .map(({ layout }) => layout.kind);
}

export function createTranslator(from: readonly RecordLayout[], to: readonly RecordLayout[]): Translator {
  /** With `same` the layouts are equal, and so are the bytes. */
  const kinds: ((KindTranslation & { readonly same: boolean }) | undefined)[] = [];
  for (const kind of pairKinds(planColumns(from).kinds, to))
    kinds[kind.from.number] = { ...kind, same: isDeepStrictEqual(kind.from, kind.to) };
  return {
    *translate(batches, unknown) {
      let lanes = new Uint32Array(BATCH_SLOTS * SLOT_LANES);
      let slots = 0;
      for (const batch of batches) {
        for (let slot = 0; slot < batch.slots; ) {
          const at = slot * SLOT_LANES;
          const kindFlags = batch.lanes[at + HEAD.kindFlags] as number;
          const kind = kinds[kindFlags & 0xffff & ~REPEATED_KIND];
          const length = 1 + ((kindFlags >>> 16) & FLAG.slots);
          const whole = kind?.from.slots === length && isWholeRecord(batch.lanes, slot, batch.slots, length);
          slot += whole ? length : 1;
          if (!whole || kind.to === null) {
            const name = whole ? kind.from.kind : 'no record';
            unknown.set(name, (unknown.get(name) ?? 0) + 1);
            continue;
          }
          if (slots + kind.to.slots > BATCH_SLOTS) {
            yield { lanes, slots };
            lanes = new Uint32Array(BATCH_SLOTS * SLOT_LANES);
            slots = 0;
          }
          if (kind.same) {
            lanes.set(batch.lanes.subarray(at, at + length * SLOT_LANES), slots * SLOT_LANES);
          } else {
            copyRecord(batch.lanes, at, lanes, slots * SLOT_LANES, kind, kind.to);
          }
          slots += kind.to.slots;
        }
      }
      if (slots > 0) yield { lanes, slots };
    },
  };
}

function pair(from: KindPlan, to: KindPlan | undefined): KindTranslation {
  if (to === undefined) return { from: from.layout, to: null, fields: [] };
  const fields = to.fields.flatMap((wanted) => {
    const own = from.fields.find(({ field }) => field.name === wanted.field.name);
    return own !== undefined && isCompatible(own, wanted) ? [{ from: own, to: wanted }] : [];
  });
  return { from: from.layout, to: to.layout, fields };
}

/** Numbers of any width stand for each other; texts only for the same type. */
function isCompatible(from: FieldPlan, to: FieldPlan): boolean {
  if (from.storage === 'text' || to.storage === 'text')
    return from.field.type === to.field.type && from.size === to.size;
  return true;
}

function copyRecord(
  source: Uint32Array,
  from: number,
  target: Uint32Array,
  to: number,
  kind: KindTranslation,
  layout: RecordLayout,
): void {
  target.set(source.subarray(from, from + HEAD.kindFlags), to);
  const flags = ((source[from + HEAD.kindFlags] as number) >>> 16) & ~FLAG.slots;
  target[to + HEAD.kindFlags] = layout.number | ((flags | (layout.slots - 1)) << 16);
  target[to + HEAD.cpu] = source[from + HEAD.cpu] as number;
  putContinuations(target, to, layout.slots);
  for (const { from: own, to: wanted } of kind.fields) {
    if (own.storage === 'text') copyBytes(source, from, own, target, to, wanted);
    else copyNumber(source, from + own.lane, own, target, to + wanted.lane, wanted);
  }
}

function copyNumber(
  source: Uint32Array,
  from: number,
  own: FieldPlan,
  target: Uint32Array,
  to: number,
  wanted: FieldPlan,
): void {
  const low = ((source[from] as number) >>> own.shift) & own.mask;
  target[to] = (target[to] as number) | ((low & wanted.mask) << wanted.shift);
  if (wanted.size !== 8) return;
  if (own.size === 8) target[to + 1] = source[from + 1] as number;
  else target[to + 1] = own.storage === 's32' && low < 0 ? 0xffff_ffff : 0;
}

function copyBytes(
  source: Uint32Array,
  from: number,
  own: FieldPlan,
  target: Uint32Array,
  to: number,
  wanted: FieldPlan,
): void {
  for (let i = 0; i < own.size; i++) {
    const [a, b] = [own.bytes[i] as number, wanted.bytes[i] as number];
    const byte = ((source[from + (a >> 2)] as number) >>> ((a & 3) * 8)) & 0xff;
    const at = to + (b >> 2);
    target[at] = (target[at] as number) | (byte << ((b & 3) * 8));
  }
}
