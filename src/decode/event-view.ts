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
  timeAt,
} from '../model/slot.ts';
import type { EventRef } from '../model/violation.ts';
import { formatValue } from './format.ts';

const FIELDS: readonly ReadonlyMap<string, FieldLayout>[] = LAYOUTS.map(
  (layout) => new Map(layout.fields.map((field) => [field.name, field])),
);
const NO_FIELDS: ReadonlyMap<string, FieldLayout> = new Map();

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
    return (FIELDS[this.kindNumber] ?? NO_FIELDS).get(name);
  }

  /** A field of at most 32 bits; signed for errno and s32; 0 for a field that the kind hasn't got. */
  u32(name: string): number {
    const field = this.field(name);
    if (!field) return 0;
    const view = this.#bytes(field);
    if (field.size === 1) return view.getUint8(0);
    if (field.size === 2) return view.getUint16(0, true);
    return field.type === 'errno' || field.type === 's32' ? view.getInt32(0, true) : view.getUint32(0, true);
  }

  /** A field of 64 bits as a number: exact below 2^53. */
  u53(name: string): number {
    const field = this.field(name);
    if (!field) return 0;
    const view = this.#bytes(field);
    return field.size === 8
      ? view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000
      : this.u32(name);
  }

  /** A field of 64 bits, exactly. */
  u64(name: string): bigint {
    const field = this.field(name);
    if (!field) return 0n;
    return field.size === 8 ? this.#bytes(field).getBigUint64(0, true) : BigInt(this.u32(name));
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
