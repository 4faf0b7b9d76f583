// Puts the columns of a row group back into slots, byte for byte as they were recorded.

import { NO_OBJECT } from '../model/objects.ts';
import { type Batch, CONTINUATION, FLAG, HEAD, SLOT_LANES } from '../model/slot.ts';
import type { RecordLayout } from '../model/layout.ts';
import type { RowValues } from './chunk.ts';
import { COMMON, type FieldPlan, type KindPlan } from './columns.ts';
import { malformed } from './decode.ts';
import { BATCH_SLOTS, putContinuations } from './slots.ts';
import { parseText } from './text.ts';

/** Values by the number of their column; only of those that `neededColumns` names. */
export type GroupValues = readonly (RowValues | undefined)[];

/** The columns whose values lie in slots; the others are joined for people and not read back. */
export function neededColumns(kinds: readonly KindPlan[]): Set<number> {
  const { seq, ts, cpu, tid, pid, kind, flags } = COMMON;
  return new Set([
    seq,
    ts,
    cpu,
    tid,
    pid,
    kind,
    flags,
    ...kinds.flatMap(({ fields }) => fields.map((f) => f.column)),
  ]);
}

interface FieldSource {
  readonly field: FieldPlan;
  readonly values: RowValues;
  readonly writeText: TextWriter;
}

interface KindSource {
  readonly layout: RecordLayout;
  readonly fields: readonly FieldSource[];
}

export function* scatter(
  values: GroupValues,
  rows: number,
  kinds: ReadonlyMap<string, KindPlan>,
): Generator<Batch> {
  const { low: kindOf, strings } = values[COMMON.kind] as RowValues;
  const writers = values.map((column) => createTextWriter(column?.strings ?? []));
  const sources = strings.map((kind): KindSource => {
    const plan = kinds.get(kind);
    if (plan === undefined) throw malformed(`the kind ${JSON.stringify(kind.slice(0, 64))} has no layout`);
    const fields = plan.fields.map((field) => ({
      field,
      values: values[field.column] as RowValues,
      writeText: writers[field.column] as TextWriter,
    }));
    return { layout: plan.layout, fields };
  });
  const head = readHead(values);
  let row = 0;
  while (row < rows) {
    let slots = 0;
    let end = row;
    for (; end < rows; end++) {
      const more = (sources[kindOf[end] as number] as KindSource).layout.slots;
      if (slots + more > BATCH_SLOTS) break;
      slots += more;
    }
    const lanes = new Uint32Array(slots * SLOT_LANES);
    let lane = 0;
    for (; row < end; row++) {
      const { layout, fields } = sources[kindOf[row] as number] as KindSource;
      putHead(lanes, lane, row, layout, head);
      for (const source of fields) putField(lanes, lane, row, source, layout);
      lane += layout.slots * SLOT_LANES;
    }
    yield { lanes, slots };
  }
}

type HeadValues = ReturnType<typeof readHead>;

function readHead(values: GroupValues) {
  const low = (place: number): Uint32Array => (values[place] as RowValues).low;
  const high = (place: number): Uint32Array => (values[place] as RowValues).high as Uint32Array;
  const { seq, ts, cpu, tid, pid, flags } = COMMON;
  return {
    seqLow: low(seq),
    seqHigh: high(seq),
    tsLow: low(ts),
    tsHigh: high(ts),
    cpu: low(cpu),
    tid: low(tid),
    pid: low(pid),
    flags: low(flags),
  };
}

function putHead(
  lanes: Uint32Array,
  lane: number,
  row: number,
  layout: RecordLayout,
  head: HeadValues,
): void {
  const flags = head.flags[row] as number;
  const seqHigh = head.seqHigh[row] as number;
  if (flags > 0xffff || (flags & FLAG.slots) !== layout.slots - 1 || seqHigh >= CONTINUATION) {
    throw malformed(`row ${row} of a row group, ${layout.kind}, has the flags ${flags}`);
  }
  lanes[lane + HEAD.seqLow] = head.seqLow[row] as number;
  lanes[lane + HEAD.seqHigh] = seqHigh;
  lanes[lane + HEAD.tsLow] = head.tsLow[row] as number;
  lanes[lane + HEAD.tsHigh] = head.tsHigh[row] as number;
  lanes[lane + HEAD.tid] = head.tid[row] as number;
  lanes[lane + HEAD.tgid] = head.pid[row] as number;
  lanes[lane + HEAD.kindFlags] = layout.number | (flags << 16);
  lanes[lane + HEAD.cpu] = head.cpu[row] as number;
  if (layout.slots > 1) putContinuations(lanes, lane, layout.slots);
}

function putField(
  lanes: Uint32Array,
  lane: number,
  row: number,
  source: FieldSource,
  layout: RecordLayout,
): void {
  const { field, values } = source;
  const at = lane + field.lane;
  if (values.present !== null && values.present[row] !== 1) {
    if (!field.isObject)
      throw malformed(`row ${row} of a row group, ${layout.kind}, lacks ${field.field.name}`);
    lanes[at] = NO_OBJECT;
    return;
  }
  if (field.storage === 'text') {
    source.writeText(lanes, lane, values.low[row] as number, field);
    return;
  }
  lanes[at] = (lanes[at] as number) | (((values.low[row] as number) & field.mask) << field.shift);
  if (field.size === 8) lanes[at + 1] = (values.high as Uint32Array)[row] as number;
}

type TextWriter = (lanes: Uint32Array, lane: number, text: number, field: FieldPlan) => void;

/** Parses each text of the column once. */
function createTextWriter(strings: readonly string[]): TextWriter {
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
