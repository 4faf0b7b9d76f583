// Neighbours in a small world, for tests of what follows them: events, dumps, and the truth beside them.

import type { SnapshotKind } from '../../../src/model/probe.ts';
import neigh from '../../../src/probes/neigh.ts';
import { encodeRecord } from '../../../src/decode/encode-record.ts';
import { EventView } from '../../../src/decode/event-view.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { type Batch, CONTINUATION, HEAD, SLOT_LANES } from '../../../src/model/slot.ts';
import type { DumpPart } from '../../../src/source/snapshot/dump.ts';
import type { EventSpec } from '../batch.ts';

export const KINDS = neigh.snapshot as readonly SnapshotKind[];
export const ARMED = 1000;

/** What an entry is: its state and MAC. */
export interface Entry {
  readonly nud: number;
  readonly mac: string;
}

const ipOf = (host: number) => `10.0.0.${host}`;
const IDENTITY = { netns: 3n, ifindex: 2, family: 2 };

export const create = (ts: number, host: number): EventSpec => ({
  kind: 'neigh_create',
  ts,
  ...IDENTITY,
  ip: ipOf(host),
});
export const update = (ts: number, host: number, { nud, mac }: Entry): EventSpec => ({
  kind: 'neigh_update_done',
  ts,
  ...IDENTITY,
  ip: ipOf(host),
  nud,
  mac,
});
export const timer = (ts: number, host: number, nud: number): EventSpec => ({
  kind: 'neigh_timer',
  ts,
  ...IDENTITY,
  ip: ipOf(host),
  nud,
});
export const release = (ts: number, host: number): EventSpec => ({
  kind: 'neigh_release',
  ts,
  ...IDENTITY,
  ip: ipOf(host),
});

/** What a request between `from` and `to` saw. */
export function seen(from: number, to: number, entries: Readonly<Record<number, Entry>>): DumpPart {
  const layout = LAYOUTS.find(({ kind }) => kind === 'neigh_exists') as (typeof LAYOUTS)[number];
  const records = Object.entries(entries).map(
    ([host, { nud, mac }]) =>
      encodeRecord(layout, {
        kind: 'neigh_exists',
        fields: { ...IDENTITY, ip: ipOf(Number(host)), nud, mac },
      }) as Uint32Array,
  );
  const lanes = new Uint32Array(records.length * layout.slots * SLOT_LANES);
  for (const [i, record] of records.entries()) lanes.set(record, i * layout.slots * SLOT_LANES);
  return { from, to, lanes };
}

/** The record as `10.0.0.1 128 02:…`. */
export function wordsOf(lanes: Uint32Array, at = 0): string {
  const view = new EventView().move(lanes, at);
  return `${view.text('ip')} ${view.text('nud')} ${view.text('mac')}`;
}

export function words(host: number, { nud, mac }: Entry): string {
  return `${ipOf(host)} ${nud} ${mac}`;
}

/** The kinds and times of a batch's records. */
export function listOf(batches: Iterable<Batch>): [string, number][] {
  const view = new EventView();
  const list: [string, number][] = [];
  for (const { lanes, slots } of batches)
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES)
      if ((lanes[at + HEAD.seqHigh] as number) < CONTINUATION) {
        view.move(lanes, at);
        list.push([view.kind, view.ts]);
      }
  return list;
}
