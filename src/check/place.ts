// The place of an event kept in five words: what is remembered of earlier events costs no allocation.

import { KIND } from '../generated/layouts.ts';
import { HEAD, REPEATED_KIND } from '../model/slot.ts';
import type { EventRef } from '../model/violation.ts';

/** Words that one place takes; the last is never 0. */
export const PLACE_WORDS = 5;

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const {
  seqLow: SEQ_LOW,
  seqHigh: SEQ_HIGH,
  tsLow: TS_LOW,
  tsHigh: TS_HIGH,
  kindFlags: KIND_FLAGS,
  cpu: CPU,
} = HEAD;
const KIND_NAMES = new Map(Object.entries(KIND).map(([name, number]) => [number as number, name]));

/** Notes the place of the event at lane `at` in `words` from `to` on. */
export function keepPlace(words: Uint32Array, to: number, lanes: Uint32Array, at: number): void {
  words[to] = lanes[at + SEQ_LOW] as number;
  words[to + 1] = lanes[at + SEQ_HIGH] as number;
  words[to + 2] = lanes[at + TS_LOW] as number;
  words[to + 3] = lanes[at + TS_HIGH] as number;
  words[to + 4] = ((lanes[at + KIND_FLAGS] as number) << 16) | ((lanes[at + CPU] as number) & 0xffff);
}

export function placeTime(words: Uint32Array, from: number): number {
  return (words[from + 2] as number) + (words[from + 3] as number) * 0x1_0000_0000;
}

export function placeCpu(words: Uint32Array, from: number): number {
  return (words[from + 4] as number) & 0xffff;
}

export function placeRef(words: Uint32Array, from: number): EventRef {
  const kind = ((words[from + 4] as number) >>> 16) & ~REPEATED_KIND;
  return {
    cpu: placeCpu(words, from),
    seq: (words[from] as number) + (words[from + 1] as number) * 0x1_0000_0000,
    ts: placeTime(words, from),
    kind: KIND_NAMES.get(kind) ?? `unknown ${kind}`,
  };
}
