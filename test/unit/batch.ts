// Builds batches of slots from plain descriptions of events, and an object table in memory, for tests.

import { LAYOUTS } from '../../src/generated/layouts.ts';
import type { FieldLayout, RecordLayout } from '../../src/model/layout.ts';
import { NO_OBJECT, type ObjectEntry, type ObjectTable } from '../../src/model/objects.ts';
import {
  type Batch,
  CONTINUATION,
  HEAD,
  NEXT_PAYLOAD,
  SLOT_BYTES,
  SLOT_LANES,
} from '../../src/model/slot.ts';

/** An event in words: its kind, when and where, and any of its fields by name; what is left out is 0. */
export interface EventSpec {
  readonly kind: string;
  readonly ts: number;
  readonly cpu?: number;
  readonly tid?: number;
  readonly pid?: number;
  readonly flags?: number;
  readonly [field: string]: number | bigint | string | undefined;
}

const BY_KIND = new Map(LAYOUTS.map((layout) => [layout.kind, layout]));

/** Numbers the events of each CPU from 1 as the recorder does, over all batches of one test. */
export class BatchBuilder {
  readonly #next = new Map<number, number>();

  build(events: readonly EventSpec[]): Batch {
    const layouts = events.map((event) => {
      const layout = BY_KIND.get(event.kind);
      if (!layout) throw new Error(`there is no kind of event ${event.kind}`);
      return layout;
    });
    const slots = layouts.reduce((sum, layout) => sum + layout.slots, 0);
    const lanes = new Uint32Array(slots * SLOT_LANES);
    let at = 0;
    for (const [i, event] of events.entries()) {
      const layout = layouts[i] as RecordLayout;
      this.#write(lanes, at, event, layout);
      at += layout.slots * SLOT_LANES;
    }
    return { lanes, slots };
  }

  #write(lanes: Uint32Array, at: number, event: EventSpec, layout: RecordLayout): void {
    const cpu = event.cpu ?? 0;
    const first = this.#next.get(cpu) ?? 1;
    this.#next.set(cpu, first + layout.slots);
    lanes[at + HEAD.seqLow] = first;
    lanes[at + HEAD.tsLow] = event.ts;
    lanes[at + HEAD.tsHigh] = Math.floor(event.ts / 0x1_0000_0000);
    lanes[at + HEAD.tid] = event.tid ?? 0;
    lanes[at + HEAD.tgid] = event.pid ?? 0;
    lanes[at + HEAD.kindFlags] = layout.number | (((event.flags ?? 0) | (layout.slots - 1)) << 16);
    lanes[at + HEAD.cpu] = cpu;
    for (let i = 1; i < layout.slots; i++) {
      lanes[at + i * SLOT_LANES] = first + i;
      lanes[at + i * SLOT_LANES + 1] = CONTINUATION;
    }
    const bytes = new DataView(lanes.buffer, at * 4, layout.slots * SLOT_BYTES);
    for (const field of layout.fields) {
      const value = event[field.name];
      if (value === undefined) continue;
      for (const [j, byte] of encode(field, value).entries()) bytes.setUint8(placeOf(field.offset + j), byte);
    }
  }
}

/** One batch of its own. */
export function buildBatch(events: readonly EventSpec[]): Batch {
  return new BatchBuilder().build(events);
}

/** Where a record's byte lies when continuation slots have their own 8-byte head. */
function placeOf(offset: number): number {
  const beyond = offset - SLOT_BYTES;
  return beyond < 0
    ? offset
    : SLOT_BYTES * (1 + Math.floor(beyond / NEXT_PAYLOAD)) + 8 + (beyond % NEXT_PAYLOAD);
}

function encode(field: FieldLayout, value: number | bigint | string): Uint8Array {
  const bytes = new Uint8Array(field.size);
  if (typeof value === 'string') {
    if (field.type === 'mac') bytes.set(value.split(':').map((part) => Number.parseInt(part, 16)));
    else if (field.type === 'ip') bytes.set(encodeIp(value));
    else if (field.type === 'packet') bytes.set(Buffer.from(value, 'hex'));
    else bytes.set(Buffer.from(value).subarray(0, field.size));
    return bytes;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (let i = 0; i < field.size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** A dotted quad as the recorder stores it: ::ffff:a.b.c.d; or eight full groups of IPv6. */
function encodeIp(text: string): number[] {
  if (text.includes('.')) return [...new Array<number>(10).fill(0), 255, 255, ...text.split('.').map(Number)];
  return text.split(':').flatMap((group) => {
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 255];
  });
}

/** What a test says of an object; the rest is filled in. */
export type ObjectSpec = Partial<Omit<ObjectEntry, 'index'>> & Pick<ObjectEntry, 'type'>;

export function objectEntry(index: number, { type, ...known }: ObjectSpec): ObjectEntry {
  return {
    index,
    type,
    ts: 0,
    netns: 0n,
    ifindex: 0,
    queue: 0,
    umem: type === 'umem' ? index : NO_OBJECT,
    parent: NO_OBJECT,
    tgid: 0,
    tid: 0,
    comm: '',
    name: '',
    size: 0,
    chunkSize: 0,
    headroom: 0,
    flags: 0,
    ...known,
  };
}

/** An object table that grows as a test wishes; indices are given in order. */
export class ObjectTableInMemory implements ObjectTable {
  readonly #entries: ObjectEntry[] = [];

  constructor(specs: readonly ObjectSpec[] = []) {
    for (const spec of specs) this.add(spec);
  }

  get length(): number {
    return this.#entries.length;
  }

  get(index: number): ObjectEntry | undefined {
    return this.#entries[index];
  }

  add(spec: ObjectSpec): number {
    return this.#entries.push(objectEntry(this.#entries.length, spec)) - 1;
  }
}
