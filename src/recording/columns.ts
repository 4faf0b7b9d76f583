// Which Parquet columns a recording has, and where in a record's slots each column's value lies.

import { RecordingError } from '../model/errors.ts';
import type { FieldLayout, FieldType, RecordLayout } from '../model/layout.ts';
import { HEAD_BYTES, NEXT_PAYLOAD, SLOT_BYTES, slotByte } from '../model/slot.ts';

export type Storage = 'u32' | 's32' | 'u64' | 'i64' | 'text';
export type TextForm = 'mac' | 'ip' | 'text' | 'hex';

/** Rows of one row group at most; readers refuse more, which bounds what a file can make them allocate. */
export const GROUP_ROWS = 65_536;

/** Bytes of a packet at most. */
const PACKET_BYTES = 128;

/** The longest field that is written as text. */
export const TEXT_BYTES = PACKET_BYTES;

/** Bounds, with GROUP_ROWS, what reading one row group can allocate. */
const MAX_COLUMNS = 512;

export interface Column {
  readonly name: string;
  readonly storage: Storage;
  /** A value in every row. */
  readonly required: boolean;
}

/** Places of the columns that every recording begins with. */
export const COMMON = {
  seq: 0,
  ts: 1,
  cpu: 2,
  tid: 3,
  pid: 4,
  comm: 5,
  netns: 6,
  path: 7,
  kind: 8,
  flags: 9,
  ifindex: 10,
  queue: 11,
  device: 12,
} as const;

const COMMON_COLUMNS: readonly Column[] = [
  { name: 'seq', storage: 'i64', required: true },
  { name: 'ts', storage: 'i64', required: true },
  { name: 'cpu', storage: 'u32', required: true },
  { name: 'tid', storage: 'u32', required: true },
  { name: 'pid', storage: 'u32', required: true },
  { name: 'comm', storage: 'text', required: false },
  { name: 'netns', storage: 'u64', required: false },
  { name: 'path', storage: 'text', required: true },
  { name: 'kind', storage: 'text', required: true },
  { name: 'flags', storage: 'u32', required: true },
  { name: 'ifindex', storage: 'u32', required: false },
  { name: 'queue', storage: 'u32', required: false },
  { name: 'device', storage: 'text', required: false },
];

/** Where a record's own name is that of its device; elsewhere it may only be what somebody asked for. */
const NAMING_PATHS: readonly string[] = ['link', 'vxlan', 'xfrm'];
const NAMING_FIELDS: readonly string[] = ['name', 'device'];

/** The common columns that a record's own field of that name fills, with the storage that field must have. */
const FILLABLE: ReadonlyMap<string, Storage> = new Map([
  ['netns', 'u64'],
  ['ifindex', 'u32'],
  ['queue', 'u32'],
  ['device', 'text'],
]);

export interface FieldPlan {
  readonly field: FieldLayout;
  readonly column: number;
  readonly storage: Storage;
  readonly form: TextForm;
  readonly size: number;
  /** An index into the object table, null in the column when there is no object. */
  readonly isObject: boolean;
  /** Lane of a number, counted from the record's first slot; of its low half if it has 64 bits. */
  readonly lane: number;
  readonly shift: number;
  readonly mask: number;
  /** Byte of each byte of a text, counted from the record's first slot. */
  readonly bytes: readonly number[];
}

export interface KindPlan {
  readonly layout: RecordLayout;
  readonly fields: readonly FieldPlan[];
  /** Lanes of the fields that are indices into the object table, the one named `object` first. */
  readonly objectLanes: readonly number[];
  /** Which common columns the record fills itself. */
  readonly fills: ReadonlySet<number>;
  /** Lanes of the record's own netns and ifindex, if it has both: they name its device. */
  readonly ownDevice: { readonly netns: number; readonly ifindex: number } | null;
  /** The field that says what that device is called from now on. */
  readonly namesDevice: FieldPlan | null;
  /** The field that does so if the one at lane `result` is 0. */
  readonly renamesDevice: { readonly to: FieldPlan; readonly result: number } | null;
}

