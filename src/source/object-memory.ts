// The object table as the kernel side fills it, read from shared memory.

import { formatText } from '../decode/format.ts';
import { CONTROL, OBJECT_BYTES, OBJECT_FIELDS } from '../generated/layouts.ts';
import { OBJECTS_MAX, type ObjectEntry, type ObjectTable, type ObjectType } from '../model/objects.ts';

const TYPES: readonly (ObjectType | undefined)[] = [undefined, 'umem', 'queue', 'socket'];
const OFFSET = new Map(OBJECT_FIELDS.map((field) => [field.name, field.offset]));

function at(name: string): number {
  const offset = OFFSET.get(name);
  if (offset === undefined) throw new Error(`struct fr_object_entry has no ${name}`);
  return offset;
}

const F = {
  type: at('type'),
  umem: at('umem'),
  ts: at('ts'),
  netns: at('netns'),
  ifindex: at('ifindex'),
  queue: at('queue'),
  parent: at('parent'),
  tgid: at('tgid'),
  tid: at('tid'),
  chunkSize: at('chunk_size'),
  size: at('size'),
  headroom: at('headroom'),
  flags: at('flags'),
  comm: at('comm'),
  name: at('name'),
} as const;

export class ObjectMemory implements ObjectTable {
  readonly #memory: DataView;
  readonly #control: DataView;

  constructor(memory: Buffer, control: Buffer) {
    this.#memory = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#control = new DataView(control.buffer, control.byteOffset, control.byteLength);
  }

  get length(): number {
    return Math.min(this.#control.getUint32(CONTROL.objects, true), OBJECTS_MAX);
  }

  get(index: number): ObjectEntry | undefined {
    if (index >= this.length) return undefined;
    const m = this.#memory;
    const o = index * OBJECT_BYTES;
    const type = TYPES[m.getUint32(o + F.type, true)];
    if (type === undefined) return undefined;
    const text = (offset: number) => formatText(new DataView(m.buffer, m.byteOffset + o + offset, 16));
    return {
      index,
      type,
      ts: Number(m.getBigUint64(o + F.ts, true)),
      netns: m.getBigUint64(o + F.netns, true),
      ifindex: m.getUint32(o + F.ifindex, true),
      queue: m.getUint32(o + F.queue, true),
      umem: m.getUint32(o + F.umem, true),
      parent: m.getUint32(o + F.parent, true),
      tgid: m.getUint32(o + F.tgid, true),
      tid: m.getUint32(o + F.tid, true),
      comm: text(F.comm),
      name: text(F.name),
      size: Number(m.getBigUint64(o + F.size, true)),
      chunkSize: m.getUint32(o + F.chunkSize, true),
      headroom: m.getUint32(o + F.headroom, true),
      flags: m.getUint32(o + F.flags, true),
    };
  }

  /** All entries in use, as they are now. */
  all(): ObjectEntry[] {
    const entries: ObjectEntry[] = [];
    for (let i = 0; i < this.length; i++) {
      const entry = this.get(i);
      if (entry) entries.push(entry);
    }
    return entries;
  }
}
