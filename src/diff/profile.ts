// What a recording is like, in figures of bounded size: kinds and their rates, moves of objects and how long they take.

import { EventView } from '../decode/event-view.ts';
import { type Break, gapPath, Once } from '../decode/once.ts';
import { SHARE_OF_KIND, type ShareSet, sharesOfName } from '../decode/shares.ts';
import { LANE, LAYOUTS, SHARES } from '../generated/layouts.ts';
import type { ObjectTable } from '../model/objects.ts';
import { type Batch, FLAG, GAP_KIND, HEAD, SLOT_LANES } from '../model/slot.ts';
import { Histogram } from './histogram.ts';
import { identityOf } from './identity.ts';

/** Objects of one path that are followed at a time; of further ones those that were seen first are forgotten. */
const OBJECTS_FOLLOWED = 1 << 18;

export interface Move {
  readonly from: string;
  readonly to: string;
  /** How long the object was at `from`; its total is how often it moved so. */
  readonly latency: Histogram;
}

export interface Profile {
  /** Events, without gaps and what was found when recording began. */
  readonly events: number;
  /** From the first of them to the last, ns. */
  readonly spanNs: number;
  /** By kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** By path: how much of the span its events are all there; 0 where that says nothing of how often they come. */
  readonly observedNs: ReadonlyMap<string, number>;
  /** By `from → to`. */
  readonly moves: ReadonlyMap<string, Move>;
  /** Events lost inside. */
  readonly lost: number;
  /** Objects that had to be forgotten. */
  readonly forgotten: number;
}

interface LastEvent {
  kind: number;
  ts: number;
}

class Profiler {
  readonly #objects: ObjectTable;
  readonly #once = new Once();
  readonly #view = new EventView();
  readonly #kinds = new Float64Array(LAYOUTS.length);
  /** By share: its objects' last events. */
  readonly #last = SHARES.map(() => new Map<string | number, LastEvent>());
  readonly #moves = new Map<number, Move>();
  readonly #missingNs = new Float64Array(SHARES.length);
  readonly #missingUntil = new Float64Array(SHARES.length);
  #first = Number.NaN;
  #end = 0;
  #lost = 0;
  #forgotten = 0;

  constructor(objects: ObjectTable) {
    this.#objects = objects;
  }

  take(batch: Batch): void {
    const breaks = this.#once.mark(batch);
    const { kinds } = this.#once;
    const view = this.#view;
    let next = 0;
    for (let slot = 0; slot < batch.slots; slot += view.slots) {
      const at = slot * SLOT_LANES;
      view.move(batch.lanes, at);
      for (; next < breaks.length && (breaks[next] as Break).at <= at; next++)
        this.#forget((breaks[next] as Break).forget);
      if (((batch.lanes[at + HEAD.kindFlags] as number) & 0xffff) === GAP_KIND) this.#miss(view);
      else if (kinds[slot] !== GAP_KIND) this.#event(view, kinds[slot] as number);
    }
  }

  #event(event: EventView, kind: number): void {
    const { ts } = event;
    // What was found when recording began has not happened.
    if (event.flags & FLAG.snapshot) return;
    if (Number.isNaN(this.#first)) this.#first = ts;
    this.#end = ts;
    this.#kinds[kind] = (this.#kinds[kind] as number) + 1;
    const identity = identityOf(event, this.#objects);
    const followed = this.#last[SHARE_OF_KIND[kind] as number];
    if (identity === null || !followed) return;
    const last = followed.get(identity);
    if (!last) {
      if (followed.size >= OBJECTS_FOLLOWED) this.#forgetFirst(followed);
      followed.set(identity, { kind, ts });
      return;
    }
    this.#moved(last.kind, kind, ts - last.ts);
    last.kind = kind;
    last.ts = ts;
  }

  #moved(from: number, to: number, ns: number): void {
    const key = from * LAYOUTS.length + to;
    let move = this.#moves.get(key);
    if (!move) {
      move = { from: nameOf(from), to: nameOf(to), latency: new Histogram() };
      this.#moves.set(key, move);
    }
    move.latency.add(ns);
  }

  #miss(gap: EventView): void {
    const { lanes, at, ts } = gap;
    this.#lost += gap.u53('lost');
    const until =
      (lanes[at + LANE.gap.until] as number) + (lanes[at + LANE.gap.until + 1] as number) * 0x1_0000_0000;
    const shares = sharesOfName(gapPath(lanes, at));
    for (const share of SHARES.keys()) {
      if (((shares >>> share) & 1) === 0) continue;
      const from = Math.max(ts, this.#missingUntil[share] as number);
      if (until <= from) continue;
      this.#missingNs[share] = (this.#missingNs[share] as number) + until - from;
      this.#missingUntil[share] = until;
    }
  }

  #forget(shares: ShareSet): void {
    for (const [share, followed] of this.#last.entries()) if ((shares >>> share) & 1) followed.clear();
  }

  #forgetFirst(followed: Map<string | number, LastEvent>): void {
    for (const identity of followed.keys()) {
      followed.delete(identity);
      this.#forgotten++;
      return;
    }
  }

  finish(): Profile {
    const spanNs = Number.isNaN(this.#first) ? 0 : this.#end - this.#first;
    return {
      events: this.#kinds.reduce((sum, count) => sum + count, 0),
      spanNs,
      kinds: new Map(
        LAYOUTS.flatMap(({ kind, number }) => (this.#kinds[number] ? [[kind, this.#kinds[number]]] : [])),
      ),
      observedNs: new Map(
        SHARES.map((path, share) => [path, Math.max(0, spanNs - (this.#missingNs[share] as number))]),
      ),
      moves: new Map([...this.#moves.values()].map((move) => [`${move.from} → ${move.to}`, move])),
      lost: this.#lost,
      forgotten: this.#forgotten,
    };
  }
}

function nameOf(kind: number): string {
  return LAYOUTS[kind]?.kind ?? '';
}

export function profileOf(
  batches: Iterable<Batch>,
  objects: ObjectTable,
  onProgress?: (slots: number) => void,
): Profile {
  const profiler = new Profiler(objects);
  let done = 0;
  for (const batch of batches) {
    profiler.take(batch);
    done += batch.slots;
    onProgress?.(done);
  }
  return profiler.finish();
}
