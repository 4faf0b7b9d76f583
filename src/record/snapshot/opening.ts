// The checker's side of the snapshot: holds the first events back until it is known what existed before them.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Batch } from '../../model/slot.ts';
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
  #holds = true;

  constructor(options: InventoryOptions, port: MessagePort) {
    this.#inventory = new Inventory(options);
    this.#port = port;
    this.#armedAt = options.armedAt;
  }

  /** Follows what a drain delivered, which is everything older than `watermark`. */
  follow(batch: Batch, watermark: number): void {
    if (!this.#settled) this.#listen();
    if (batch.slots > 0) this.#inventory.follow(batch);
    this.#watermark = watermark;
  }

  /** Events are to be held back, of which `slots` are waiting; with `hurry` nothing is held back any longer. */
  holds(slots: number, hurry: boolean): boolean {
    const isLong = slots > HOLD_SLOTS || this.#watermark > this.#armedAt + HOLD_NS;
    if (this.#settled || hurry || isLong) this.#holds = false;
    return this.#holds;
  }

  /** What is to be checked, with what existed before it. */
  merge(batch: Batch): Generator<Batch, void, undefined> {
    return this.#merger.merge(batch);
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
    const checkedTo = this.#holds ? this.#armedAt : this.#watermark - 1;
    const rows = this.#inventory.settle(this.#parts, checkedTo);
    this.#merger.add(rows);
    this.taken = { records: rows.length, notes: this.#inventory.notes };
    this.#parts = [];
    this.#port.close();
  }
}
