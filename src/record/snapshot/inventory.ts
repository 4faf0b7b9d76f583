// What exists, and since when: a table that follows the events, so that the state at a window's beginning can be told.

import { gapPath } from '../../decode/once.ts';
import { SHARE_OF_KIND, sharesOfName } from '../../decode/shares.ts';
import { LANE, SHARES } from '../../generated/layouts.ts';
import type { SnapshotKind } from '../../model/probe.ts';
import { type Batch, FLAG, GAP_KIND, HEAD, SLOT_LANES, timeAt } from '../../model/slot.ts';
import type { DumpPart } from '../../source/snapshot/dump.ts';
import {
  copyBytes,
  type EventPlan,
  HOW,
  isRefused,
  type ObjectPlan,
  planSnapshot,
  type SnapshotPlan,
} from './plan.ts';
import { inOrder, type Row, rowOf, type Version } from './rows.ts';
import { bytesOf, recordOf, Table, type Touch } from './table.ts';

/** Of each kind: objects, and former states of them, that are kept. */
const OBJECTS_MAX = 65_536;
const FORMER_MAX = 32_768;
/** Events between arming and the end of the dump that it is reconciled with. */
const TOUCHES_MAX = 65_536;

export interface InventoryOptions {
  readonly kinds: readonly SnapshotKind[];
  /** When the probes began to record. */
  readonly armedAt: number;
  /** Slots of all rings: a state that ended before so many of its path's were written is in no window any more. */
  readonly slots: number;
}

export class Inventory {
  readonly #plan: SnapshotPlan;
  readonly #tables = new Map<ObjectPlan, Table>();
  readonly #byKind: (Table | undefined)[] = [];
  readonly #slotsMax: number;
  /** By share: records followed. */
  readonly #followed = new Float64Array(SHARES.length);
  /** Events kept to be reconciled; null when no dump is awaited. */
  #touches: number | null = 0;
  #seq = 1;
  #evicted = 0;
  #forgotten = 0;
  readonly #notes: string[] = [];
  readonly #scratch = Buffer.alloc(1024);

  constructor({ kinds, armedAt, slots }: InventoryOptions) {
    this.#plan = planSnapshot(kinds);
    this.#slotsMax = slots;
    for (const plan of this.#plan.objects) {
      const table = new Table(plan, SHARE_OF_KIND[plan.layout.number] as number, armedAt);
      this.#tables.set(plan, table);
      this.#byKind[plan.layout.number] = table;
    }
  }

