// Values as people write them, by semantic type.

import type { FieldLayout } from '../model/layout.ts';

/** A MAC address as `aa:bb:cc:dd:ee:ff`. */
function formatMac(view: DataView, at = 0): string {
  const bytes: string[] = [];
  for (let i = 0; i < 6; i++)
    bytes.push(
      view
        .getUint8(at + i)
        .toString(16)
        .padStart(2, '0'),
    );
  return bytes.join(':');
}

/** 16 bytes as IPv6 text (RFC 5952), or as a dotted quad when IPv4-mapped. */
function formatIp(view: DataView, at = 0): string {
  const words: number[] = [];
  for (let i = 0; i < 8; i++) words.push(view.getUint16(at + i * 2, false));
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return [12, 13, 14, 15].map((i) => view.getUint8(at + i)).join('.');
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

/** Text up to the first NUL. */
export function formatText(view: DataView): string {
  let end = 0;
  while (end < view.byteLength && view.getUint8(end) !== 0) end++;
  return Buffer.from(view.buffer, view.byteOffset, end).toString('utf8');
}

/** One field's value; numbers whose meaning is a word (NUD states, reasons) are left to src/probes. */
export function formatValue(field: FieldLayout, view: DataView): string {
  switch (field.type) {
    case 'mac':
      return formatMac(view);
    case 'ip':
      return formatIp(view);
    case 'comm':
    case 'name':
    case 'text':
    case 'path':
      return formatText(view);
    case 'umem_addr':
    case 'bits':
    case 'spi':
    case 'pointer':
      return `0x${(field.size === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true))).toString(16)}`;
    case 'errno':
    case 's32':
      return String(view.getInt32(0, true));
    default:
      if (field.size === 8) return view.getBigUint64(0, true).toString();
      if (field.size === 4) return String(view.getUint32(0, true));
      return String(field.size === 2 ? view.getUint16(0, true) : view.getUint8(0));
  }
}
