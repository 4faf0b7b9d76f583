// The text forms of MAC addresses, IP addresses and kernel names in a recording, each exact in both directions.

import { RecordingError } from '../model/errors.ts';
import type { TextForm } from './columns.ts';

/** The text of the bytes; `parseText` gives the same bytes back (of a name, those up to its first NUL). */
export function formatText(form: TextForm, bytes: Uint8Array): string {
  if (form === 'mac') return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
  if (form === 'ip') return formatIp(bytes);
  return formatName(bytes);
}

/** The bytes of a text, zero beyond its end. Throws a RecordingError for a text that `formatText` can't have made. */
export function parseText(form: TextForm, text: string, size: number): Uint8Array {
  // No text is longer than its bytes written as \xNN each; an address is of at most 39 characters.
  const bytes = text.length > Math.max(size * 4, 64) ? null : parsers[form](text);
  if (bytes === null || bytes.length > size) {
    const what = { mac: 'a MAC address', ip: 'an IP address', text: `a name of at most ${size} bytes` }[form];
    throw new RecordingError(
      'BAD_VALUE',
      `${JSON.stringify(text.slice(0, 64))} in the recording is not ${what}.`,
    );
  }
  if (bytes.length === size) return bytes;
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

function parseMac(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text)) return null;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** RFC 5952: lower case, the longest run of two or more zero groups shortened, the first of equals. */
function formatIp(bytes: Uint8Array): string {
  if (isMapped(bytes)) return bytes.subarray(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      from = i;
      length = end - i;
    }
  }
  const hex = (list: readonly number[]): string => list.map((group) => group.toString(16)).join(':');
  if (from < 0) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

function parseIp(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split('.').map(Number);
    if (parts.some((part) => part > 255)) return null;
    bytes.set([0xff, 0xff, ...parts], 10);
    return bytes;
  }
  const halves = text.split('::');
  if (halves.length > 2 || !/^[0-9a-f:]*$/.test(text)) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length === 1 ? head.length !== 8 : head.length + tail.length > 7) return null;
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  for (const [i, group] of groups.entries()) {
    if (!/^[0-9a-f]{1,4}$/.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes[i * 2] = value >> 8;
    bytes[i * 2 + 1] = value & 0xff;
  }
  return bytes;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name may hold any bytes; what is not UTF-8 is written as \xNN, and a backslash then as two. */
function formatName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  try {
    return strict.decode(used).replaceAll('\\', '\\\\');
  } catch {
    let text = '';
    for (const byte of used) {
      if (byte === 0x5c) text += '\\\\';
      else if (byte < 0x80) text += String.fromCharCode(byte);
      else text += `\\x${byte.toString(16).padStart(2, '0')}`;
    }
    return text;
  }
}

function parseName(text: string): Uint8Array | null {
  if (!text.includes('\\')) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let rest = text;
  while (rest !== '') {
    const found = /^(?:\\\\|\\x([0-9a-f]{2})|[^\\]+)/.exec(rest);
    if (found === null) return null;
    const [all, hex] = found;
    if (hex !== undefined) parts.push(Buffer.from([Number.parseInt(hex, 16)]));
    else parts.push(Buffer.from(all === '\\\\' ? '\\' : all, 'utf8'));
    rest = rest.slice(all.length);
  }
  return Buffer.concat(parts);
}

const parsers = { mac: parseMac, ip: parseIp, text: parseName } as const;
