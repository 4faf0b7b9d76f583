// The objects of one kind: those that are there, those that were, and what events did to them while a dump is awaited.

import { FLAG, HEAD, SLOT_LANES, SNAPSHOT_CPU } from '../../model/slot.ts';
import { copyBytes, type EventPlan, type ObjectPlan } from './plan.ts';
import type { Version } from './rows.ts';

/** Something that an event did to an object. */
export interface Touch {
  readonly ts: number;
  readonly event: EventPlan;
  /** The event's slots. */
  readonly lanes: Uint32Array;
}

/** All objects of one kind. */
export class Table {
  readonly plan: ObjectPlan;
  readonly share: number;
  readonly now = new Map<string, Version>();
  /** Former states in the order in which they ended; `at` counts the records of the share followed by then. */
  former: { readonly version: Version; readonly at: number }[] = [];
  /** While a dump is awaited: what events did since. */
  readonly touched = new Map<string, Touch[]>();
  readonly settled = new Set<string>();
  /** From here on it is followed without loss. */
  since: number;
  /** Up to here former states have been dropped that a window may ask for. */
  droppedTo = 0;

  constructor(plan: ObjectPlan, share: number, since: number) {
    this.plan = plan;
    this.share = share;
    this.since = since;
  }
}

export function bytesOf(lanes: Uint32Array): Uint8Array {
  return new Uint8Array(lanes.buffer, lanes.byteOffset, lanes.byteLength);
}

/** The record of an object that an event has made. */
export function recordOf(event: EventPlan, bytes: Uint8Array, at: number): Uint32Array {
  const { number, slots } = event.object.layout;
  const record = new Uint32Array(slots * SLOT_LANES);
  const target = new Uint8Array(record.buffer);
  copyBytes(event.values, bytes, at, target);
  if (!event.renames) copyBytes(event.key, bytes, at, target);
  for (const [place, byte] of event.initial) target[place] = byte;
  record[HEAD.kindFlags] = number | ((FLAG.snapshot | (slots - 1)) << 16);
  record[HEAD.cpu] = SNAPSHOT_CPU;
  return record;
}
