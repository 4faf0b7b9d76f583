// The text forms of MAC addresses, IP addresses and kernel names in a recording, each exact in both directions.

import { formatIp, formatMac, parseIp, parseMac } from '../decode/address.ts';
import { RecordingError } from '../model/errors.ts';
import type { TextForm } from './columns.ts';

/** The text of the bytes; `parseText` gives the same bytes back (of a name, those up to its first NUL). */
export function formatText(form: TextForm, bytes: Uint8Array): string {
  if (form === 'text') return formatName(bytes);
  if (form === 'hex') return formatHex(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return form === 'mac' ? formatMac(view) : formatIp(view);
}

/** The bytes of a text, zero beyond its end. Throws a RecordingError for a text that `formatText` can't have made. */
export function parseText(form: TextForm, text: string, size: number): Uint8Array {
  // No text is longer than its bytes written as \xNN each; an address is of at most 39 characters.
  const bytes = text.length > Math.max(size * 4, 64) ? null : parsers[form](text);
  if (bytes === null || bytes.length > size) {
    const what = {
      mac: 'a MAC address',
      ip: 'an IP address',
      text: `a name of at most ${size} bytes`,
      hex: `the hexadecimal form of at most ${size} bytes`,
    }[form];
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

/** Of the ways to write an address only that of `formatText`. */
function parseOwnIp(text: string): Uint8Array | null {
  return /^([\da-f:]+|[\d.]+)$/.test(text) ? parseIp(text) : null;
}

function parseOwnMac(text: string): Uint8Array | null {
  return /^[\da-f:]+$/.test(text) ? parseMac(text) : null;
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

/** Without the zeros at the end. */
function formatHex(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('hex');
}

function parseHex(text: string): Uint8Array | null {
  return /^([\da-f]{2})*$/.test(text) ? Buffer.from(text, 'hex') : null;
}

const parsers = { mac: parseOwnMac, ip: parseOwnIp, text: parseName, hex: parseHex } as const;
