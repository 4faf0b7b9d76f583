// Puts the columns of a row group back into slots, byte for byte as they were recorded.

import { NO_OBJECT } from '../model/objects.ts';
import { type Batch, CONTINUATION, FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { RowValues } from './chunk.ts';
import { COMMON, type FieldPlan, type KindPlan } from './columns.ts';
import { malformed } from './decode.ts';
import { BATCH_SLOTS, putContinuations } from './slots.ts';
import { parseText } from './text.ts';

/** Values by column; only those that `neededColumns` names. */
export type GroupValues = ReadonlyMap<number, RowValues>;

/** The columns whose values lie in slots; the others are joined for people and not read back. */
export function neededColumns(kinds: readonly KindPlan[]): Set<number> {
  const { seq, ts, cpu, tid, pid, kind, flags } = COMMON;
  return new Set([seq, ts, cpu, tid, pid, kind, flags, ...kinds.flatMap(({ fields }) => fields.map((f) => f.column))]);
}

export function* scatter(values: GroupValues, rows: number, kinds: ReadonlyMap<string, KindPlan>): Generator<Batch> {
  const at = (place: number): RowValues => values.get(place) as RowValues;
  const kindOf = at(COMMON.kind);
  const plans = kindOf.strings.map((kind) => {
    const plan = kinds.get(kind);
    if (plan === undefined) throw malformed(`the kind ${JSON.stringify(kind.slice(0, 64))} has no layout`);
    return plan;
  });
  const writers = new Map([...values].map(([place, column]) => [place, createTextWriter(column)]));
  let row = 0;
  while (row < rows) {
    let slots = 0;
    let end = row;
    for (; end < rows; end++) {
      const more = (plans[kindOf.low[end] as number] as KindPlan).layout.slots;
      if (slots + more > BATCH_SLOTS) break;
      slots += more;
    }
    const lanes = new Uint32Array(slots * SLOT_LANES);
    let lane = 0;
    for (; row < end; row++) {
      const plan = plans[kindOf.low[row] as number] as KindPlan;
      putHead(lanes, lane, row, plan, at);
      for (const field of plan.fields) putField(lanes, lane, row, field, values, writers, plan);
      lane += plan.layout.slots * SLOT_LANES;
    }
    yield { lanes, slots };
  }
}

function putHead(lanes: Uint32Array, lane: number, row: number, plan: KindPlan, at: (place: number) => RowValues): void {
  const low = (place: number): number => at(place).low[row] as number;
  const high = (place: number): number => (at(place).high as Uint32Array)[row] as number;
  const { layout } = plan;
  const flags = low(COMMON.flags);
  if (flags > 0xffff || (flags & FLAG.slots) !== layout.slots - 1 || high(COMMON.seq) >= CONTINUATION) {
    throw malformed(`row ${row} of a row group, ${layout.kind}, has the flags ${flags}`);
  }
  lanes[lane + HEAD.seqLow] = low(COMMON.seq);
  lanes[lane + HEAD.seqHigh] = high(COMMON.seq);
  lanes[lane + HEAD.tsLow] = low(COMMON.ts);
  lanes[lane + HEAD.tsHigh] = high(COMMON.ts);
  lanes[lane + HEAD.tid] = low(COMMON.tid);
  lanes[lane + HEAD.tgid] = low(COMMON.pid);
  lanes[lane + HEAD.kindFlags] = layout.number | (flags << 16);
  lanes[lane + HEAD.cpu] = low(COMMON.cpu);
  putContinuations(lanes, lane, layout.slots);
}

function putField(
  lanes: Uint32Array,
  lane: number,
  row: number,
  field: FieldPlan,
  values: GroupValues,
  writers: ReadonlyMap<number, TextWriter>,
  plan: KindPlan,
): void {
  const column = values.get(field.column) as RowValues;
  if (column.present !== null && column.present[row] !== 1) {
    if (field.isObject) {
      lanes[lane + field.lane] = NO_OBJECT;
      return;
    }
    throw malformed(`row ${row} of a row group, ${plan.layout.kind}, lacks a field`);
  }
  if (field.storage === 'text') {
    (writers.get(field.column) as TextWriter)(lanes, lane, column.low[row] as number, field);
    return;
  }
  const at = lane + field.lane;
  lanes[at] = (lanes[at] as number) | (((column.low[row] as number) & field.mask) << field.shift);
  if (field.size === 8) lanes[at + 1] = (column.high as Uint32Array)[row] as number;
}

type TextWriter = (lanes: Uint32Array, lane: number, text: number, field: FieldPlan) => void;

/** Parses each text of the column once. */
function createTextWriter({ strings }: RowValues): TextWriter {
  const parsed: (Uint8Array | undefined)[] = [];
  return (lanes, lane, text, field) => {
    const bytes = (parsed[text] ??= parseText(field.form, strings[text] as string, field.size));
    for (let i = 0; i < bytes.length; i++) {
      const byte = field.bytes[i] as number;
      const at = lane + (byte >> 2);
      lanes[at] = (lanes[at] as number) | ((bytes[i] as number) << ((byte & 3) * 8));
    }
  };
}
