// The things that events speak of by a dense index: umems, queues, sockets; each defined once, when first seen.

export type ObjectType = 'umem' | 'queue' | 'socket';

/**
 * One entry of the object table (`struct fr_object_entry` in bpf/objects.bpf.h). Entries are never changed or reused once
 * written, so that the index in an old event keeps its meaning.
 */
export interface ObjectEntry {
  readonly index: number;
  readonly type: ObjectType;
  /** When it was first seen, ns of CLOCK_MONOTONIC. */
  readonly ts: number;
  /** Network namespace cookie (never reused, unlike the inode number); 0 if unknown. */
  readonly netns: bigint;
  readonly ifindex: number;
  readonly queue: number;
  /** Index of the umem that this queue or socket uses, or its own index for a umem; 0xffffffff if none yet. */
  readonly umem: number;
  /** Index of the queue a socket is bound to; 0xffffffff if none yet. */
  readonly parent: number;
  /** Process and thread that made it, 0 if it existed before the recorder. */
  readonly tgid: number;
  readonly tid: number;
  readonly comm: string;
  /** Device name for queues and sockets. */
  readonly name: string;
  /** Bytes of a umem; entries of the FILL ring for a queue. */
  readonly size: number;
  readonly chunkSize: number;
  readonly headroom: number;
  readonly flags: number;
}

/** Entries of the object table (FR_OBJECTS_MAX in bpf/objects.bpf.h). */
export const OBJECTS_MAX = 16384;

/** `umem` or `parent` of an object that has none. */
export const NO_OBJECT = 0xffff_ffff;

/** Read access to the object table; live it grows, in a recording it is complete from the start. */
export interface ObjectTable {
  /** The entry, or undefined if the index was never defined. */
  get(index: number): ObjectEntry | undefined;
  readonly length: number;
}
