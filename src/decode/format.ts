// Values as people write them, by semantic type.

import type { FieldLayout } from '../model/layout.ts';
import { formatIp, formatMac } from './address.ts';

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
