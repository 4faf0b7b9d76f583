// Addresses as people and tools write them, and the bytes that records hold.

import { isIPv4, isIPv6 } from 'node:net';

/** A MAC address as `aa:bb:cc:dd:ee:ff`. */
export function formatMac(view: DataView): string {
  const bytes: string[] = [];
  for (let i = 0; i < 6; i++) bytes.push(view.getUint8(i).toString(16).padStart(2, '0'));
  return bytes.join(':');
}

/** 16 bytes as IPv6 text (RFC 5952), or as a dotted quad when IPv4-mapped. */
export function formatIp(view: DataView): string {
  const words: number[] = [];
  for (let i = 0; i < 8; i++) words.push(view.getUint16(i * 2, false));
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return [12, 13, 14, 15].map((i) => view.getUint8(i)).join('.');
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && words[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  const text = words.map((word) => word.toString(16));
  if (best.start < 0) return text.join(':');
  return `${text.slice(0, best.start).join(':')}::${text.slice(best.start + best.length).join(':')}`;
}

/** Six bytes; null for what is no MAC address. */
export function parseMac(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return null;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/** Sixteen bytes, an IPv4 address as ::ffff:a.b.c.d; null for what is no address. */
export function parseIp(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  if (isIPv4(text)) {
    bytes.set([0xff, 0xff, ...text.split('.').map(Number)], 10);
    return bytes;
  }
  if (!isIPv6(text) || text.includes('%')) return null;
  const [head = [], tail] = text.split('::').map(groupsOf);
  const groups = tail ? [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail] : head;
  for (const [i, group] of groups.entries()) {
    bytes[i * 2] = group >> 8;
    bytes[i * 2 + 1] = group & 0xff;
  }
  return bytes;
}

/** The 16-bit groups of a part of an IPv6 address, whose last may be a dotted quad. */
function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}
