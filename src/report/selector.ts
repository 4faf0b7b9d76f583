// The object of interest: `frame:0x16ce900@umem:3`, `queue:2`, `neighbour:10.0.0.2`, or the words violations use.

import type { EventView } from '../decode/event-view.ts';
import { UsageError } from '../model/errors.ts';
import { NO_OBJECT, type ObjectTable, type ObjectType } from '../model/objects.ts';

export type Selector =
  | { readonly type: 'frame'; readonly addr: bigint; readonly umem: number }
  | { readonly type: ObjectType; readonly index: number }
  | {
      readonly type: 'neighbour';
      readonly ip: string;
      readonly ifindex: number | null;
      readonly netns: bigint | null;
    };

const NUMBER = '(0x[0-9a-f]+|[0-9]+)';
const FRAME = new RegExp(`^frame[: ]${NUMBER}(?:@| of )umem[: ]([0-9]+)$`, 'i');
const INDEXED = /^(socket|queue|umem)[: ]([0-9]+)$/i;
const NEIGHBOUR = /^neighbour[: ]([0-9a-f.:]+?)(?:@([0-9]+)(?::([0-9]+))?)?$/i;
const NEIGHBOUR_WORDS =
  /^neighbour ([0-9a-f.:]+) (?:on|of) (?:ifindex|device) ([0-9]+)(?: (?:in )?\(?netns ([0-9]+)\)?)?$/i;

export const OBJECT_FORMS = 'frame:ADDR@umem:N, socket:N, queue:N, umem:N or neighbour:IP[@IFINDEX[:NETNS]]';

/** Undefined for text that names no object. */
export function parseSelector(text: string): Selector | undefined {
  const trimmed = text.trim();
  const frame = FRAME.exec(trimmed);
  if (frame) return { type: 'frame', addr: BigInt(frame[1] as string), umem: Number(frame[2]) };
  const indexed = INDEXED.exec(trimmed);
  if (indexed) return { type: (indexed[1] as string).toLowerCase() as ObjectType, index: Number(indexed[2]) };
  const neighbour = NEIGHBOUR.exec(trimmed) ?? NEIGHBOUR_WORDS.exec(trimmed);
  if (!neighbour) return undefined;
  return {
    type: 'neighbour',
    ip: (neighbour[1] as string).toLowerCase(),
    ifindex: neighbour[2] === undefined ? null : Number(neighbour[2]),
    netns: neighbour[3] === undefined ? null : BigInt(neighbour[3]),
  };
}

/** The form to be typed after `--object`. */
export function selectorText(selector: Selector): string {
  switch (selector.type) {
    case 'frame':
      return `frame:0x${selector.addr.toString(16)}@umem:${selector.umem}`;
    case 'neighbour': {
      const device = selector.ifindex === null ? '' : `@${selector.ifindex}`;
      return `neighbour:${selector.ip}${device}${selector.netns === null ? '' : `:${selector.netns}`}`;
    }
    default:
      return `${selector.type}:${selector.index}`;
  }
}

/** A test for the events that concern the object. Throws a UsageError if the recording has no such object. */
export function createMatcher(selector: Selector, objects: ObjectTable): (event: EventView) => boolean {
  switch (selector.type) {
    case 'frame':
      return matchFrame(selector.addr, selector.umem, objects);
    case 'neighbour':
      return matchNeighbour(selector.ip, selector.ifindex, selector.netns);
    default:
      expectObject(selector.type, selector.index, objects);
      return matchObject(selector.index, objects);
  }
}

const LOW_48 = (1n << 48n) - 1n;

/** The number of the chunk that an address lies in; of an unaligned umem, bits 48 and up are an offset in the chunk. */
function chunkOf(addr: bigint, chunkSize: number): bigint {
  return (addr & LOW_48) / BigInt(chunkSize);
}

function matchFrame(addr: bigint, umem: number, objects: ObjectTable): (event: EventView) => boolean {
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
function matchObject(index: number, objects: ObjectTable): (event: EventView) => boolean {
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

function matchNeighbour(
  ip: string,
  ifindex: number | null,
  netns: bigint | null,
): (event: EventView) => boolean {
  return (event) =>
    event.field('ip') !== undefined &&
    event.text('ip') === ip &&
    (ifindex === null || event.u32('ifindex') === ifindex) &&
    (netns === null || event.u64('netns') === netns);
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
