// Turns slots into columns: each record's fields, and what is joined to it from the tables of names and objects.

import { NO_OBJECT } from '../model/objects.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { FLAG, HEAD, REPEATED_KIND, SLOT_LANES } from '../model/slot.ts';
import { COMMON, type ColumnPlan, type FieldPlan, type KindPlan, TEXT_BYTES } from './columns.ts';
import { createObjectJoin, createThreadJoin, type ObjectJoin, type ThreadJoin } from './join.ts';
import { isWholeRecord } from './slots.ts';
import { createStrings, type Strings } from './strings.ts';
import { formatText } from './text.ts';

/**
 * Values of one column for the rows of one row group; a text is its number among the strings. Most columns belong to kinds
 * that a group has none of: they take no memory.
 */
export interface ColumnValues {
  /** 1 for each row with a value, as far as it goes; null if every row has one. */
  present: Uint32Array | null;
  low: Uint32Array;
  high: Uint32Array | null;
  count: number;
}

/** Rows that a column has room for at first. */
const FIRST_ROOM = 256;
const NOTHING = new Uint32Array(0);

export interface Gatherer {
  readonly columns: readonly ColumnValues[];
  readonly strings: Strings;
  /** Rows gathered since the last `clear`. */
  rows: number;
  /** Slots left out because no record with a known layout begins there. */
  misfits: number;
  /** Takes records until the slots or the row group end; returns the slot to go on with. */
  add(lanes: Uint32Array, from: number, slots: number): number;
  clear(): void;
}

interface KindStrings {
  readonly plan: KindPlan;
  readonly kind: number;
  readonly path: number;
}

export function createGatherer(plan: ColumnPlan, meta: RecordingMeta, groupRows: number): Gatherer {
  const strings = createStrings();
  const columns = plan.columns.map(
    ({ storage, required }): ColumnValues => ({
      present: required ? null : NOTHING,
      low: NOTHING,
      high: storage === 'u64' || storage === 'i64' ? NOTHING : null,
      count: 0,
    }),
  );
  const kinds: (KindStrings | undefined)[] = [];
  for (const kind of plan.kinds) {
    const { layout } = kind;
    kinds[layout.number] = {
      plan: kind,
      kind: strings.intern(layout.kind),
      path: strings.intern(layout.path),
    };
  }
  const threads = createThreadJoin(meta.threads, strings);
  const objects = createObjectJoin(meta.objects, strings);
  const text = createTextReader(strings);

  const gatherer: Gatherer = {
    columns,
    strings,
    rows: 0,
    misfits: 0,
    add(lanes, from, slots) {
      let slot = from;
      while (slot < slots && gatherer.rows < groupRows) {
        const at = slot * SLOT_LANES;
        const kindFlags = lanes[at + HEAD.kindFlags] as number;
        const kind = kinds[kindFlags & 0xffff & ~REPEATED_KIND];
        const length = 1 + ((kindFlags >>> 16) & FLAG.slots);
        if (
          kind === undefined ||
          kind.plan.layout.slots !== length ||
          !isWholeRecord(lanes, slot, slots, length)
        ) {
          gatherer.misfits++;
          slot++;
          continue;
        }
        addHead(columns, lanes, at, gatherer.rows, kind);
        learnDevice(lanes, at, kind.plan, objects, text);
        addJoined(columns, lanes, at, gatherer.rows, kind.plan, threads, objects);
        for (const field of kind.plan.fields) addField(columns, lanes, at, gatherer.rows, field, text);
        gatherer.rows++;
        slot += length;
      }
      return slot;
    },
    clear() {
      for (const column of columns) {
        if (column.count > 0) column.present?.fill(0, 0, gatherer.rows);
        column.count = 0;
      }
      gatherer.rows = 0;
    },
  };
  return gatherer;
}

function makeRoom(column: ColumnValues, row: number): void {
  let room = Math.max(FIRST_ROOM, column.low.length);
  while (room <= row) room *= 2;
  const grown = (values: Uint32Array): Uint32Array => {
    const larger = new Uint32Array(room);
    larger.set(values);
    return larger;
  };
  column.low = grown(column.low);
  if (column.high !== null) column.high = grown(column.high);
  if (column.present !== null) column.present = grown(column.present);
}

function put(columns: readonly ColumnValues[], place: number, row: number, low: number, high: number): void {
  const column = columns[place] as ColumnValues;
  // There are never more values than rows.
  if (row >= column.low.length) makeRoom(column, row);
  const at = column.count++;
  column.low[at] = low;
  if (column.high !== null) column.high[at] = high;
  if (column.present !== null) column.present[row] = 1;
}

