// Whether an event broke an invariant by what it says, or only by coming so late.

import { EventView } from '../decode/event-view.ts';
import type { ObjectTable } from '../model/objects.ts';
import { type Batch, SLOT_LANES, slotByte } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { Checker } from './checker.ts';
import type { Invariant } from './invariant.ts';

export interface DeadlineParts {
  readonly invariant: Invariant;
  readonly violation: Violation;
  readonly objects: ObjectTable;
  readonly clockErrorNs: number;
}

/**
 * True if the violation is found just the same where the offending event says nothing at all: then it only showed that time was
 * up. Of events that don't show the violation nothing is known: false.
 */
export function isDeadline(batch: Batch, parts: DeadlineParts): boolean {
  return isFound(copyOf(batch), parts) && isFound(withoutWords(batch, parts.violation), parts);
}

function isFound(batch: Batch, { invariant, violation, objects, clockErrorNs }: DeadlineParts): boolean {
  const checker = new Checker([invariant], objects, clockErrorNs);
  checker.check(batch);
  return checker.violations.some(({ object, at }) => object === violation.object && isAt(at, violation));
}

function isAt({ cpu, seq }: { readonly cpu: number; readonly seq: number }, { at }: Violation): boolean {
  return cpu === at.cpu && seq === at.seq;
}

/** Checking marks what it has seen. */
function copyOf({ lanes, slots }: Batch): Batch {
  return { lanes: lanes.slice(), slots };
}

function withoutWords(batch: Batch, violation: Violation): Batch {
  const copy = copyOf(batch);
  const view = new EventView();
  for (let slot = 0; slot < copy.slots; slot += view.slots)
    if (isAt(view.move(copy.lanes, slot * SLOT_LANES), violation)) blank(view, copy.lanes);
  return copy;
}

function blank({ layout, at }: EventView, lanes: Uint32Array): void {
  for (const { offset, size } of layout?.fields ?? [])
    for (let i = 0; i < size; i++) {
      const byte = slotByte(offset + i);
      const lane = at + (byte >> 2);
      lanes[lane] = ((lanes[lane] as number) & ~(0xff << ((byte & 3) * 8))) >>> 0;
    }
}