  /** Learns from a batch of events, the next in the order. */
  follow({ lanes, slots }: Batch): void {
    const { wanted, events } = this.#plan;
    const followed = this.#followed;
    const bytes = new Uint8Array(lanes.buffer, lanes.byteOffset, slots * SLOT_LANES * 4);
    const end = slots * SLOT_LANES;
    for (let at = 0; at < end; at += SLOT_LANES) {
      if ((lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
      const kind = (lanes[at + HEAD.kindFlags] as number) & 0xffff;
      const share = SHARE_OF_KIND[kind];
      if (share === undefined) continue;
      if (share >= 0) followed[share] = (followed[share] as number) + 1;
      if (wanted[kind] === 0) continue;
      if (kind === GAP_KIND) this.#lose(lanes, at);
      else for (const event of events[kind] ?? []) this.#apply(event, lanes, bytes, at);
    }
    for (const table of this.#tables.values()) this.#prune(table);
  }

  /**
   * Takes what a dump found, once all events up to its end have been followed. An object that an event made needs no dump;
   * one that an event changed is told of as of that event, for only from there on its state is known. Returns what the
   * checker is to be told; nothing of it is older than `floor`, up to which it has checked already.
   */
  settle(parts: readonly DumpPart[], floor: number): Row[] {
    const rows: Row[] = [];
    let stale = 0;
    for (const part of this.#touches === null ? [] : parts)
      for (let at = 0; at < part.lanes.length; ) {
        const kindFlags = part.lanes[at + HEAD.kindFlags] as number;
        const next = at + (1 + ((kindFlags >>> 16) & FLAG.slots)) * SLOT_LANES;
        const table = this.#byKind[kindFlags & 0xffff];
        // Events were lost after it had been asked for: what it says may be over.
        if (table && part.from < table.since) stale++;
        else if (table) this.#settleOne(table, part.lanes.slice(at, next), part.to, floor, rows);
        at = next;
      }
    if (stale > 0)
      this.note(`${stale} objects of it could not be placed, because events were lost meanwhile`);
    this.#endOfDump();
    return inOrder(rows);
  }

  /** No dump comes any more. */
  giveUp(why: string): void {
    if (this.#touches === null) return;
    this.note(why);
    this.#endOfDump();
  }

  /** Something that isn't known, for every recording from here on. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** All states that are known, former ones included. */
  versions(): Version[] {
    const versions: Version[] = [];
    for (const { former, now } of this.#tables.values()) {
      for (const { version } of former) versions.push(version);
      versions.push(...now.values());
    }
    return versions;
  }

  /** What isn't known, one clause each. */
  get notes(): string[] {
    const notes = [...this.#notes];
    if (this.#touches !== null) notes.push('what existed before recording was not known yet');
    if (this.#evicted > 0)
      notes.push(`${this.#evicted} objects beyond the ${OBJECTS_MAX} of a kind that are kept`);
    if (this.#forgotten > 0) notes.push(`${this.#forgotten} objects became unknown where events were lost`);
    for (const { plan, droppedTo } of this.#tables.values())
      if (droppedTo > 0)
        notes.push(
          `not every ${plan.layout.kind} before ${(droppedTo / 1e9).toFixed(6)} s is known, for there were too many changes`,
        );
    return notes;
  }

  #apply(event: EventPlan, lanes: Uint32Array, bytes: Uint8Array, at: number): void {
    const table = this.#tables.get(event.object) as Table;
    const ts = timeAt(lanes, at);
    // Of a time of which events are missing nothing can be told.
    if (ts < table.since || isRefused(event, bytes, at * 4)) return;
    const key = this.#keyOf(event.key.from, bytes, at * 4);
    if (event.renames) {
      // Under its old name it ends, under the new one it begins.
      const name = this.#ownKey(table, recordOf(event, bytes, at * 4));
      this.#touch(table, key, ts, { ...event, how: HOW.ended }, lanes, at);
      this.#touch(table, name, ts, { ...event, how: HOW.made }, lanes, at);
    } else this.#touch(table, key, ts, event, lanes, at);
    const before = table.now.get(key);
    if (event.how === HOW.made) {
      if (before) this.#end(table, key, before, ts);
      this.#begin(table, key, recordOf(event, bytes, at * 4), ts);
    } else if (before && event.how === HOW.ended) this.#end(table, key, before, ts);
    else if (before) {
      const after = this.#changed(table, before, event, bytes, at * 4, ts);
      if (after === before) return;
      if (event.renames) table.now.delete(key);
      table.now.set(event.renames ? this.#ownKey(table, after.lanes) : key, after);
    }
  }

  #ownKey(table: Table, lanes: Uint32Array): string {
    return this.#keyOf(table.plan.key, bytesOf(lanes), 0);
  }

  #begin(table: Table, key: string, lanes: Uint32Array, ts: number): void {
    if (table.now.size >= OBJECTS_MAX) this.#evicted++;
    else
      table.now.set(key, {
        lanes,
        seq: this.#nextSeq(lanes),
        from: ts,
        to: Number.POSITIVE_INFINITY,
        told: false,
      });
  }

  /** The version after a change, the one before being retired; the same if it changes nothing. */
  #changed(
    table: Table,
    before: Version,
    event: EventPlan,
    bytes: Uint8Array,
    at: number,
    ts: number,
  ): Version {
    const lanes = before.lanes.slice();
    copyBytes(event.values, bytes, at, new Uint8Array(lanes.buffer));
    if (lanes.every((lane, i) => lane === before.lanes[i])) return before;
    this.#retire(table, before, ts);
    return { lanes, seq: before.seq, from: ts, to: Number.POSITIVE_INFINITY, told: false };
  }

  #end(table: Table, key: string, version: Version, ts: number): void {
    table.now.delete(key);
    this.#retire(table, version, ts);
  }

  #retire(table: Table, version: Version, ts: number): void {
    version.to = ts;
    table.former.push({ version, at: this.#followed[table.share] as number });
  }

  #prune(table: Table): void {
    const { former } = table;
    const reached = (this.#followed[table.share] as number) - this.#slotsMax;
    let gone = 0;
    while (gone < former.length && (former[gone]?.at as number) < reached) gone++;
    for (; former.length - gone > FORMER_MAX; gone++)
      table.droppedTo = Math.max(table.droppedTo, former[gone]?.version.to as number);
    // Moving the rest costs as much as there is of it: not for a few.
    if (gone > FORMER_MAX / 8 || gone === former.length) table.former = former.slice(gone);
  }

  #nextSeq(lanes: Uint32Array): number {
    const seq = this.#seq;
    this.#seq += lanes.length / SLOT_LANES;
    return seq;
  }

  #keyOf(places: readonly number[], bytes: Uint8Array, at: number): string {
    const scratch = this.#scratch;
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number;
      scratch[i] = place < 0 ? 0 : (bytes[at + place] as number);
    }
    return scratch.toString('latin1', 0, places.length);
  }

  /** Events of a path were lost: what is believed of its objects may be wrong. */
  #lose(lanes: Uint32Array, at: number): void {
    const shares = sharesOfName(gapPath(lanes, at));
    const ts = timeAt(lanes, at);
    const until = timeAt(lanes, at + LANE.gap.until - HEAD.tsLow);
    for (const table of this.#tables.values()) {
      if (!((shares >>> table.share) & 1)) continue;
      this.#forgotten += table.now.size;
      for (const version of table.now.values()) this.#retire(table, version, ts);
      table.now.clear();
      table.touched.clear();
      table.since = Math.max(table.since, ts, until);
    }
  }

  #touch(table: Table, key: string, ts: number, event: EventPlan, lanes: Uint32Array, at: number): void {
    if (this.#touches === null) return;
    const touches = this.#touches + 1;
    if (touches > TOUCHES_MAX) {
      this.giveUp(
        `more than ${TOUCHES_MAX} events while it was looked at what existed before: that is not known`,
      );
      return;
    }
    this.#touches = touches;
    const slots = 1 + (((lanes[at + HEAD.kindFlags] as number) >>> 16) & FLAG.slots);
    const touch: Touch = { ts, event, lanes: lanes.slice(at, at + slots * SLOT_LANES) };
    const known = table.touched.get(key);
    if (known) known.push(touch);
    else table.touched.set(key, [touch]);
  }

  #settleOne(table: Table, lanes: Uint32Array, seenBy: number, floor: number, rows: Row[]): void {
    const bytes = bytesOf(lanes);
    const key = this.#keyOf(table.plan.key, bytes, 0);
    const touches = table.touched.get(key) ?? [];
    if (table.settled.has(key) || touches.some(({ event, ts }) => event.how === HOW.made && ts <= seenBy))
      return;
    const end = touches.find(({ event }) => event.how !== HOW.changed)?.ts ?? Number.POSITIVE_INFINITY;
    const changes = touches.filter(({ event, ts }) => event.how === HOW.changed && ts < end);
    // It changed and ended while it was asked for: which of its states was seen can't be told.
    if (end <= seenBy && changes.length > 0) return;
    const known = changes.filter(({ ts }) => ts <= seenBy).at(-1)?.ts ?? table.since;
    const from = Math.max(known, floor);
    if (end <= from) return;
    if (table.now.size >= OBJECTS_MAX) {
      this.#evicted++;
      return;
    }
    table.settled.add(key);
    for (const { event, lanes: source, ts } of changes)
      if (ts <= from) copyBytes(event.values, bytesOf(source), 0, bytes);
    let version: Version = {
      lanes,
      seq: this.#nextSeq(lanes),
      from,
      to: Number.POSITIVE_INFINITY,
      told: true,
    };
    rows.push(rowOf(version, from));
    for (const { event, lanes: source, ts } of changes)
      if (ts > from) version = this.#changed(table, version, event, bytesOf(source), 0, ts);
    if (!table.plan.followed) this.#retire(table, version, from);
    else if (end === Number.POSITIVE_INFINITY) table.now.set(key, version);
    else this.#retire(table, version, end);
  }

  #endOfDump(): void {
    this.#touches = null;
    for (const { touched, settled } of this.#tables.values()) {
      touched.clear();
      settled.clear();
    }
  }
}
