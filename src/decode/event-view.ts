// One event seen in place in a batch: a cursor that is moved, never an object per event.

import { LAYOUTS } from '../generated/layouts.ts';
import type { FieldLayout, RecordLayout } from '../model/layout.ts';
import {
  FLAG,
  HEAD,
  NEXT_PAYLOAD,
  REPEATED_KIND,
  SLOT_BYTES,
  SLOT_LANES,
  sequenceAt,
  slotByte,
  timeAt,
} from '../model/slot.ts';
import type { EventRef } from '../model/violation.ts';
import { formatValue } from './format.ts';

/** A field with the place of its first byte: numbers lie in lanes, and never in two slots. */
interface PlacedField {
  readonly layout: FieldLayout;
  /** Counted from the record's first slot. */
  readonly lane: number;
  readonly shift: number;
  readonly signed: boolean;
}

const FIELDS: readonly ReadonlyMap<string, PlacedField>[] = LAYOUTS.map(
  ({ fields }) => new Map(fields.map((field) => [field.name, placeField(field)])),
);
const NO_FIELDS: ReadonlyMap<string, PlacedField> = new Map();

function placeField(layout: FieldLayout): PlacedField {
  const at = slotByte(layout.offset);
  const signed = layout.type === 'errno' || layout.type === 's32';
  return { layout, lane: at >> 2, shift: (at & 3) * 8, signed };
}

export class EventView {
  lanes: Uint32Array = new Uint32Array(SLOT_LANES);
  /** Lane at which the event's first slot begins. */
  at = 0;
  readonly #scratch = new DataView(new ArrayBuffer(16 * SLOT_BYTES));

  /** Points the view at another event. */
  move(lanes: Uint32Array, at: number): this {
    this.lanes = lanes;
    this.at = at;
    return this;
  }

  get kindNumber(): number {
    return (this.lanes[this.at + HEAD.kindFlags] as number) & (0xffff & ~REPEATED_KIND);
  }
  get layout(): RecordLayout | undefined {
    return LAYOUTS[this.kindNumber];
  }
  get kind(): string {
    return this.layout?.kind ?? `unknown ${this.kindNumber}`;
  }
  get flags(): number {
    return (this.lanes[this.at + HEAD.kindFlags] as number) >>> 16;
  }
  /** The same ring position was reported before: two CPUs looked at once. */
  get repeated(): boolean {
    return ((this.lanes[this.at + HEAD.kindFlags] as number) & REPEATED_KIND) !== 0;
  }
  /** Slots that the event takes. */
  get slots(): number {
    return 1 + (this.flags & FLAG.slots);
  }
  get ts(): number {
    return timeAt(this.lanes, this.at);
  }
  get seq(): number {
    return sequenceAt(this.lanes, this.at);
  }
  get cpu(): number {
    return this.lanes[this.at + HEAD.cpu] as number;
  }
  get tid(): number {
    return this.lanes[this.at + HEAD.tid] as number;
  }
  get pid(): number {
    return this.lanes[this.at + HEAD.tgid] as number;
  }

  field(name: string): FieldLayout | undefined {
    return this.#place(name)?.layout;
  }

  /** A field of at most 32 bits; signed for errno and s32; 0 for a field that the kind hasn't got. */
  u32(name: string): number {
    const field = this.#place(name);
    if (!field) return 0;
    const lane = this.lanes[this.at + field.lane] as number;
    switch (field.layout.size) {
      case 1:
        return (lane >>> field.shift) & 0xff;
      case 2:
        return (lane >>> field.shift) & 0xffff;
      default:
        return field.signed ? lane | 0 : lane;
    }
  }

  /** A field of 64 bits as a number: exact below 2^53. */
  u53(name: string): number {
    const field = this.#place(name);
    if (!field) return 0;
    if (field.layout.size !== 8) return this.u32(name);
    const at = this.at + field.lane;
    return (this.lanes[at] as number) + (this.lanes[at + 1] as number) * 0x1_0000_0000;
  }

  /** A field of 64 bits, exactly. */
  u64(name: string): bigint {
    const field = this.#place(name);
    if (!field) return 0n;
    if (field.layout.size !== 8) return BigInt(this.u32(name));
    const at = this.at + field.lane;
    return (BigInt(this.lanes[at + 1] as number) << 32n) | BigInt(this.lanes[at] as number);
  }

  /** A field as text, by its type: addresses, MACs and names as people write them. */
  text(name: string): string {
    const field = this.field(name);
    if (!field) return '';
    const view = this.#bytes(field);
    return formatValue(field, view);
  }

  /** The event's place, to be kept. */
  ref(): EventRef {
    return { cpu: this.cpu, seq: this.seq, ts: this.ts, kind: this.kind };
  }

  #place(name: string): PlacedField | undefined {
    return (FIELDS[this.kindNumber] ?? NO_FIELDS).get(name);
  }

  /** A field's bytes in one piece; a record of several slots lies in pieces. */
  #bytes(field: FieldLayout): DataView {
    const { lanes } = this;
    const start = lanes.byteOffset + this.at * 4;
    if (field.offset + field.size <= SLOT_BYTES)
      return new DataView(lanes.buffer, start + field.offset, field.size);
    const scratch = this.#scratch;
    for (let i = 0; i < field.size; i++) {
      const offset = field.offset + i;
      const beyond = offset - SLOT_BYTES;
      const from =
        beyond < 0
          ? offset
          : SLOT_BYTES * (1 + Math.floor(beyond / NEXT_PAYLOAD)) + 8 + (beyond % NEXT_PAYLOAD);
      scratch.setUint8(i, new DataView(lanes.buffer).getUint8(start + from));
    }
    return new DataView(scratch.buffer, 0, field.size);
  }
}
