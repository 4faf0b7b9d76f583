// Writes packets of Perfetto's trace format one after the other, each text once.

import { PbfWriter } from 'pbf';
import {
  ANNOTATION,
  BUILTIN_CLOCK,
  CLOCK,
  CLOCKS,
  DEFAULTS,
  EVENT,
  EVENT_TYPE,
  INTERNED,
  INTERNED_ENTRY,
  PACKET,
  PROCESS,
  SEQUENCE,
  THREAD,
  TRACE,
  TRACK,
} from './perfetto-fields.ts';
import type { Facts } from './scene.ts';

export interface TrackSpec {
  readonly uuid: number;
  readonly name: string;
  readonly parent?: number;
  readonly process?: { readonly pid: number };
  readonly thread?: { readonly pid: number; readonly tid: number };
  /** The children stand in the order of their ranks. */
  readonly childOrdering?: number;
  readonly rank?: number;
}

export interface TrackEventSpec {
  readonly type: number;
  readonly track: number;
  readonly ts: number;
  readonly category?: string;
  /** Said by many events. */
  readonly name?: string;
  /** Said only here. */
  readonly sentence?: string;
  readonly facts?: Facts;
  readonly flows?: readonly number[];
  readonly endsFlow?: number;
}

/** All packets are of one writer. */
const SEQUENCE_ID = 1;
/** Readers keep times as signed numbers of 64 bits; a damaged one may be larger. */
const TIME_MAX = 2 ** 62;
/** Texts kept at most, of each sort: what is longer or comes later is written where it is said. */
const TEXTS_MAX = 8192;
const TEXT_LENGTH_MAX = 100;

/** Texts by number; those that are new are told in the packet that says them first. */
class Texts {
  readonly #ids = new Map<string, number>();
  readonly field: number;
  fresh: [id: number, text: string][] = [];

  constructor(field: number) {
    this.field = field;
  }

  /** 0 if it isn't kept. */
  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= TEXTS_MAX || text.length > TEXT_LENGTH_MAX) return 0;
    const id = this.#ids.size + 1;
    this.#ids.set(text, id);
    this.fresh.push([id, text]);
    return id;
  }
}

export class PerfettoWriter {
  readonly #pbf = new PbfWriter(new Uint8Array(1 << 17));
  readonly #categories = new Texts(INTERNED.categories);
  readonly #names = new Texts(INTERNED.eventNames);
  readonly #keys = new Texts(INTERNED.annotationNames);
  readonly #strings = new Texts(INTERNED.annotationStrings);
  readonly #all = [this.#categories, this.#names, this.#keys, this.#strings];
  #begun = false;

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#pbf.pos;
  }

  /** Valid until the next packet. */
  take(): Uint8Array {
    const bytes = this.#pbf.buf.subarray(0, this.#pbf.pos);
    this.#pbf.pos = 0;
    return bytes;
  }

  /** Times of packets are those of CLOCK_MONOTONIC; both are in ns, as decimal digits. */
  clocks(monotonicNs: string, realtimeNs: string): void {
    this.#packet(null, (pbf) =>
      pbf.writeMessage(PACKET.clockSnapshot, writeClocks, [
        [BUILTIN_CLOCK.monotonic, monotonicNs],
        [BUILTIN_CLOCK.realtime, realtimeNs],
      ]),
    );
  }

  track(spec: TrackSpec): void {
    this.#packet(null, (pbf) => pbf.writeMessage(PACKET.trackDescriptor, writeTrack, spec));
  }

  event(spec: TrackEventSpec): void {
    this.#packet(spec.ts, (pbf) => {
      pbf.writeMessage(PACKET.trackEvent, this.#writeEvent, spec);
      if (this.#all.some(({ fresh }) => fresh.length > 0))
        pbf.writeMessage(PACKET.internedData, writeTexts, this.#all);
    });
  }

  #packet(ts: number | null, write: (pbf: PbfWriter) => void): void {
    this.#pbf.writeMessage(
      TRACE.packet,
      (_, pbf) => {
        if (ts !== null) pbf.writeVarintField(PACKET.timestamp, Math.min(ts, TIME_MAX));
        pbf.writeVarintField(PACKET.sequenceId, SEQUENCE_ID);
        if (this.#begun) pbf.writeVarintField(PACKET.sequenceFlags, SEQUENCE.needsState);
        else this.#begin(pbf);
        write(pbf);
      },
      null,
    );
  }

  /** Of the first packet: nothing before it is needed to understand what follows. */
  #begin(pbf: PbfWriter): void {
    this.#begun = true;
    pbf.writeVarintField(PACKET.sequenceFlags, SEQUENCE.cleared);
    pbf.writeBooleanField(PACKET.firstOnSequence, true);
    pbf.writeMessage(
      PACKET.defaults,
      (clock, inner) => inner.writeVarintField(DEFAULTS.timestampClockId, clock),
      BUILTIN_CLOCK.monotonic,
    );
  }

  readonly #writeEvent = (spec: TrackEventSpec, pbf: PbfWriter): void => {
    const { category, name, sentence, facts, flows, endsFlow } = spec;
    pbf.writeVarintField(EVENT.type, spec.type);
    pbf.writeVarintField(EVENT.track, spec.track);
    // An end says nothing but where and when.
    if (spec.type === EVENT_TYPE.end) return;
    if (category !== undefined) pbf.writeVarintField(EVENT.categoryIds, this.#categories.id(category));
    if (name !== undefined) this.#writeName(name, pbf);
    else if (sentence !== undefined) pbf.writeStringField(EVENT.name, sentence);
    for (const flow of flows ?? []) pbf.writeFixed64Field(EVENT.flowIds, flow);
    if (endsFlow !== undefined) pbf.writeFixed64Field(EVENT.terminatingFlowIds, endsFlow);
    for (const key in facts) {
      const value = facts[key];
      if (value !== null) pbf.writeMessage(EVENT.annotations, this.#writeFact, [key, value]);
    }
  };

  #writeName(name: string, pbf: PbfWriter): void {
    const id = this.#names.id(name);
    if (id === 0) pbf.writeStringField(EVENT.name, name);
    else pbf.writeVarintField(EVENT.nameId, id);
  }

  readonly #writeFact = ([key, value]: readonly [string, unknown], pbf: PbfWriter): void => {
    pbf.writeVarintField(ANNOTATION.nameId, this.#keys.id(key));
    if (typeof value === 'number') {
      if (!Number.isInteger(value)) pbf.writeDoubleField(ANNOTATION.double, value);
      else pbf.writeVarintField(value < 0 ? ANNOTATION.int : ANNOTATION.uint, value);
    } else if (typeof value === 'boolean') pbf.writeBooleanField(ANNOTATION.bool, value);
    else this.#writeText(String(value), pbf);
  };

  #writeText(text: string, pbf: PbfWriter): void {
    // Addresses are many and said once or twice each.
    if (/^0x[0-9a-f]{1,13}$/.test(text)) {
      pbf.writeVarintField(ANNOTATION.pointer, Number(text));
      return;
    }
    const id = this.#strings.id(text);
    if (id === 0) pbf.writeStringField(ANNOTATION.string, text);
    else pbf.writeVarintField(ANNOTATION.stringId, id);
  }
}

