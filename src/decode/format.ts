// Values as people write them, by semantic type.

import type { FieldLayout } from '../model/layout.ts';
import { formatIp, formatMac } from './address.ts';

/** Text up to the first NUL. */
export function formatText(view: DataView): string {
  let end = 0;
  while (end < view.byteLength && view.getUint8(end) !== 0) end++;
  return Buffer.from(view.buffer, view.byteOffset, end).toString('utf8');
}

/** In hexadecimal, without the zeros at the end. */
function formatBytes(view: DataView): string {
  let end = view.byteLength;
  while (end > 0 && view.getUint8(end - 1) === 0) end--;
  return Buffer.from(view.buffer, view.byteOffset, end).toString('hex');
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
    case 'packet':
      return formatBytes(view);
    case 'umem_addr':
    case 'bits':
    case 'spi':
    case 'pointer':
      return `0x${wholeOf(field, view).toString(16)}`;
    case 'errno':
    case 's32':
      return String(view.getInt32(0, true));
    default:
      if (field.size === 8) return wholeOf(field, view).toString();
      if (field.size === 4) return String(view.getUint32(0, true));
      return String(field.size === 2 ? view.getUint16(0, true) : view.getUint8(0));
  }
}

/** A number where one holds the value exactly: big integers take several times as long. */
function wholeOf({ size }: FieldLayout, view: DataView): number | bigint {
  if (size !== 8) return view.getUint32(0, true);
  const high = view.getUint32(4, true);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + view.getUint32(0, true) : view.getBigUint64(0, true);
}
