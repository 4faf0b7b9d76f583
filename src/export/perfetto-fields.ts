// Field numbers of Perfetto's trace format, from its protos/perfetto/trace/*.proto (google/perfetto).

/** trace.proto: message Trace. */
export const TRACE = { packet: 1 } as const;

/** trace_packet.proto: message TracePacket. */
export const PACKET = {
  clockSnapshot: 6,
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  systemInfo: 45,
  defaults: 59,
  trackDescriptor: 60,
  firstOnSequence: 87,
} as const;

/** trace_packet.proto: enum SequenceFlags. */
export const SEQUENCE = { cleared: 1, needsState: 2 } as const;

/** trace_packet_defaults.proto. */
export const DEFAULTS = { timestampClockId: 58 } as const;

/** clock_snapshot.proto, and the enum of common/builtin_clock.proto. */
export const CLOCKS = { clock: 1, primary: 2 } as const;
export const CLOCK = { id: 1, timestamp: 2 } as const;
export const BUILTIN_CLOCK = { realtime: 1, monotonic: 3 } as const;

/** track_event/track_descriptor.proto, and its enum ChildTracksOrdering. */
export const TRACK = {
  uuid: 1,
  name: 2,
  process: 3,
  thread: 4,
  parent: 5,
  childOrdering: 11,
  siblingRank: 12,
} as const;
export const CHILD_ORDERING = { explicit: 3 } as const;

/** track_event/process_descriptor.proto, track_event/thread_descriptor.proto. */
export const PROCESS = { pid: 1, name: 6 } as const;
export const THREAD = { pid: 1, tid: 2, name: 5 } as const;

/** track_event/track_event.proto: message TrackEvent, enum Type. */
export const EVENT = {
  categoryIds: 3,
  annotations: 4,
  type: 9,
  nameId: 10,
  track: 11,
  name: 23,
  flowIds: 47,
  terminatingFlowIds: 48,
} as const;
export const EVENT_TYPE = { begin: 1, end: 2, instant: 3 } as const;

/** track_event/debug_annotation.proto. */
export const ANNOTATION = {
  nameId: 1,
  bool: 2,
  uint: 3,
  int: 4,
  double: 5,
  string: 6,
  pointer: 7,
  stringId: 17,
} as const;

/** interned_data/interned_data.proto, and the messages of its entries. */
export const INTERNED = { categories: 1, eventNames: 2, annotationNames: 3, annotationStrings: 29 } as const;
export const INTERNED_ENTRY = { id: 1, text: 2 } as const;