function addHead(
  columns: readonly ColumnValues[],
  lanes: Uint32Array,
  at: number,
  row: number,
  kind: KindStrings,
): void {
  put(columns, COMMON.seq, row, lanes[at + HEAD.seqLow] as number, lanes[at + HEAD.seqHigh] as number);
  put(columns, COMMON.ts, row, lanes[at + HEAD.tsLow] as number, lanes[at + HEAD.tsHigh] as number);
  put(columns, COMMON.cpu, row, lanes[at + HEAD.cpu] as number, 0);
  put(columns, COMMON.tid, row, lanes[at + HEAD.tid] as number, 0);
  put(columns, COMMON.pid, row, lanes[at + HEAD.tgid] as number, 0);
  put(columns, COMMON.path, row, kind.path, 0);
  put(columns, COMMON.kind, row, kind.kind, 0);
  put(columns, COMMON.flags, row, (lanes[at + HEAD.kindFlags] as number) >>> 16, 0);
}

/** Events of devices say what they are called; from then on other events of the device have its name, too. */
function learnDevice(
  lanes: Uint32Array,
  at: number,
  { namesDevice, renamesDevice, ownDevice }: KindPlan,
  objects: ObjectJoin,
  text: TextReader,
): void {
  if (namesDevice === null || ownDevice === null) return;
  const { netns, ifindex } = ownDevice;
  const renamed = renamesDevice !== null && lanes[at + renamesDevice.result] === 0;
  objects.nameDevice(
    lanes[at + netns] as number,
    lanes[at + netns + 1] as number,
    lanes[at + ifindex] as number,
    text(lanes, at, renamed ? renamesDevice.to : namesDevice),
  );
}

function addJoined(
  columns: readonly ColumnValues[],
  lanes: Uint32Array,
  at: number,
  row: number,
  kind: KindPlan,
  threads: ThreadJoin,
  objects: ObjectJoin,
): void {
  const comm = threads.commAt(lanes[at + HEAD.tid] as number, lanes, at);
  if (comm >= 0) put(columns, COMMON.comm, row, comm, 0);
  let object = -1;
  for (const lane of kind.objectLanes) {
    const index = lanes[at + lane] as number;
    if (!objects.has(index)) continue;
    if (object < 0 || objects.ifindex[object] === 0) object = index;
  }
  let device = -1;
  const { fills, ownDevice } = kind;
  if (ownDevice !== null) {
    const { netns, ifindex } = ownDevice;
    device = objects.deviceOf(
      lanes[at + netns] as number,
      lanes[at + netns + 1] as number,
      lanes[at + ifindex] as number,
    );
  } else if (object >= 0) {
    device = objects.device[object] as number;
  }
  if (device >= 0 && !fills.has(COMMON.device)) put(columns, COMMON.device, row, device, 0);
  if (object < 0) return;
  const low = objects.netnsLow[object] as number;
  const high = objects.netnsHigh[object] as number;
  if ((low !== 0 || high !== 0) && !fills.has(COMMON.netns)) put(columns, COMMON.netns, row, low, high);
  const ifindex = objects.ifindex[object] as number;
  if (ifindex === 0) return;
  if (!fills.has(COMMON.ifindex)) put(columns, COMMON.ifindex, row, ifindex, 0);
  if (!fills.has(COMMON.queue)) put(columns, COMMON.queue, row, objects.queue[object] as number, 0);
}

type TextReader = (lanes: Uint32Array, at: number, field: FieldPlan) => number;

function addField(
  columns: readonly ColumnValues[],
  lanes: Uint32Array,
  at: number,
  row: number,
  field: FieldPlan,
  text: TextReader,
): void {
  const lane = at + field.lane;
  if (field.storage === 'text') put(columns, field.column, row, text(lanes, at, field), 0);
  else if (field.size === 8)
    put(columns, field.column, row, lanes[lane] as number, lanes[lane + 1] as number);
  else if (!field.isObject)
    put(columns, field.column, row, ((lanes[lane] as number) >>> field.shift) & field.mask, 0);
  else if (lanes[lane] !== NO_OBJECT) put(columns, field.column, row, lanes[lane] as number, 0);
}

/** Reads a text field; the same bytes are formatted only once. */
function createTextReader(strings: Strings): TextReader {
  const known = {
    mac: new Map<string, number>(),
    ip: new Map<string, number>(),
    text: new Map<string, number>(),
    hex: new Map<string, number>(),
  };
  const scratch = Buffer.alloc(TEXT_BYTES);
  return (lanes, at, field) => {
    const { bytes, form } = field;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      scratch[i] = (lanes[at + (byte >> 2)] as number) >>> ((byte & 3) * 8);
    }
    const key = scratch.toString('latin1', 0, bytes.length);
    let number = known[form].get(key);
    if (number === undefined) {
      number = strings.intern(formatText(form, scratch.subarray(0, bytes.length)));
      known[form].set(key, number);
    }
    return number;
  };
}
