// The second half of an import: records in order of time get their places, positions and objects, and become batches.

import { KIND, LANE, LAYOUTS } from '../generated/layouts.ts';
import { type Batch, HEAD, SLOT_LANES, timeAt } from '../model/slot.ts';
import { BATCH_SLOTS, putContinuations } from '../recording/slots.ts';
import type { Rule } from './mapping.ts';
import { GAP_RULE, setTime } from './reader.ts';
import type { Rings } from './rings.ts';
import { ruleAt, type Spool } from './spool.ts';

/** Slots that one record of the trace can become. */
const MOST_SLOTS = 32;
const OBJECT = LANE.xsk_rx_write.object;
/** Reason of a gap: the CPU's buffer had overwritten what was older. */
const BEFORE_WINDOW = 3;
const IS_XSK = Uint8Array.from(LAYOUTS, ({ path }) => Number(path === 'xsk'));

export interface Placing {
  readonly spool: Spool;
  readonly rings: Rings;
  /** Events first, then markers. */
  readonly rules: readonly Rule[];
  /** By object index of the trace, that of the recording. */
  readonly objects: Uint32Array;
  readonly firstTs: number;
  /** Events of one printed time are put a nanosecond apart, in the order of the file, over this time at most. */
  readonly errorNs: number;
  /** CPUs whose events begin later than the trace because older ones were overwritten. */
  readonly late: readonly { readonly cpu: number; readonly firstTs: number }[];
}

export function* placeRecords(placing: Placing): Generator<Batch, void, undefined> {
  const output = new Output(placing.errorNs);
  for (const { cpu, firstTs } of placing.late) output.put(lateGap(cpu, placing.firstTs, firstTs), 0, 1);
  for (const { lanes, at, slots } of placing.spool.sorted()) {
    const full = output.full();
    if (full !== null) yield full;
    const number = ruleAt(lanes, at);
    if (number === GAP_RULE) {
      if (timeAt(lanes, at) === 0) setTime(lanes, at, placing.firstTs);
      placing.rings.gap();
      output.put(lanes, at, slots);
      continue;
    }
    const kind = (lanes[at + HEAD.kindFlags] as number) & 0xffff;
    if (IS_XSK[kind] === 0) {
      output.put(lanes, at, slots);
      continue;
    }
    lanes[at + OBJECT] = placing.objects[lanes[at + OBJECT] as number] as number;
    const placed = placing.rings.place(lanes, at, kind, (placing.rules[number] as Rule).hasPosition);
    if (placed !== 'one') output.putReceive(lanes, at);
    if (placed !== 'receive-only') output.put(lanes, at, slots);
  }
  const rest = output.rest();
  if (rest !== null) yield rest;
}

function lateGap(cpu: number, from: number, until: number): Uint32Array {
  const gap = new Uint32Array(SLOT_LANES);
  gap[HEAD.kindFlags] = KIND.gap;
  gap[HEAD.cpu] = cpu;
  setTime(gap, 0, from);
  gap[LANE.gap.reason] = BEFORE_WINDOW;
  gap[LANE.gap.until] = until;
  gap[LANE.gap.until + 1] = Math.floor(until / 0x1_0000_0000);
  return gap;
}

class Output {
  readonly #errorNs: number;
  readonly #next = new Map<number, number>();
  #lanes = new Uint32Array(BATCH_SLOTS * SLOT_LANES);
  #slots = 0;
  #lastTs = -1;

  constructor(errorNs: number) {
    this.#errorNs = errorNs;
  }

  /** The batch if the next record might not fit. */
  full(): Batch | null {
    return this.#slots + MOST_SLOTS > BATCH_SLOTS ? this.rest() : null;
  }

  rest(): Batch | null {
    if (this.#slots === 0) return null;
    const batch = { lanes: this.#lanes, slots: this.#slots };
    this.#lanes = new Uint32Array(BATCH_SLOTS * SLOT_LANES);
    this.#slots = 0;
    return batch;
  }

  put(lanes: Uint32Array, at: number, slots: number): void {
    const to = this.#slots * SLOT_LANES;
    this.#lanes.set(lanes.subarray(at, at + slots * SLOT_LANES), to);
    this.#stamp(to, slots);
    this.#slots += slots;
  }

  /** The receive of what the application saw. */
  putReceive(lanes: Uint32Array, at: number): void {
    const to = this.#slots * SLOT_LANES;
    this.#lanes.set(lanes.subarray(at, at + SLOT_LANES), to);
    this.#lanes[to + HEAD.kindFlags] = KIND.xsk_rx_write;
    this.#stamp(to, 1);
    this.#slots++;
  }

  #stamp(at: number, slots: number): void {
    const lanes = this.#lanes;
    const cpu = lanes[at + HEAD.cpu] as number;
    const printed = timeAt(lanes, at);
    const ts =
      printed > this.#lastTs ? printed : Math.min(this.#lastTs + 1, printed + Math.max(0, this.#errorNs - 1));
    this.#lastTs = Math.max(this.#lastTs, ts);
    setTime(lanes, at, ts);
    const seq = this.#next.get(cpu) ?? 0;
    this.#next.set(cpu, seq + slots);
    lanes[at + HEAD.seqLow] = seq;
    lanes[at + HEAD.seqHigh] = Math.floor(seq / 0x1_0000_0000);
    putContinuations(lanes, at, slots);
  }
}