export interface ColumnPlan {
  readonly columns: readonly Column[];
  readonly kinds: readonly KindPlan[];
}

function storageOf(field: FieldLayout): Storage {
  switch (field.type) {
    case 'mac':
    case 'ip':
    case 'comm':
    case 'name':
    case 'text':
    case 'path':
    case 'packet':
      return 'text';
    case 's32':
    case 'errno':
      return 's32';
    default:
      return field.size === 8 ? 'u64' : 'u32';
  }
}

/** By type, where it isn't that of names. */
const FORMS: Readonly<Partial<Record<FieldType, TextForm>>> = { mac: 'mac', ip: 'ip', packet: 'hex' };

/** Padding is written as nothing and read as zero. */
function isStored(field: FieldLayout): boolean {
  return field.offset >= HEAD_BYTES && !/^(pad|_|reserved)\d*$/.test(field.name);
}

export function planColumns(layouts: readonly RecordLayout[]): ColumnPlan {
  checkLayouts(layouts);
  const names = nameColumns(layouts);
  const columns: Column[] = [...COMMON_COLUMNS];
  const places = new Map(columns.map((column, index) => [column.name, index]));
  const kinds = layouts.map((layout): KindPlan => {
    const fields: FieldPlan[] = [];
    const fills = new Set<number>();
    for (const field of layout.fields.filter(isStored)) {
      const name = names.get(`${layout.kind}\0${field.name}`) as string;
      let place = places.get(name);
      if (place === undefined) {
        place = columns.length;
        columns.push({ name, storage: storageOf(field), required: false });
        places.set(name, place);
      }
      if (place < COMMON_COLUMNS.length) fills.add(place);
      fields.push(planField(field, place));
    }
    const netns = fields.find(({ column }) => column === COMMON.netns);
    const ifindex = fields.find(({ column }) => column === COMMON.ifindex);
    const ownDevice =
      netns === undefined || ifindex?.size !== 4 ? null : { netns: netns.lane, ifindex: ifindex.lane };
    const namesDevice =
      ownDevice === null || !NAMING_PATHS.includes(layout.path)
        ? null
        : (fields.find(({ field }) => NAMING_FIELDS.includes(field.name) && field.type === 'name') ?? null);
    const to = fields.find(({ field }) => field.name === 'new_name' && field.type === 'name');
    const result = fields.find(({ field }) => field.name === 'result' && field.size === 4);
    const renamesDevice = namesDevice && to && result ? { to, result: result.lane } : null;
    return { layout, fields, objectLanes: objectLanes(layout), fills, ownDevice, namesDevice, renamesDevice };
  });
  if (columns.length > MAX_COLUMNS)
    throw badLayout(`they need ${columns.length} columns, at most ${MAX_COLUMNS} are allowed`);
  return { columns, kinds };
}

function planField(field: FieldLayout, column: number): FieldPlan {
  const at = slotByte(field.offset);
  const bits = field.size * 8;
  return {
    field,
    column,
    storage: storageOf(field),
    form: FORMS[field.type] ?? 'text',
    size: field.size,
    isObject: field.type === 'object' && field.size === 4,
    lane: at >> 2,
    shift: (at & 3) * 8,
    mask: bits >= 32 ? 0xffff_ffff : 2 ** bits - 1,
    bytes: Array.from({ length: field.size }, (_, i) => slotByte(field.offset + i)),
  };
}

function objectLanes(layout: RecordLayout): number[] {
  const objects = layout.fields.filter(
    (field) => field.type === 'object' && field.size === 4 && isStored(field),
  );
  objects.sort((a, b) => Number(b.name === 'object') - Number(a.name === 'object'));
  return objects.map((field) => slotByte(field.offset) >> 2);
}

/**
 * A field's column is its name; if that name means different types in different kinds, or is a common column's, then
 * `<path>_<name>` for all of them, so that no column ever has two meanings; if need be `<kind>_<name>`.
 */
