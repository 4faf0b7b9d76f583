// The geometry of a ring slot: 64 bytes seen as sixteen 32-bit lanes, as bpf/recorder.bpf.h writes them.

/** Bytes of one slot: one cache line. */
export const SLOT_BYTES = 64;
/** 32-bit lanes of one slot. */
export const SLOT_LANES = 16;

/** Lane numbers of the head that every record begins with (`struct fr_head`). */
export const HEAD = {
  seqLow: 0,
  seqHigh: 1,
  tsLow: 2,
  tsHigh: 3,
  tid: 4,
  tgid: 5,
  kindFlags: 6,
  cpu: 7,
} as const;

/** Bytes of the head; a record's own fields follow. */
export const HEAD_BYTES = 32;
/** Payload bytes of a record's first slot. */
export const FIRST_PAYLOAD = SLOT_BYTES - HEAD_BYTES;
/** Payload bytes of a continuation slot, which has only a sequence number as head. */
export const NEXT_PAYLOAD = SLOT_BYTES - 8;

/** Top bit of `seqHigh`: this slot continues the record that began before it. */
export const CONTINUATION = 0x8000_0000;

/** A share of the rings numbers its events from its own number times this: (CPU, sequence) names an event over all of them. */
export const SHARE_BASE = 2 ** 48;

/** Flags in the upper half of `kindFlags`. The lowest four bits count the continuation slots. */
export const FLAG = {
  /** Mask of the number of continuation slots that follow. */
  slots: 0x000f,
  /** The event rang the doorbell: the checker is woken at once. */
  urgent: 0x0010,
  /** The clock had stepped back by a nested interrupt; the time was set to its predecessor's. */
  clamped: 0x0020,
  /** Not an event: what was there already, found by looking (docs/adr/0015). */
  snapshot: 0x0080,
  /** Set while decoding: the same ring position was reported before (two CPUs looked at once). */
  repeated: 0x0040,
  /** First of the bits whose meaning belongs to the kind. */
  own: 0x0100,
  /** Entries of its ring in front of this event were seen, and left out of the recording on purpose: no hole. */
  cut: 0x8000,
} as const;

/** The CPU of records that no CPU wrote: those of the snapshot. They follow what CPUs wrote at the same time. */
export const SNAPSHOT_CPU = 0xffff;

/** A recording may tell of an object more than once: the sequence numbers of its tellings are so far apart. */
export const SNAPSHOT_TELLING = 2 ** 45;

/** Set in the kind lane by decoding for an event that repeats an earlier one: no invariant sees it. */
export const REPEATED_KIND = 0x8000;

/** Kind number of a gap: events lost at this place (the payload says how many and why). */
export const GAP_KIND = 0;

/** A run of slots in total order, with the places at which what was known stops being known. */
export interface Batch {
  /** Lanes of `slots` slots, 16 each. */
  readonly lanes: Uint32Array;
  /** Number of slots that hold records. */
  slots: number;
  /** Slots of records in front of and among these that were left out, since nobody asked for their kinds. */
  readonly skipped?: number;
}

/** The byte, counted from the record's first slot, at which byte `offset` of the record lies. */
export function slotByte(offset: number): number {
  if (offset < SLOT_BYTES) return offset;
  const beyond = offset - SLOT_BYTES;
  return SLOT_BYTES * (1 + Math.floor(beyond / NEXT_PAYLOAD)) + 8 + (beyond % NEXT_PAYLOAD);
}

/** Nanoseconds of CLOCK_MONOTONIC of the slot that begins at lane `at`; exact below 2^53 (104 days of uptime). */
export function timeAt(lanes: Uint32Array, at: number): number {
  return (lanes[at + HEAD.tsLow] as number) + (lanes[at + HEAD.tsHigh] as number) * 0x1_0000_0000;
}

/** Sequence number on its CPU of the slot that begins at lane `at`, without the continuation bit. */
export function sequenceAt(lanes: Uint32Array, at: number): number {
  return (
    (lanes[at + HEAD.seqLow] as number) + ((lanes[at + HEAD.seqHigh] as number) & 0x7fff_ffff) * 0x1_0000_0000
  );
}
