// Puts the columns of a row group back into slots: byte for byte as they were recorded, or in another version's layouts.

import { NO_OBJECT } from '../model/objects.ts';
import { type Batch, CONTINUATION, FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { ChunkValues } from './chunk.ts';
import { COMMON, type FieldPlan } from './columns.ts';
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

/** Rows that are put into slots at a time, column by column: their slots stay in a processor's second cache. */
const BLOCK_ROWS = 2048;
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

/** The group that is being put into slots: its values, and how far each pass has come. */
interface Group {
  readonly values: GroupValues;
  readonly rows: number;
  readonly targetOf: Uint16Array;
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
}

/** `unknown` counts records by kind that this version doesn't know. */
export function createScatter(
  targets: readonly Target[],
  unknown: Map<string, number>,
  { reuse, tolerant }: ScatterOptions,
): Scatter {
  const numbers = new Map(targets.map(({ from }, number) => [from.kind, number]));
  /** Behind all kinds: those without a layout. */
  const nameless = targets.length;
  const passes = planPasses(targets);
  /** By target: slots of its record in the batch, and slots counted as left out. */
  const slotsOf = new Int32Array(targets.length + 1);
  const leftOf = new Int32Array(targets.length + 1);
  for (const [number, { to, left }] of targets.entries()) {
    if (to !== null) (left ? leftOf : slotsOf)[number] = to.slots;
  }
  const heads = targets.map(({ from, to }) => ({ from, to: to ?? from }));
  const seen = new Int32Array(targets.length + 1);
  const laneOf = new Int32Array(BLOCK_ROWS);
  const reused = reuse ? new Uint32Array(REUSED_SLOTS * LANES) : null;
  const most = reuse ? REUSED_SLOTS : BATCH_SLOTS;

  /** Puts rows [first, end) into the lanes from `at` on; returns the lane behind them. */
  function putBlock(group: Group, first: number, end: number, lanes: Uint32Array, at: number): number {
    const { targetOf, values } = group;
    let lane = at;
    seen.fill(0);
    for (let row = first; row < end; row++) {
      const target = targetOf[row] as number;
      seen[target] = (seen[target] as number) + 1;
      laneOf[row - first] = lane;
      lane += (slotsOf[target] as number) * LANES;
    }
    putHeads(values, targetOf, slotsOf, heads, laneOf, lanes, first, end);
    for (const [number, pass] of group.passes.entries()) {
      const wanted = pass.targets.reduce((sum, target) => sum + (seen[target] as number), 0);
      const put = runPass(group, number, pass, laneOf, lanes, first, end);
      if (put !== wanted) fillAbsent(group, pass, targets, laneOf, lanes, first, end);
    }
    for (const [number, { from, to }] of targets.entries()) {
      if (to === null && (seen[number] as number) > 0)
        unknown.set(from.kind, (unknown.get(from.kind) ?? 0) + (seen[number] as number));
    }
    return lane;
  }

  function numberOf(kind: string): number {
    const number = numbers.get(kind);
    if (number !== undefined) return number;
    if (!tolerant) throw malformed(`the kind ${JSON.stringify(kind.slice(0, 64))} has no layout`);
    return nameless;
  }

  return {
    columnsFor(kinds) {
      const here = new Set(kinds.map((kind) => numbers.get(kind)));
      return [
        ...new Set(
          passes.flatMap(({ column, targets: own }) => (own.some((t) => here.has(t)) ? [column] : [])),
        ),
      ];
    },
    *batches(values, rows) {
      const kinds = values[COMMON.kind] as ChunkValues;
      const ofText = Uint16Array.from(kinds.strings, numberOf);
      const targetOf = new Uint16Array(rows);
      for (let row = 0; row < rows; row++) targetOf[row] = ofText[kinds.low[row] as number] as number;
      const here = new Set(ofText);
      const own = passes.filter((pass) => pass.targets.some((target) => here.has(target)));
      const group: Group = {
        values,
        rows,
        targetOf,
        passes: own,
        next: new Int32Array(own.length),
        parsed: own.map(() => []),
      };
      countNameless(kinds, ofText, nameless, rows, unknown);
      for (let row = 0; row < rows; ) {
        let [slots, skipped, end] = [0, 0, row];
        for (; end < rows; end++) {
          const target = targetOf[end] as number;
          if (slots + (slotsOf[target] as number) > most) break;
          slots += slotsOf[target] as number;
          skipped += leftOf[target] as number;
        }
        const lanes = reused === null ? new Uint32Array(slots * LANES) : reused.fill(0, 0, slots * LANES);
        for (let at = 0; row < end; ) {
          const next = Math.min(row + BLOCK_ROWS, end);
          at = putBlock(group, row, next, lanes, at);
          row = next;
        }
        if (slots > 0 || skipped > 0) yield skipped > 0 ? { lanes, slots, skipped } : { lanes, slots };
      }
    },
  };
}

function countNameless(
  kinds: ChunkValues,
  ofText: Uint16Array,
  nameless: number,
  rows: number,
  unknown: Map<string, number>,
): void {
  if (!ofText.includes(nameless)) return;
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

function putHeads(
  values: GroupValues,
  targetOf: Uint16Array,
  slotsOf: Int32Array,
  heads: readonly { from: Target['from']; to: Target['from'] }[],
  laneOf: Int32Array,
  lanes: Uint32Array,
  first: number,
  end: number,
): void {
  const column = (place: number): ChunkValues => values[place] as ChunkValues;
  const { low: seqLow, high } = column(COMMON.seq);
  const seqHigh = high as Uint32Array;
  const { low: tsLow, high: upper } = column(COMMON.ts);
  const tsHigh = upper as Uint32Array;
  const { low: tid } = column(COMMON.tid);
  const { low: pid } = column(COMMON.pid);
  const { low: cpu } = column(COMMON.cpu);
  const { low: flags } = column(COMMON.flags);
  const fromSlots = Int32Array.from(heads, ({ from }) => from.slots);
  const numberOf = Int32Array.from(heads, ({ to }) => to.number);
  for (let row = first; row < end; row++) {
    const target = targetOf[row] as number;
    const slots = slotsOf[target] as number;
    if (slots === 0) continue;
    const flag = flags[row] as number;
    const sequence = seqHigh[row] as number;
    if (flag > 0xffff || (flag & FLAG_SLOTS) !== (fromSlots[target] as number) - 1 || sequence >= NEXT_SLOT) {
      throw malformed(`row ${row} of a row group, ${heads[target]?.from.kind}, has the flags ${flag}`);
    }
    const lane = laneOf[row - first] as number;
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

/** Runs a pass over rows [first, end); returns how many values it put somewhere. */
function runPass(
  group: Group,
  number: number,
  pass: Pass,
  laneOf: Int32Array,
  lanes: Uint32Array,
  first: number,
  end: number,
): number {
  const { targetOf, next } = group;
  const { present, low, high } = group.values[pass.column] as ChunkValues;
  const { lane } = pass;
  let value = next[number] as number;
  let put = 0;
  if (pass.form === 'one') {
    for (let row = first; row < end; row++) {
      if (present !== null && present[row] === 0) continue;
      const word = low[value++] as number;
      const to = lane[targetOf[row] as number] as number;
      if (to < 0) continue;
      lanes[(laneOf[row - first] as number) + to] = word;
      put++;
    }
  } else if (pass.form === 'two') {
    const upper = high as Uint32Array;
    for (let row = first; row < end; row++) {
      if (present !== null && present[row] === 0) continue;
      const from = value++;
      const to = lane[targetOf[row] as number] as number;
      if (to < 0) continue;
      const at = (laneOf[row - first] as number) + to;
      lanes[at] = low[from] as number;
      lanes[at + 1] = upper[from] as number;
      put++;
    }
  } else {
    const { strings } = group.values[pass.column] as ChunkValues;
    const parsed = group.parsed[number] as (Uint8Array | undefined)[];
    for (let row = first; row < end; row++) {
      if (present !== null && present[row] === 0) continue;
      const from = value++;
      const field = pass.fields[targetOf[row] as number];
      if (field === undefined) continue;
      const at = laneOf[row - first] as number;
      if (pass.form === 'part')
        putPart(field.from, field.to, low[from] as number, high?.[from] ?? 0, lanes, at);
      else putText(field.from, field.to, low[from] as number, strings, parsed, lanes, at);
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
  { targetOf, values }: Group,
  pass: Pass,
  targets: readonly Target[],
  laneOf: Int32Array,
  lanes: Uint32Array,
  first: number,
  end: number,
): void {
  const { present } = values[pass.column] as ChunkValues;
  if (present === null) return;
  for (let row = first; row < end; row++) {
    const target = targetOf[row] as number;
    const field = pass.fields[target];
    if (field === undefined || present[row] === 1) continue;
    if (!field.from.isObject) {
      const kind = targets[target]?.from.kind;
      throw malformed(`row ${row} of a row group, ${kind}, lacks ${field.from.field.name}`);
    }
    const { lane, mask, shift } = field.to;
    const at = (laneOf[row - first] as number) + lane;
    lanes[at] = (lanes[at] as number) | ((NO_OBJECT & mask) << shift);
  }
}
