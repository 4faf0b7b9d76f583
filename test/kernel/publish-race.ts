// Derives the publish race from a real run: one flush moved behind the other CPU's reservation, as a kernel without the fix does it.

import { type Batch, EventView, type Recording } from '../../src/index.ts';
import { LANE } from '../../src/generated/layouts.ts';
import { HEAD, SLOT_LANES } from '../../src/model/slot.ts';

interface Event {
  readonly kind: string;
  readonly cpu: number;
  readonly ts: number;
  readonly object: number;
  readonly position: number;
  readonly lanes: Uint32Array;
}

export interface Race {
  readonly recording: Recording;
  /** The CPU whose flush comes late, the one whose receive is under way, and the entry it has reserved. */
  readonly flushes: number;
  readonly receives: number;
  readonly position: number;
  readonly socket: number;
}

function eventsOf(recording: Recording): Event[] {
  const view = new EventView();
  const events: Event[] = [];
  for (const { lanes, slots } of recording.batches())
    for (let slot = 0; slot < slots; slot += view.slots) {
      view.move(lanes, slot * SLOT_LANES);
      const { kind, cpu, ts } = view;
      const words = lanes.slice(view.at, view.at + view.slots * SLOT_LANES);
      events.push({
        kind,
        cpu,
        ts,
        object: view.u32('object'),
        position: view.u32('position'),
        lanes: words,
      });
    }
  return events;
}

function toBatch(events: readonly Event[]): Batch {
  const length = events.reduce((sum, { lanes }) => sum + lanes.length, 0);
  const lanes = new Uint32Array(length);
  let at = 0;
  for (const event of events) {
    lanes.set(event.lanes, at);
    at += event.lanes.length;
  }
  return { lanes, slots: length / SLOT_LANES };
}

/** The same event at another time, on another CPU. */
function moved(event: Event, ts: number, cpu: number): Event {
  const lanes = event.lanes.slice();
  lanes[HEAD.tsLow] = ts;
  lanes[HEAD.tsHigh] = Math.floor(ts / 0x1_0000_0000);
  lanes[HEAD.cpu] = cpu;
  return { ...event, ts, cpu, lanes };
}

/**
 * Looks for two polls of one queue that follow each other on two CPUs: the first published entry n, the second reserved,
 * wrote and published n + 1. In the copy the first CPU's flush comes between the second one's reservation and its write,
 * and so publishes n + 1 as well, which still holds what it held before.
 */
export function derivePublishRace(recording: Recording): Race | undefined {
  const events = eventsOf(recording);
  const first = new Map<number, Event>();
  for (const [at, reserve] of events.entries()) {
    if (reserve.kind === 'xsk_rx_write' && !first.has(reserve.object)) first.set(reserve.object, reserve);
    if (reserve.kind !== 'xsk_rx_reserve') continue;
    const { object, position, cpu } = reserve;
    const isOf = (kind: string, which: number) => (event: Event) =>
      event.kind === kind && event.object === object && event.position === which;
    const flush = events.slice(0, at).findLast(isOf('xsk_rx_publish', position - 1));
    const write = events.slice(at).find(isOf('xsk_rx_write', position));
    const publish = events.slice(at).find(isOf('xsk_rx_publish', position));
    const before = first.get(object);
    if (!flush || !write || !publish || !before || flush.cpu === cpu || write.cpu !== cpu) continue;
    const stale = moved(publish, reserve.ts + 2, flush.cpu);
    const from = LANE.xsk_rx_write.addr;
    const to = LANE.xsk_rx_publish.addr;
    for (const word of [0, 1]) stale.lanes[to + word] = before.lanes[from + word] as number;
    const changed = events.filter((event) => event !== flush && event !== publish);
    changed.splice(changed.indexOf(reserve) + 1, 0, moved(flush, reserve.ts + 1, flush.cpu), stale);
    const batch = toBatch(changed);
    return {
      recording: { ...recording, batches: () => [batch] },
      flushes: flush.cpu,
      receives: cpu,
      position,
      socket: object,
    };
  }
  return undefined;
}
