// Makes a record of its fields' values, for what user space adds to the stream: the snapshot.

import type { FieldLayout, RecordLayout } from '../model/layout.ts';
import { CONTINUATION, FLAG, HEAD, HEAD_BYTES, SLOT_LANES, SNAPSHOT_CPU, slotByte } from '../model/slot.ts';
import { parseIp, parseMac } from './address.ts';

export type FieldValue = number | bigint | string;

/** What a record of the snapshot says. Fields that are not named are zero. */
export interface RecordSpec {
  readonly kind: string;
  readonly tid?: number;
  readonly tgid?: number;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/** The record's slots, as of no time yet; null if a value doesn't fit its field. */
export function encodeRecord(layout: RecordLayout, spec: RecordSpec): Uint32Array | null {
  const lanes = new Uint32Array(layout.slots * SLOT_LANES);
  const bytes = new Uint8Array(lanes.buffer);
  lanes[HEAD.tid] = spec.tid ?? 0;
  lanes[HEAD.tgid] = spec.tgid ?? 0;
  lanes[HEAD.kindFlags] = layout.number | ((FLAG.snapshot | (layout.slots - 1)) << 16);
  lanes[HEAD.cpu] = SNAPSHOT_CPU;
  for (const field of layout.fields) {
    const value = spec.fields[field.name];
    if (value === undefined || field.offset < HEAD_BYTES) continue;
    const encoded = encodeValue(field, value);
    if (encoded === null) return null;
    for (let i = 0; i < encoded.length; i++) bytes[slotByte(field.offset + i)] = encoded[i] as number;
  }
  return lanes;
}

/** Gives the record that begins at lane `at` its place in the order. */
export function stampRecord(lanes: Uint32Array, at: number, slots: number, seq: number, ts: number): void {
  lanes[at + HEAD.tsLow] = ts;
  lanes[at + HEAD.tsHigh] = Math.floor(ts / 0x1_0000_0000);
  for (let i = 0; i < slots; i++) {
    lanes[at + i * SLOT_LANES + HEAD.seqLow] = seq + i;
    const high = Math.floor((seq + i) / 0x1_0000_0000);
    lanes[at + i * SLOT_LANES + HEAD.seqHigh] = i === 0 ? high : (high | CONTINUATION) >>> 0;
  }
}

/** A field's bytes; null if the value doesn't fit it. */
export function encodeValue(field: FieldLayout, value: FieldValue): Uint8Array | null {
  if (field.type === 'mac') return parseMac(String(value));
  if (field.type === 'ip') return parseIp(String(value));
  if (field.type === 'name' || field.type === 'comm' || field.type === 'text')
    return encodeText(field, value);
  return typeof value === 'string' ? null : encodeNumber(field, value);
}

/** Cut to the field, with a NUL at its end, as the kernel's own names are. */
function encodeText(field: FieldLayout, value: FieldValue): Uint8Array {
  return Buffer.from(String(value), 'utf8').subarray(0, field.size - 1);
}

function encodeNumber(field: FieldLayout, value: number | bigint): Uint8Array | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null;
  const whole = BigInt(value);
  const bits = field.size * 8;
  if (BigInt.asUintN(bits, whole) !== whole && BigInt.asIntN(bits, whole) !== whole) return null;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, whole));
  return bytes.subarray(0, field.size);
}
