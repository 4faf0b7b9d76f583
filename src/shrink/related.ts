// Which events have to do with a violation: those of its object, and those that share an identity with its evidence.

import { EventView } from '../decode/event-view.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import { FlightringError } from '../model/errors.ts';
import type { FieldType } from '../model/layout.ts';
import type { ObjectTable } from '../model/objects.ts';
import type { Batch } from '../model/slot.ts';
import { FLAG, HEAD, SLOT_LANES, sequenceAt, slotByte } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import { createMatcher, parseSelector } from '../report/selector.ts';

/** Types whose values name one thing of many; a namespace or a queue is shared by far too much. */
const IDENTITIES: ReadonlySet<FieldType> = new Set(['ip', 'mac', 'spi', 'vni', 'cookie', 'inum']);

interface Identity {
  readonly type: FieldType;
  /** Bytes of the record at which it lies. */
  readonly bytes: readonly number[];
}

/** By kind. */
const FIELDS: readonly (readonly Identity[])[] = LAYOUTS.map(({ fields }) =>
  fields
    .filter(({ type }) => IDENTITIES.has(type))
    .map(({ type, offset, size }) => ({
      type,
      bytes: Array.from({ length: size }, (_, i) => slotByte(offset + i)),
    })),
);

export type Relation = (event: EventView) => boolean;

/** The places of all events that a violation names: it can only be the same with them. */
export function placesOf({ at, evidence }: Violation): ReadonlySet<string> {
  return new Set([...evidence, at].map(placeOf));
}

export function placeOf({ cpu, seq }: Pick<EventRef, 'cpu' | 'seq'>): string {
  return `${cpu}:${seq}`;
}

/** Reads the evidence, and returns a test for events that are related to it. */
export function relationOf(violation: Violation, batches: Iterable<Batch>, objects: ObjectTable): Relation {
  const concerns = matcherOf(violation, objects);
  const known = new Set<string>();
  for (const event of findEvents(batches, placesOf(violation)))
    for (const identity of identitiesOf(event)) known.add(identity);
  return (event) => {
    for (const identity of identitiesOf(event)) if (known.has(identity)) return true;
    return concerns?.(event) ?? false;
  };
}

/** A test for the events of a violation's object; null where its words can't be followed. */
export function matcherOf({ object }: Violation, objects: ObjectTable): Relation | null {
  const selector = parseSelector(object);
  if (!selector) return null;
  try {
    return createMatcher(selector, objects);
  } catch (error) {
    // Of an object that the table hasn't got nothing is known.
    if (error instanceof FlightringError) return null;
    throw error;
  }
}

/** The events at these places, in order; ends with the last of them. */
function* findEvents(batches: Iterable<Batch>, places: ReadonlySet<string>): Generator<EventView> {
  const view = new EventView();
  const cpus = new Set([...places].map((place) => Number(place.split(':', 1)[0])));
  let left = places.size;
  for (const { lanes, slots } of batches)
    for (let slot = 0; slot < slots; ) {
      const at = slot * SLOT_LANES;
      slot += 1 + (((lanes[at + HEAD.kindFlags] as number) >>> 16) & FLAG.slots);
      const cpu = lanes[at + HEAD.cpu] as number;
      if (!cpus.has(cpu) || !places.has(placeOf({ cpu, seq: sequenceAt(lanes, at) }))) continue;
      yield view.move(lanes, at);
      if (--left === 0) return;
    }
}

function* identitiesOf(event: EventView): Generator<string> {
  const { lanes, at } = event;
  for (const { type, bytes } of FIELDS[event.kindNumber] ?? []) {
    let text: string = type;
    let empty = true;
    for (const byte of bytes) {
      const value = ((lanes[at + (byte >> 2)] as number) >>> ((byte & 3) * 8)) & 0xff;
      if (value !== 0) empty = false;
      text += String.fromCharCode(value);
    }
    if (!empty) yield text;
  }
}
