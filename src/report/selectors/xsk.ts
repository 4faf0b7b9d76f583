// AF_XDP's objects, which events name by their index: `frame:0x16ce900@umem:3`, `queue:2`.

import type { EventView } from '../../decode/event-view.ts';
import { UsageError } from '../../model/errors.ts';
import { NO_OBJECT, type ObjectTable, type ObjectType } from '../../model/objects.ts';
import { type Concerns, NUMBER, type ObjectForm, words } from './form.ts';

const FRAME = words(`frame[: ]${NUMBER}(?:@| of )umem[: ]([0-9]+)`);

export const FRAME_FORM: ObjectForm = {
  form: 'frame:ADDR@umem:N',
  parse(text) {
    const found = FRAME.exec(text);
    if (!found) return undefined;
    const [addr, umem] = [BigInt(found[1] as string), Number(found[2])];
    return {
      type: 'frame',
      text: `frame:0x${addr.toString(16)}@umem:${umem}`,
      matcher: (objects) => matchFrame(addr, umem, objects),
    };
  },
};

export const INDEXED_FORMS: readonly ObjectForm[] = (['socket', 'queue', 'umem'] as const).map((type) => {
  const pattern = words(`${type}[: ]([0-9]+)`);
  return {
    form: `${type}:N`,
    parse(text) {
      const found = pattern.exec(text);
      if (!found) return undefined;
      const index = Number(found[1]);
      return {
        type,
        text: `${type}:${index}`,
        matcher(objects) {
          expectObject(type, index, objects);
          return matchObject(index, objects);
        },
      };
    },
  };
});

const LOW_48 = (1n << 48n) - 1n;

/** The number of the chunk that an address lies in; of an unaligned umem, bits 48 and up are an offset in the chunk. */
export function chunkOf(addr: bigint, chunkSize: number): bigint {
  return (addr & LOW_48) / BigInt(chunkSize);
}

function matchFrame(addr: bigint, umem: number, objects: ObjectTable): Concerns {
  expectObject('umem', umem, objects);
  const { chunkSize, size } = objects.get(umem) as { chunkSize: number; size: number };
  if (chunkSize < 1)
    throw new UsageError(
      'BAD_OBJECT',
      `umem ${umem} has no chunk size in this recording; select by socket or queue.`,
    );
  const isHere = (event: EventView) =>
    event.field('addr') !== undefined && objects.get(event.u32('object'))?.umem === umem;
  // No frame lies there, but an application may have put the address into a ring: exactly that is looked for.
  if (addr >= BigInt(size)) return (event) => isHere(event) && event.u64('addr') === addr;
  const chunk = chunkOf(addr, chunkSize);
  return (event) => isHere(event) && chunkOf(event.u64('addr'), chunkSize) === chunk;
}

/** Events of the object itself and of what is part of it: a queue's sockets, all that uses a umem. */
function matchObject(index: number, objects: ObjectTable): Concerns {
  const parts = new Set([index]);
  for (let other = 0; other < objects.length; other++) {
    const entry = objects.get(other);
    if (entry?.parent === index || entry?.umem === index) parts.add(other);
  }
  return (event) => {
    for (const field of event.layout?.fields ?? [])
      if (field.type === 'object' && parts.has(event.u32(field.name))) return true;
    return false;
  };
}

function expectObject(type: ObjectType, index: number, objects: ObjectTable): void {
  if (index !== NO_OBJECT && objects.get(index)?.type === type) return;
  const there: number[] = [];
  for (let i = 0; i < objects.length; i++) if (objects.get(i)?.type === type) there.push(i);
  const shown = there.slice(0, 8).join(', ') + (there.length > 8 ? ', …' : '');
  throw new UsageError(
    'BAD_OBJECT',
    there.length === 0
      ? `This recording has no ${type} at all, so no ${type}:${index}.`
      : `This recording has no ${type}:${index}; it has ${type} ${shown}.`,
  );
}
