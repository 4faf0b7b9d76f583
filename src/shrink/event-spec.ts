// Records as the source text of what tests build events from: kind, time, CPU, and the fields that are not 0.

import type { EventView } from '../decode/event-view.ts';
import type { FieldLayout } from '../model/layout.ts';
import { FLAG, slotByte } from '../model/slot.ts';
import { type Members, quoteText } from './literals.ts';

const HEX = new Set(['umem_addr', 'bits', 'pointer', 'spi']);

export function eventMembers(event: EventView): Members {
  const flags = event.flags & ~FLAG.slots;
  const head: [string, number, string][] = [
    ['cpu', event.cpu, String(event.cpu)],
    ['tid', event.tid, String(event.tid)],
    ['pid', event.pid, String(event.pid)],
    ['flags', flags, `0x${flags.toString(16)}`],
  ];
  return [
    ['kind', quoteText(event.kind)],
    ['ts', String(event.ts)],
    ...head.filter(([, value]) => value !== 0).map(([name, , text]) => [name, text] as const),
    ...(event.layout?.fields ?? []).flatMap((field) => {
      const bytes = bytesOf(event, field);
      return bytes.every((byte) => byte === 0) ? [] : [[field.name, valueText(field, event, bytes)] as const];
    }),
  ];
}

function bytesOf({ lanes, at }: EventView, { offset, size }: FieldLayout): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => {
    const byte = slotByte(offset + i);
    return ((lanes[at + (byte >> 2)] as number) >>> ((byte & 3) * 8)) & 0xff;
  });
}

function valueText({ name, type, size }: FieldLayout, event: EventView, bytes: Uint8Array): string {
  switch (type) {
    case 'ip':
      return quoteText(ipText(event.text(name), bytes));
    case 'mac':
    case 'comm':
    case 'name':
    case 'text':
    case 'path':
      return quoteText(event.text(name));
    default: {
      if (size < 8 && !HEX.has(type)) return String(event.u32(name));
      const value = event.u64(name);
      const suffix = value > BigInt(Number.MAX_SAFE_INTEGER) ? 'n' : '';
      return HEX.has(type) ? `0x${value.toString(16)}${suffix}` : `${value}${suffix}`;
    }
  }
}

/** Tests take IPv6 addresses with all their groups. */
function ipText(text: string, bytes: Uint8Array): string {
  if (text.includes('.')) return text;
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += 2)
    groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  return groups.join(':');
}