function writeClocks(clocks: readonly (readonly [id: number, ns: string])[], pbf: PbfWriter): void {
  for (const clock of clocks) pbf.writeMessage(CLOCKS.clock, writeClock, clock);
  pbf.writeVarintField(CLOCKS.primary, BUILTIN_CLOCK.monotonic);
}

function writeClock([id, ns]: readonly [number, string], pbf: PbfWriter): void {
  pbf.writeVarintField(CLOCK.id, id);
  pbf.writeTag(CLOCK.timestamp, 0);
  writeWideVarint(BigInt.asUintN(64, BigInt(ns)), pbf);
}

/** Beyond what a number holds exactly: the time of day in ns. */
function writeWideVarint(value: bigint, pbf: PbfWriter): void {
  pbf.realloc(10);
  let rest = value;
  while (rest >= 0x80n) {
    pbf.buf[pbf.pos++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  pbf.buf[pbf.pos++] = Number(rest);
}

function writeTrack(spec: TrackSpec, pbf: PbfWriter): void {
  const { uuid, name, parent, process, thread, childOrdering, rank } = spec;
  pbf.writeVarintField(TRACK.uuid, uuid);
  if (parent !== undefined) pbf.writeVarintField(TRACK.parent, parent);
  pbf.writeStringField(TRACK.name, name);
  if (process)
    pbf.writeMessage(
      TRACK.process,
      ({ pid }, inner) => {
        inner.writeVarintField(PROCESS.pid, pid | 0);
        inner.writeStringField(PROCESS.name, name);
      },
      process,
    );
  if (thread)
    pbf.writeMessage(
      TRACK.thread,
      ({ pid, tid }, inner) => {
        inner.writeVarintField(THREAD.pid, pid | 0);
        inner.writeVarintField(THREAD.tid, tid | 0);
        inner.writeStringField(THREAD.name, name);
      },
      thread,
    );
  if (childOrdering !== undefined) pbf.writeVarintField(TRACK.childOrdering, childOrdering);
  if (rank !== undefined) pbf.writeVarintField(TRACK.siblingRank, rank);
}

function writeTexts(sorts: readonly Texts[], pbf: PbfWriter): void {
  for (const sort of sorts) {
    for (const entry of sort.fresh) pbf.writeMessage(sort.field, writeTextEntry, entry);
    sort.fresh = [];
  }
}

function writeTextEntry([id, text]: readonly [number, string], pbf: PbfWriter): void {
  pbf.writeVarintField(INTERNED_ENTRY.id, id);
  pbf.writeStringField(INTERNED_ENTRY.text, text);
}
