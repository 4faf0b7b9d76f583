// The checker's side of the snapshot: holds the first events back until it is known what existed before them.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Batch, SLOT_LANES } from '../../model/slot.ts';
import type { DumpEnd, DumpPart } from '../../source/snapshot/dump.ts';
import { Inventory, type InventoryOptions } from './inventory.ts';
import { type PackedVersions, packVersions, RowMerger } from './rows.ts';

/** What the thread that dumps says to the checker. */
export type FromDump =
  | { readonly type: 'part'; readonly part: DumpPart }
  | { readonly type: 'end'; readonly end: DumpEnd };

/** How long and how much is held back; after that events are checked, and the snapshot is told when it comes. */
const HOLD_NS = 5e9;
const HOLD_SLOTS = 131_072;

/** The snapshot as an exporter needs it. */
export interface SnapshotFacts {
  readonly versions: PackedVersions;
  readonly notes: readonly string[];
}

export class Opening {
  readonly #inventory: Inventory;
  readonly #port: MessagePort;
  readonly #armedAt: number;
  readonly #merger = new RowMerger();
  #parts: DumpPart[] = [];
  #end: DumpEnd | null = null;
  #settled = false;
  /** Set once, when the snapshot has been taken: how many objects it told of, and what it does not hold. */
  taken: { readonly records: number; readonly notes: readonly string[] } | null = null;
  #watermark = 0;
  #held: Batch[] | null = [];
  #heldSlots = 0;

  constructor(options: InventoryOptions, port: MessagePort) {
    this.#inventory = new Inventory(options);
    this.#port = port;
    this.#armedAt = options.armedAt;
  }

  /** Events are held back: what is in them has not been checked. */
  get holding(): boolean {
    return this.#held !== null;
  }

  /**
   * What is to be checked now, after a drain that delivered everything older than `watermark`. With `hurry` nothing is held
   * back any longer.
   */
  *take(batch: Batch, watermark: number, hurry: boolean): Generator<Batch, void, undefined> {
    if (!this.#settled) this.#listen();
    if (batch.slots > 0) this.#inventory.follow(batch);
    this.#watermark = watermark;
    if (this.#held === null) yield* this.#merger.merge(batch);
    else {
      this.#hold(batch);
      const long = this.#heldSlots > HOLD_SLOTS || watermark > this.#armedAt + HOLD_NS;
      if (this.#settled || hurry || long) yield* this.release();
    }
  }

  /** What is held back. */
  *release(): Generator<Batch, void, undefined> {
    const held = this.#held ?? [];
    this.#held = null;
    for (const batch of held) yield* this.#merger.merge(batch);
  }

  facts(): SnapshotFacts {
    return { versions: packVersions(this.#inventory.versions()), notes: this.#inventory.notes };
  }

  /** Takes what has come; reconciles when it is whole and all events up to its end have been followed. */
  #listen(): void {
    while (this.#end === null) {
      const received = receiveMessageOnPort(this.#port) as { message: FromDump } | undefined;
      if (!received) return;
      const { message } = received;
      if (message.type === 'part') this.#parts.push(message.part);
      else this.#end = message.end;
    }
    if (this.#parts.some(({ to }) => to >= this.#watermark)) return;
    this.#settled = true;
    for (const note of this.#end.notes) this.#inventory.note(note);
    // While events are held back, none has been checked.
    const checkedTo = this.#held === null ? this.#watermark - 1 : this.#armedAt;
    const rows = this.#inventory.settle(this.#parts, checkedTo);
    this.#merger.add(rows);
    this.taken = { records: rows.length, notes: this.#inventory.notes };
    this.#parts = [];
    this.#port.close();
  }

  #hold({ lanes, slots }: Batch): void {
    if (slots === 0) return;
    this.#held?.push({ lanes: lanes.slice(0, slots * SLOT_LANES), slots });
    this.#heldSlots += slots;
  }
}
