// Puts the columns of a row group back into slots: byte for byte as they were recorded, or in another version's layouts.

import { NO_OBJECT } from '../model/objects.ts';
import { type Batch, CONTINUATION, FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { ChunkValues } from './chunk.ts';
import { COMMON, type FieldPlan, MAX_SLOTS } from './columns.ts';
import { malformed } from './decode.ts';
import { BATCH_SLOTS, putContinuations } from './slots.ts';
import { parseText } from './text.ts';
import type { KindTranslation } from './translate.ts';

/** Values by the number of their column; only of those that were decoded. */
export type GroupValues = readonly (ChunkValues | undefined)[];

/** The columns of what every record's head says. */
export const HEAD_COLUMNS: readonly number[] = [
  COMMON.seq,
  COMMON.ts,
  COMMON.cpu,
  COMMON.tid,
  COMMON.pid,
  COMMON.kind,
  COMMON.flags,
];

/** Records that are put into slots at a time, column by column: their slots stay in a processor's second cache. */
const BLOCK_RECORDS = 2048;
/** Slots of a batch whose memory is used again: it stays there as well while it is checked. */
const REUSED_SLOTS = 4096;
/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const LANES = SLOT_LANES;
const FLAG_SLOTS = FLAG.slots;
const NEXT_SLOT = CONTINUATION;
const {
  seqLow: SEQ_LOW,
  seqHigh: SEQ_HIGH,
  tsLow: TS_LOW,
  tsHigh: TS_HIGH,
  tid: TID,
  tgid: TGID,
  kindFlags: KIND_FLAGS,
  cpu: CPU,
} = HEAD;
const NOWHERE = -1;

/** One kind of record and where it goes. */
export interface Target extends KindTranslation {
  /** Not asked for: its records are only counted. */
  readonly left: boolean;
}

/** How the values of one column get into the records of the kinds that have it. */
interface Pass {
  readonly column: number;
  /** By target: the lane in its record, or NOWHERE. */
  readonly lane: Int32Array;
  readonly fields: readonly ({ readonly from: FieldPlan; readonly to: FieldPlan } | undefined)[];
  /** `one`, `two`: whole lanes; `text`: bytes; `part`: anything else. */
  readonly form: 'one' | 'two' | 'part' | 'text';
  readonly targets: readonly number[];
}

/** The group that is being put into slots. */
interface Group {
  readonly values: GroupValues;
  /** By row. */
  readonly targetOf: Uint16Array;
  /** By row, where its record begins in the batch; only for rows that are wanted. */
  readonly laneOf: Int32Array;
  /** The wanted rows. */
  readonly kept: Uint32Array;
  readonly passes: readonly Pass[];
  /** By pass: how many values of its column lie behind. */
  readonly next: Int32Array;
  readonly parsed: readonly (Uint8Array | undefined)[][];
}

export interface Scatter {
  /** The columns that hold fields of these kinds. */
  columnsFor(kinds: readonly string[]): readonly number[];
  /** The group's records. */
  batches(values: GroupValues, rows: number): Generator<Batch, void, undefined>;
}

export interface ScatterOptions {
  /** Lanes of a batch are used again for the next. */
  readonly reuse: boolean;
  /** Records of kinds without a layout are counted, not refused. */
  readonly tolerant: boolean;
  /** Of the largest group. */
  readonly rows: number;
}

/** `unknown` counts records by kind that this version doesn't know. */
export function createScatter(
  targets: readonly Target[],
  unknown: Map<string, number>,
  { reuse, tolerant, rows: most }: ScatterOptions,
): Scatter {
  const numbers = new Map(targets.map(({ from }, number) => [from.kind, number]));
  /** Behind all kinds: those without a layout. */
  const nameless = targets.length;
  const passes = planPasses(targets);
  /** By target: slots of its record in the batch; 0 for those that are left out. */
  const slotsOf = new Int32Array(targets.length + 1);
  for (const [number, { to, left }] of targets.entries())
    if (to !== null && !left) slotsOf[number] = to.slots;
  const heads: Heads = {
    slotsOf,
    fromSlots: Int32Array.from(targets, ({ from }) => from.slots),
    numberOf: Int32Array.from(targets, ({ from, to }) => (to ?? from).number),
    kinds: targets.map(({ from }) => from.kind),
  };
  const memory = {
    targetOf: new Uint16Array(most),
    laneOf: new Int32Array(most),
    kept: new Uint32Array(most),
    counts: new Int32Array(targets.length + 1),
    lanes: new Uint32Array(reuse ? Math.min(REUSED_SLOTS, most * MAX_SLOTS) * LANES : 0),
  };
  const batchSlots = reuse ? REUSED_SLOTS : BATCH_SLOTS;

  function numberOf(kind: string): number {
    const number = numbers.get(kind);
    if (number !== undefined) return number;
    if (!tolerant) throw malformed(`the kind ${JSON.stringify(kind.slice(0, 64))} has no layout`);
    return nameless;
  }

  /** Sorts the rows by target; returns how many are wanted. */
  function sortRows(kinds: ChunkValues, ofText: Uint16Array, rows: number): number {
    const { targetOf, kept, counts } = memory;
    const { low } = kinds;
    counts.fill(0);
    let wanted = 0;
    for (let row = 0; row < rows; row++) {
      const target = ofText[low[row] as number] as number;
      targetOf[row] = target;
      counts[target] = (counts[target] as number) + 1;
      kept[wanted] = row;
      if ((slotsOf[target] as number) > 0) wanted++;
    }
    return wanted;
  }

  /** Counts what is not part of the batches; returns the slots of what nobody asked for. */
  function countOthers(kinds: ChunkValues, ofText: Uint16Array, rows: number): number {
    const { counts } = memory;
    let skipped = 0;
    for (const [number, { from, to, left }] of targets.entries()) {
      const count = counts[number] as number;
      if (count === 0) continue;
      if (to === null) unknown.set(from.kind, (unknown.get(from.kind) ?? 0) + count);
      else if (left) skipped += count * to.slots;
    }
    if ((counts[nameless] as number) > 0) countNameless(kinds, ofText, nameless, rows, unknown);
    return skipped;
  }

  return {
    columnsFor(kinds) {
      const here = new Set(kinds.map((kind) => numbers.get(kind)));
      const own = passes.filter((pass) => pass.targets.some((target) => here.has(target)));
      return [...new Set(own.map(({ column }) => column))];
    },
    *batches(values, rows) {
      const kinds = values[COMMON.kind] as ChunkValues;
      const ofText = Uint16Array.from(kinds.strings, numberOf);
      const wanted = sortRows(kinds, ofText, rows);
      const { targetOf, laneOf, kept } = memory;
      const here = new Set(ofText);
      const own = passes.filter((pass) => pass.targets.some((target) => here.has(target)));
      const next = new Int32Array(own.length);
      const group: Group = { values, targetOf, laneOf, kept, passes: own, next, parsed: own.map(() => []) };
      for (let first = 0; first < wanted; ) {
        let [slots, end] = [0, first];
        for (; end < wanted; end++) {
          const row = kept[end] as number;
          const more = slotsOf[targetOf[row] as number] as number;
          if (slots + more > batchSlots) break;
          laneOf[row] = slots * LANES;
          slots += more;
        }
        const lanes = reuse ? memory.lanes.fill(0, 0, slots * LANES) : new Uint32Array(slots * LANES);
        for (; first < end; first = Math.min(first + BLOCK_RECORDS, end))
          putBlock(group, heads, targets, lanes, first, Math.min(first + BLOCK_RECORDS, end));
        yield { lanes, slots };
      }
      const skipped = countOthers(kinds, ofText, rows);
      if (skipped > 0) yield { lanes: new Uint32Array(), slots: 0, skipped };
    },
  };
}

/** Puts the wanted rows [first, end) where they belong. */
function putBlock(
  group: Group,
  heads: Heads,
  targets: readonly Target[],
  lanes: Uint32Array,
  first: number,
  end: number,
): void {
  putHeads(group, heads, lanes, first, end);
  const { kept, targetOf } = group;
  const counts = new Int32Array(targets.length + 1);
  for (let i = first; i < end; i++) {
    const target = targetOf[kept[i] as number] as number;
    counts[target] = (counts[target] as number) + 1;
  }
  const behind = (kept[end - 1] as number) + 1;
  for (const [number, pass] of group.passes.entries()) {
    const put = runPass(group, number, pass, lanes, kept[first] as number, behind);
    const wanted = pass.targets.reduce((sum, target) => sum + (counts[target] as number), 0);
    if (put !== wanted) fillAbsent(group, pass, targets, lanes, first, end);
  }
}

function countNameless(
  kinds: ChunkValues,
  ofText: Uint16Array,
  nameless: number,
  rows: number,
  unknown: Map<string, number>,
): void {
  for (let row = 0; row < rows; row++) {
    const text = kinds.low[row] as number;
    if (ofText[text] !== nameless) continue;
    const kind = (kinds.strings[text] as string).slice(0, 64);
    unknown.set(kind, (unknown.get(kind) ?? 0) + 1);
  }
}

/** A pass takes one field of each kind at most. */
function planPasses(targets: readonly Target[]): Pass[] {
  const passes: {
    column: number;
    lane: Int32Array;
    fields: ({ from: FieldPlan; to: FieldPlan } | undefined)[];
    targets: number[];
  }[] = [];
  for (const [number, { fields, to, left }] of targets.entries()) {
    if (to === null || left) continue;
    for (const field of fields) {
      const { column } = field.from;
      let pass = passes.find((other) => other.column === column && other.fields[number] === undefined);
      if (pass === undefined) {
        pass = { column, lane: new Int32Array(targets.length + 1).fill(NOWHERE), fields: [], targets: [] };
        passes.push(pass);
      }
      pass.lane[number] = field.to.lane;
      pass.fields[number] = field;
      pass.targets.push(number);
    }
  }
  return passes.map((pass) => ({ ...pass, form: formOf(pass.targets.map((number) => pass.fields[number])) }));
}

function formOf(fields: Pass['fields']): Pass['form'] {
  const all = fields.flatMap((field) => field ?? []);
  if (all.some(({ from }) => from.storage === 'text')) return 'text';
  if (all.every(({ from, to }) => from.size === 4 && to.size === 4)) return 'one';
  return all.every(({ from, to }) => from.size === 8 && to.size === 8) ? 'two' : 'part';
}

/** What the heads of records are made of, by target. */
interface Heads {
  readonly slotsOf: Int32Array;
  readonly fromSlots: Int32Array;
  readonly numberOf: Int32Array;
  readonly kinds: readonly string[];
}

function putHeads(group: Group, heads: Heads, lanes: Uint32Array, first: number, end: number): void {
  const { values, kept, targetOf, laneOf } = group;
  const { slotsOf, fromSlots, numberOf } = heads;
  const column = (place: number): ChunkValues => values[place] as ChunkValues;
  const { low: seqLow, high } = column(COMMON.seq);
  const seqHigh = high as Uint32Array;
  const { low: tsLow, high: upper } = column(COMMON.ts);
  const tsHigh = upper as Uint32Array;
  const { low: tid } = column(COMMON.tid);
  const { low: pid } = column(COMMON.pid);
  const { low: cpu } = column(COMMON.cpu);
  const { low: flags } = column(COMMON.flags);
  for (let i = first; i < end; i++) {
    const row = kept[i] as number;
    const target = targetOf[row] as number;
    const slots = slotsOf[target] as number;
    const flag = flags[row] as number;
    const sequence = seqHigh[row] as number;
    if (flag > 0xffff || (flag & FLAG_SLOTS) !== (fromSlots[target] as number) - 1 || sequence >= NEXT_SLOT) {
      throw malformed(`row ${row} of a row group, ${heads.kinds[target]}, has the flags ${flag}`);
    }
    const lane = laneOf[row] as number;
    lanes[lane + SEQ_LOW] = seqLow[row] as number;
    lanes[lane + SEQ_HIGH] = sequence;
    lanes[lane + TS_LOW] = tsLow[row] as number;
    lanes[lane + TS_HIGH] = tsHigh[row] as number;
    lanes[lane + TID] = tid[row] as number;
    lanes[lane + TGID] = pid[row] as number;
    lanes[lane + KIND_FLAGS] = (numberOf[target] as number) | (((flag & ~FLAG_SLOTS) | (slots - 1)) << 16);
    lanes[lane + CPU] = cpu[row] as number;
    if (slots > 1) putContinuations(lanes, lane, slots);
  }
}

/** Runs a pass over rows [first, end), those before it being done; returns how many values it put somewhere. */
function runPass(
  group: Group,
  number: number,
  pass: Pass,
  lanes: Uint32Array,
  first: number,
  end: number,
): number {
  const { targetOf, laneOf, next } = group;
  const { rows, count, low, high, strings } = group.values[pass.column] as ChunkValues;
  const { lane, form } = pass;
  let value = next[number] as number;
  while (value < count && (rows === null ? value : (rows[value] as number)) < first) value++;
  let put = 0;
  if (form === 'one') {
    for (; value < count; value++) {
      const row = rows === null ? value : (rows[value] as number);
      if (row >= end) break;
      const to = lane[targetOf[row] as number] as number;
      if (to < 0) continue;
      lanes[(laneOf[row] as number) + to] = low[value] as number;
      put++;
    }
  } else if (form === 'two') {
    const upper = high as Uint32Array;
    for (; value < count; value++) {
      const row = rows === null ? value : (rows[value] as number);
      if (row >= end) break;
      const to = lane[targetOf[row] as number] as number;
      if (to < 0) continue;
      const at = (laneOf[row] as number) + to;
      lanes[at] = low[value] as number;
      lanes[at + 1] = upper[value] as number;
      put++;
    }
  } else {
    const parsed = group.parsed[number] as (Uint8Array | undefined)[];
    for (; value < count; value++) {
      const row = rows === null ? value : (rows[value] as number);
      if (row >= end) break;
      const field = pass.fields[targetOf[row] as number];
      if (field === undefined) continue;
      const { from, to } = field;
      const at = laneOf[row] as number;
      if (form === 'text') putText(from, to, low[value] as number, strings, parsed, lanes, at);
      else putPart(from, to, low[value] as number, high?.[value] ?? 0, lanes, at);
      put++;
    }
  }
  next[number] = value;
  return put;
}

/** A number of any width into a field of any other. */
function putPart(
  own: FieldPlan,
  wanted: FieldPlan,
  low: number,
  high: number,
  lanes: Uint32Array,
  lane: number,
): void {
  const at = lane + wanted.lane;
  const word = low & own.mask;
  lanes[at] = (lanes[at] as number) | ((word & wanted.mask) << wanted.shift);
  if (wanted.size !== 8) return;
  if (own.size === 8) lanes[at + 1] = high;
  else lanes[at + 1] = own.storage === 's32' && word < 0 ? 0xffff_ffff : 0;
}

/** Parses each text of the column once. */
function putText(
  own: FieldPlan,
  wanted: FieldPlan,
  text: number,
  strings: readonly string[],
  parsed: (Uint8Array | undefined)[],
  lanes: Uint32Array,
  lane: number,
): void {
  const bytes = (parsed[text] ??= parseText(own.form, strings[text] as string, own.size));
  for (let i = 0; i < bytes.length; i++) {
    const byte = wanted.bytes[i] as number;
    const at = lane + (byte >> 2);
    lanes[at] = (lanes[at] as number) | ((bytes[i] as number) << ((byte & 3) * 8));
  }
}

/** Rows without a value that their kind should have: no object, or damage. */
function fillAbsent(
  { targetOf, laneOf, kept, values }: Group,
  pass: Pass,
  targets: readonly Target[],
  lanes: Uint32Array,
  first: number,
  end: number,
): void {
  const { rows, count } = values[pass.column] as ChunkValues;
  if (rows === null) return;
  let value = 0;
  for (let i = first; i < end; i++) {
    const row = kept[i] as number;
    const target = targetOf[row] as number;
    const field = pass.fields[target];
    if (field === undefined) continue;
    if (value === 0) value = firstAtLeast(rows, count, row);
    while (value < count && (rows[value] as number) < row) value++;
    if (value < count && rows[value] === row) continue;
    if (!field.from.isObject) {
      const kind = targets[target]?.from.kind;
      throw malformed(`row ${row} of a row group, ${kind}, lacks ${field.from.field.name}`);
    }
    const { lane, mask, shift } = field.to;
    const at = (laneOf[row] as number) + lane;
    lanes[at] = (lanes[at] as number) | ((NO_OBJECT & mask) << shift);
  }
}

/** Place of the first of the rising numbers that is at least `least`. */
function firstAtLeast(numbers: Uint16Array, count: number, least: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
