// Cuts the events of a frozen bank down to the window that was asked for, path by path.

import { gapPath } from '../decode/once.ts';
import { SHARE_OF_KIND, sharesOfName } from '../decode/shares.ts';
import { LANE, SHARES } from '../generated/layouts.ts';
import { type Batch, GAP_KIND, HEAD, SLOT_LANES, timeAt } from '../model/slot.ts';

/** `reason` of the gap in front of a path whose events are cut (src/report/gap.ts). */
const CUT = 4;

function kindAt(lanes: Uint32Array, at: number): number {
  return (lanes[at + HEAD.kindFlags] as number) & 0xffff;
}

/** Calls `see` with the lane of each record up to `endTs`, in the order of time; ends early when it returns true. */
function scan(
  batches: Iterable<Batch>,
  endTs: number,
  see: (lanes: Uint32Array, at: number, share: number) => boolean,
): void {
  for (const { lanes, slots } of batches) {
    for (let at = 0; at < slots * SLOT_LANES; ) {
      if (timeAt(lanes, at) > endTs || see(lanes, at, SHARE_OF_KIND[kindAt(lanes, at)] ?? -1)) return;
      at += lanesOf(lanes, at);
    }
  }
}

/** Lanes of the record that begins at `at`. */
function lanesOf(lanes: Uint32Array, at: number): number {
  return (1 + (((lanes[at + HEAD.kindFlags] as number) >>> 16) & 0xf)) * SLOT_LANES;
}

/** What is left of one path. */
interface Cut {
  /** Records to leave out. */
  skip: number;
  /** Time of the first one kept. */
  firstTs: number;
  /** The last one left out: the gap takes its place. */
  readonly last: Uint32Array;
}

/** By share, what must go; null if nothing must. */
function planCuts(batches: () => Iterable<Batch>, keep: number, endTs: number): Cut[] | null {
  const totals = SHARES.map(() => 0);
  scan(batches(), endTs, (_, __, share) => {
    if (share >= 0) totals[share] = (totals[share] as number) + 1;
    return false;
  });
  if (totals.every((total) => total <= keep)) return null;
  const cuts = totals.map(
    (total): Cut => ({ skip: Math.max(total - keep, 0), firstTs: 0, last: new Uint32Array(SLOT_LANES) }),
  );
  const left = cuts.map(({ skip }) => skip);
  let open = totals.filter((total) => total > 0).length;
  scan(batches(), endTs, (lanes, at, share) => {
    const cut = cuts[share];
    if (cut === undefined || cut.firstTs > 0) return false;
    if ((left[share] as number) > 0) {
      left[share] = (left[share] as number) - 1;
      if (left[share] === 0) cut.last.set(lanes.subarray(at, at + SLOT_LANES));
      return false;
    }
    cut.firstTs = timeAt(lanes, at);
    return --open === 0;
  });
  return cuts;
}

/** The gaps in front of everything: up to when which path's events are not there, though others' are. */
function cutGaps(cuts: readonly Cut[], ts: number): Uint32Array {
  const gaps: number[] = [];
  for (const [share, { skip, firstTs, last }] of cuts.entries()) {
    if (skip === 0 || firstTs <= ts) continue;
    const gap = new Uint32Array(SLOT_LANES);
    gap[HEAD.seqLow] = last[HEAD.seqLow] as number;
    gap[HEAD.seqHigh] = last[HEAD.seqHigh] as number;
    gap[HEAD.cpu] = last[HEAD.cpu] as number;
    putTime(gap, HEAD.tsLow, ts);
    gap[HEAD.kindFlags] = GAP_KIND;
    gap[LANE.gap.reason] = CUT;
    putTime(gap, LANE.gap.until, firstTs);
    new Uint8Array(gap.buffer).set(Buffer.from(SHARES[share] as string, 'latin1'), LANE.gap.share * 4);
    gaps.push(...gap);
  }
  return Uint32Array.from(gaps);
}

function putTime(lanes: Uint32Array, at: number, ts: number): void {
  lanes[at] = ts % 0x1_0000_0000;
  lanes[at + 1] = Math.floor(ts / 0x1_0000_0000);
}

/**
 * The last `keep` records of each path up to `endTs`: a flood of one path doesn't push out another's history. What was
 * recorded later, because freezing took its time, would push out what led to the violation.
 */
export function* lastRecords(batches: () => Iterable<Batch>, keep: number, endTs: number): Generator<Batch> {
  const cuts = planCuts(batches, keep, endTs);
  const left = (cuts ?? []).map(({ skip }) => skip);
  let begun = cuts === null;
  for (const batch of batches()) {
    const { lanes, slots } = batch;
    if (begun && left.every((skip) => skip === 0) && lastTime(batch) <= endTs) {
      yield batch;
      continue;
    }
    const kept = new Uint32Array((slots + SHARES.length) * SLOT_LANES);
    let [length, at] = [0, 0];
    for (; at < slots * SLOT_LANES && timeAt(lanes, at) <= endTs; at += lanesOf(lanes, at)) {
      if (cuts !== null && isCut(lanes, at, cuts, left)) continue;
      if (!begun && cuts !== null && kindAt(lanes, at) !== GAP_KIND) {
        const gaps = cutGaps(cuts, timeAt(lanes, at));
        kept.set(gaps, length);
        length += gaps.length;
        begun = true;
      }
      kept.set(lanes.subarray(at, at + lanesOf(lanes, at)), length);
      length += lanesOf(lanes, at);
    }
    if (length > 0) yield { lanes: kept.subarray(0, length), slots: length / SLOT_LANES };
    if (at < slots * SLOT_LANES) return;
  }
}

/** Time of the record that ends a batch. */
function lastTime({ lanes, slots }: Batch): number {
  let at = (slots - 1) * SLOT_LANES;
  while (at > 0 && (lanes[at + HEAD.seqHigh] as number) >>> 31) at -= SLOT_LANES;
  return at < 0 ? 0 : timeAt(lanes, at);
}

/** Whether a record is left out; counts those that still must be. */
function isCut(lanes: Uint32Array, at: number, cuts: readonly Cut[], left: number[]): boolean {
  const share = SHARE_OF_KIND[kindAt(lanes, at)] ?? -1;
  if (share >= 0) {
    if ((left[share] as number) === 0) return false;
    left[share] = (left[share] as number) - 1;
    return true;
  }
  // A gap matters as long as something of its path is kept that lies in its time.
  const about = sharesOfName(gapPath(lanes, at));
  const until = timeAt(lanes, at + LANE.gap.until - HEAD.tsLow);
  return cuts.every(
    ({ firstTs }, i) => !((about >>> i) & 1) || ((left[i] as number) > 0 && until <= firstTs),
  );
}
