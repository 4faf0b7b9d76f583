// Makes a record of what a line says, by a rule of the mapping.

import { encodeValue } from '../decode/encode-record.ts';
import { HEAD, SLOT_BYTES, SLOT_LANES, slotByte } from '../model/slot.ts';
import { type FieldRule, type Rule, TEXT_TYPES } from './mapping.ts';

/** Gives the values that a line has, by name. */
export type Values = (name: string) => string | undefined;

/** Why a line is no event of flightring although a rule names it, or null. */
export type Misfit = string | null;

export interface Encoder {
  readonly rule: Rule;
  /** The record made last, its time, CPU and object still zero. */
  readonly lanes: Uint32Array;
  encode(values: Values): Misfit;
}

export function createEncoder(rule: Rule): Encoder {
  const { kind } = rule;
  const lanes = new Uint32Array(kind.slots * SLOT_LANES);
  const view = new DataView(lanes.buffer);
  const writers = rule.fields.map((field) => createWriter(field, view));
  return {
    rule,
    lanes,
    encode(values) {
      lanes.fill(0);
      lanes[HEAD.kindFlags] = kind.number | ((kind.slots - 1) << 16);
      for (const writer of writers) {
        const misfit = writer(values);
        if (misfit !== null) return misfit;
      }
      return null;
    },
  };
}

function createWriter(rule: FieldRule, view: DataView): (values: Values) => Misfit {
  const { field, from, constant } = rule;
  const isText = TEXT_TYPES.has(field.type);
  const put = isText ? putText : putNumber;
  if (from === null) {
    const text = String(constant);
    return () => (put(rule, view, text) ? null : `${text} doesn't fit ${field.name}`);
  }
  return (values) => {
    const text = values(from);
    if (text === undefined) return `no ${from}`;
    return put(rule, view, text) ? null : `${from} doesn't fit ${field.name}`;
  };
}

function putText({ field }: FieldRule, view: DataView, text: string): boolean {
  // Without colons as tracepoints print it (__print_hex_str).
  const isBare = field.type === 'mac' && /^[0-9a-f]{12}$/i.test(text);
  const bytes = encodeValue(field, isBare ? text.replaceAll(/..(?!$)/g, '$&:') : text);
  if (bytes === null) return false;
  for (let i = 0; i < bytes.length; i++) view.setUint8(slotByte(field.offset + i), bytes[i] as number);
  return true;
}

function putNumber(rule: FieldRule, view: DataView, text: string): boolean {
  const { field, times, plus, mask, words } = rule;
  let value = words.size > 0 ? (words.get(text) ?? readNumber(text, rule.base)) : readNumber(text, rule.base);
  if (value === null) return false;
  if (times !== 1n || plus !== 0n || mask !== null) {
    value = BigInt(value) * times + plus;
    if (mask !== null) value &= mask;
  }
  const at = field.offset < SLOT_BYTES ? field.offset : slotByte(field.offset);
  if (typeof value === 'number') {
    if (field.size === 8) {
      view.setUint32(at, value, true);
      // Two's complement of what is below zero.
      view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
      return true;
    }
    const limit = 2 ** (field.size * 8);
    if (value >= limit || value < -limit / 2) return false;
    putLow(view, at, field.size, value);
    return true;
  }
  const bits = field.size * 8;
  if (BigInt.asUintN(bits, value) !== value && BigInt.asIntN(bits, value) !== value) return false;
  if (field.size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else putLow(view, at, field.size, Number(BigInt.asUintN(bits, value)));
  return true;
}

function putLow(view: DataView, at: number, size: number, value: number): void {
  if (size === 4) view.setUint32(at, value, true);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint8(at, value);
}

/** Digits that a double holds exactly, by base. */
const EXACT = { 10: 15, 16: 13 } as const;
const DIGITS_MAX = 20;

/** A whole number: decimal, `0x` and hexadecimal, or bare hexadecimal; with a minus. */
export function readNumber(text: string, base: 10 | 16): number | bigint | null {
  let at = 0;
  const negative = text.charCodeAt(0) === 0x2d;
  if (negative) at++;
  let hex = base === 16;
  if (text.charCodeAt(at) === 0x30 && (text.charCodeAt(at + 1) | 0x20) === 0x78) {
    hex = true;
    at += 2;
  }
  const digits = text.length - at;
  if (digits < 1 || digits > DIGITS_MAX) return null;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isDigit && !(hex && (code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)) return null;
  }
  const exact = hex ? EXACT[16] : EXACT[10];
  if (digits <= exact) {
    const value = Number.parseInt(text.slice(at), hex ? 16 : 10);
    return negative ? -value : value;
  }
  const value = BigInt(hex ? `0x${text.slice(at)}` : text.slice(at));
  return negative ? -value : value;
}