function nameColumns(layouts: readonly RecordLayout[]): Map<string, string> {
  const all = layouts.flatMap((layout) =>
    layout.fields.filter(isStored).map((field) => ({ layout, field, level: 0 })),
  );
  const nameOf = ({ layout, field, level }: (typeof all)[number]): string =>
    level === 0 ? field.name : `${level === 1 ? layout.path : layout.kind}_${field.name}`;
  for (;;) {
    const types = new Map<string, Set<string>>();
    for (const entry of all) {
      const name = nameOf(entry);
      const set = types.get(name) ?? new Set();
      types.set(name, set.add(`${entry.field.type}/${entry.field.size}`));
    }
    const clashing = all.filter((entry) => {
      const name = nameOf(entry);
      const common = COMMON_COLUMNS.some((column) => column.name === name);
      const fits = entry.level === 0 && FILLABLE.get(name) === storageOf(entry.field);
      return (common && !fits) || (types.get(name) as Set<string>).size > 1;
    });
    if (clashing.length === 0) break;
    for (const entry of clashing) {
      entry.level++;
      if (entry.level > 2)
        throw badLayout(`${entry.layout.kind}.${entry.field.name} has no column name of its own`);
    }
  }
  return new Map(all.map((entry) => [`${entry.layout.kind}\0${entry.field.name}`, nameOf(entry)]));
}

const SIZES: Readonly<Record<string, readonly number[]>> = {
  ip: [16],
  mac: [6],
  comm: [16],
  name: [16],
  text: [40],
  path: [8],
  packet: [PACKET_BYTES],
  s32: [4],
  errno: [4],
  u64: [8],
  ns: [8],
  netns: [8],
  umem_addr: [8],
};
const NUMBER_SIZES = [1, 2, 4, 8];
/** Slots of one record at most. */
export const MAX_SLOTS = 16;

/** Refuses layouts whose fields don't lie inside their record; they come from files as well as from the build. */
export function checkLayouts(layouts: readonly RecordLayout[]): void {
  const kinds = new Set<string>();
  const numbers = new Set<number>();
  for (const layout of layouts) {
    const { kind, number, path, size, slots } = layout;
    if (kinds.has(kind)) throw badLayout(`the kind ${kind} is there twice`);
    if (numbers.has(number) || number < 0 || number > 0x7fff)
      throw badLayout(`${kind} has the number ${number}`);
    kinds.add(kind);
    numbers.add(number);
    const odd = [kind, path, ...layout.fields.map(({ name }) => name)].find((name) => !isIdentifier(name));
    if (odd !== undefined) throw badLayout(`${JSON.stringify(odd.slice(0, 64))} is not a name`);
    const needed = size <= SLOT_BYTES ? 1 : 1 + Math.ceil((size - SLOT_BYTES) / NEXT_PAYLOAD);
    if (size < HEAD_BYTES || slots !== needed || slots > MAX_SLOTS) {
      throw badLayout(`${kind} has ${size} bytes in ${slots} slots`);
    }
    const names = new Set<string>();
    for (const field of layout.fields) {
      const { name, type, offset } = field;
      if (names.has(name)) throw badLayout(`${kind}.${name} is there twice`);
      names.add(name);
      const sizes = SIZES[type] ?? NUMBER_SIZES;
      const aligned = storageOf(field) === 'text' || offset % field.size === 0;
      if (!sizes.includes(field.size) || offset < 0 || offset + field.size > size || !aligned) {
        throw badLayout(
          `${kind}.${name} (${type}) has ${field.size} bytes at ${offset} of a record of ${size}`,
        );
      }
    }
  }
}

/** As in C, and none that an object already has a meaning for. */
function isIdentifier(name: string): boolean {
  return /^[A-Za-z]\w{0,63}$/.test(name);
}

function badLayout(what: string): RecordingError {
  return new RecordingError('BAD_LAYOUT', `The record layouts can't be used: ${what}.`);
}
