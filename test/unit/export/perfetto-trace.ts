// Reads a Perfetto trace with protobufjs, which knows the format from perfetto.proto, and puts interned texts in their places.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export interface TraceTrack {
  readonly uuid: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly pid: number | undefined;
  readonly tid: number | undefined;
}

export interface TraceEvent {
  readonly ts: bigint;
  readonly type: 'TYPE_SLICE_BEGIN' | 'TYPE_SLICE_END' | 'TYPE_INSTANT';
  readonly track: string;
  readonly name: string | undefined;
  readonly category: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly flows: readonly string[];
  readonly endedFlows: readonly string[];
}

export interface PerfettoTrace {
  readonly packets: readonly Packet[];
  readonly tracks: ReadonlyMap<string, TraceTrack>;
  /** In the order of the file. */
  readonly events: readonly TraceEvent[];
}

interface Entry {
  readonly iid: string;
  readonly text?: string;
}

/** As protobufjs gives it: numbers of 64 bits as text. */
interface Packet {
  readonly timestamp?: string;
  readonly sequenceFlags?: number;
  readonly trustedPacketSequenceId?: number;
  readonly firstPacketOnSequence?: boolean;
  readonly tracePacketDefaults?: { readonly timestampClockId: number };
  readonly clockSnapshot?: {
    readonly clocks: readonly { readonly clockId: number; readonly timestamp: string }[];
    readonly primaryTraceClock: number;
  };
  readonly trackDescriptor?: {
    readonly uuid: string;
    readonly name: string;
    readonly parentUuid?: string;
    readonly process?: { readonly pid: number };
    readonly thread?: { readonly pid: number; readonly tid: number };
  };
  readonly trackEvent?: {
    readonly type: TraceEvent['type'];
    readonly trackUuid: string;
    readonly nameIid?: string;
    readonly name?: string;
    readonly categoryIids?: readonly string[];
    readonly flowIds?: readonly string[];
    readonly terminatingFlowIds?: readonly string[];
    readonly debugAnnotations?: readonly Readonly<Record<string, unknown>>[];
  };
  readonly internedData?: Readonly<Record<string, readonly Entry[]>>;
}

const root = protobuf.loadSync(fileURLToPath(new URL('perfetto.proto', import.meta.url)));
const Trace = root.lookupType('perfetto.protos.Trace');

function textOf(texts: ReadonlyMap<string, string> | undefined, iid: string): string {
  const text = texts?.get(iid);
  if (text === undefined) throw new Error(`nothing is interned as ${iid}`);
  return text;
}

/** Throws where a number stands for no text, or an event is on a track that wasn't described before it. */
export function readPerfetto(bytes: Uint8Array): PerfettoTrace {
  const { packet: packets = [] } = Trace.toObject(Trace.decode(bytes), {
    longs: String,
    enums: String,
  }) as { packet?: Packet[] };
  const tracks = new Map<string, TraceTrack>();
  const events: TraceEvent[] = [];
  const interned = new Map<string, Map<string, string>>();
  for (const { internedData, trackDescriptor, trackEvent, timestamp } of packets) {
    for (const [sort, entries] of Object.entries(internedData ?? {})) {
      const texts = interned.get(sort) ?? new Map<string, string>();
      interned.set(sort, texts);
      for (const { iid, text = '' } of entries) {
        if (texts.has(iid)) throw new Error(`${sort} ${iid} is interned twice`);
        texts.set(iid, text);
      }
    }
    if (trackDescriptor) {
      const { uuid, name, parentUuid: parent, process, thread } = trackDescriptor;
      if (parent !== undefined && !tracks.has(parent)) throw new Error(`track ${name} has an unknown parent`);
      if (tracks.has(uuid)) throw new Error(`track ${uuid} is described twice`);
      tracks.set(uuid, { uuid, name, parent, pid: thread?.pid ?? process?.pid, tid: thread?.tid });
    }
    if (!trackEvent) continue;
    const { type, trackUuid: track, nameIid, name, categoryIids = [] } = trackEvent;
    if (!tracks.has(track)) throw new Error(`an event is on track ${track}, which isn't described`);
    if (timestamp === undefined) throw new Error('an event has no time');
    events.push({
      ts: BigInt(timestamp),
      type,
      track,
      name: nameIid === undefined ? name : textOf(interned.get('eventNames'), nameIid),
      category:
        categoryIids.map((iid) => textOf(interned.get('eventCategories'), iid)).join(',') || undefined,
      facts: Object.fromEntries((trackEvent.debugAnnotations ?? []).map((fact) => factOf(fact, interned))),
      flows: trackEvent.flowIds ?? [],
      endedFlows: trackEvent.terminatingFlowIds ?? [],
    });
  }
  return { packets, tracks, events };
}

function factOf(
  { nameIid, stringValueIid, ...value }: Readonly<Record<string, unknown>>,
  interned: ReadonlyMap<string, ReadonlyMap<string, string>>,
): [string, unknown] {
  const name = textOf(interned.get('debugAnnotationNames'), nameIid as string);
  if (stringValueIid === undefined) return [name, Object.values(value)[0]];
  return [name, textOf(interned.get('debugAnnotationStringValues'), stringValueIid as string)];
}
