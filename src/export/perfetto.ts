// Perfetto's own trace format, for ui.perfetto.dev: threads, CPUs, life-lines of objects, violations, gaps.

import type { EventView } from '../decode/event-view.ts';
import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import type { Line } from './line.ts';
import { CHILD_ORDERING, EVENT_TYPE } from './perfetto-fields.ts';
import { PerfettoWriter } from './perfetto-writer.ts';
import { type Facts, type Painter, paint, type ThreadPlace, violationFacts } from './scene.ts';
import type { ExportSource } from './source.ts';

const PIECE = 1 << 16;

export function* exportPerfetto(source: ExportSource): Generator<Uint8Array, void, undefined> {
  const writer = new PerfettoWriter();
  const painter = new PerfettoPainter(writer, source);
  for (const _ of paint(source, painter)) if (writer.length >= PIECE) yield writer.take();
  if (writer.length > 0) yield writer.take();
}

/** The tracks at the top, in the order in which they are drawn. */
const TOP = ['Violations', 'Gaps', 'CPUs', 'Objects', 'Existed before'] as const;
type Top = (typeof TOP)[number];

const HEADING: Readonly<Record<string, string>> = {
  frame: 'Frames',
  queue: 'Queues',
  socket: 'AF_XDP sockets',
  umem: 'Umems',
  neighbour: 'Neighbours',
  fdb: 'Forwarding entries',
  vni: 'VNIs',
  sa: 'SAs',
  policy: 'Policies',
  device: 'Devices',
  address: 'Addresses',
  netns: 'Network namespaces',
  iterator: 'Iterators',
  cookie: 'Sockets',
};

/** Beyond this many, events are drawn on their CPUs only. */
const THREADS_MAX = 65_536;

class PerfettoPainter implements Painter {
  readonly #writer: PerfettoWriter;
  readonly #tops = new Map<Top, number>();
  readonly #tracks = new Map<string, number>();
  readonly #threads = new Map<number, { readonly pid: number; readonly uuid: number }>();
  readonly #processNames: ReadonlyMap<number, string>;
  /** By line. */
  readonly #lines: number[] = [];
  /** By CPU and path: until when a gap was drawn. */
  readonly #gapEnds = new Map<string, number>();
  #next = 1;

  constructor(writer: PerfettoWriter, { meta }: ExportSource) {
    this.#writer = writer;
    // A process is called like its first thread, whose number it has.
    this.#processNames = new Map(meta.threads.map(({ tid, comm }) => [tid, comm]));
    writer.clocks(meta.clocks.monotonicNs, meta.clocks.realtimeNs);
  }

  event(event: EventView, thread: ThreadPlace | null, facts: Facts, flows: readonly number[]): void {
    const { ts, cpu, kind: name } = event;
    const category = event.layout?.path ?? 'unknown';
    const type = EVENT_TYPE.instant;
    const own = thread === null ? this.#top('Existed before') : this.#thread(thread);
    this.#writer.event({ type, track: own ?? this.#cpu(cpu), ts, category, name, facts, flows });
    if (thread === null || own === null || cpu === SNAPSHOT_CPU) return;
    const by = { thread: `${thread.comm}-${thread.tid}`, seq: event.seq };
    this.#writer.event({ type, track: this.#cpu(cpu), ts, category, name, facts: by });
  }

  beginPoll(cpu: number, ts: number, name: string): void {
    this.#writer.event({ type: EVENT_TYPE.begin, track: this.#cpu(cpu), ts, category: 'poll', name });
  }

  endPoll(cpu: number, ts: number): void {
    this.#writer.event({ type: EVENT_TYPE.end, track: this.#cpu(cpu), ts });
  }

  gap(cpu: number, path: string, from: number, to: number, text: string): void {
    const where = `CPU ${cpu}${path === '' ? '' : ` ${path}`}`;
    const track = this.#track(`gap ${where}`, where, 'Gaps');
    // On one track nothing may overlap.
    const begin = Math.max(from, this.#gapEnds.get(where) ?? 0);
    const event = { track, category: 'gap', sentence: `gap: ${text}` };
    if (to <= begin) {
      this.#writer.event({ ...event, type: EVENT_TYPE.instant, ts: from });
      return;
    }
    this.#gapEnds.set(where, to);
    this.#writer.event({ ...event, type: EVENT_TYPE.begin, ts: begin });
    this.#writer.event({ type: EVENT_TYPE.end, track, ts: to });
  }

  enter(line: Line, state: string | null, ts: number): void {
    const track = this.#line(line);
    if (line.state !== null) this.#writer.event({ type: EVENT_TYPE.end, track, ts });
    if (state !== null)
      this.#writer.event({ type: EVENT_TYPE.begin, track, ts, category: line.type, name: state });
  }

  violation(violation: Violation, flow: number, joined: boolean): void {
    const { severity, sentence, at } = violation;
    this.#writer.event({
      type: EVENT_TYPE.instant,
      track: this.#top('Violations'),
      ts: at.ts,
      category: severity,
      sentence,
      facts: violationFacts(violation),
      ...(joined ? { endsFlow: flow } : {}),
    });
  }

  note(text: string, ts: number): void {
    const track = this.#top('Objects');
    this.#writer.event({ type: EVENT_TYPE.instant, track, ts, category: 'note', sentence: text });
  }

  #top(top: Top): number {
    const known = this.#tops.get(top);
    if (known !== undefined) return known;
    const uuid = this.#next++;
    const childOrdering = CHILD_ORDERING.explicit;
    this.#writer.track({ uuid, name: top, childOrdering, rank: TOP.indexOf(top) });
    this.#tops.set(top, uuid);
    return uuid;
  }

  #track(key: string, name: string, top: Top, rank?: number): number {
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const parent = this.#top(top);
    const uuid = this.#next++;
    this.#writer.track({ uuid, name, parent, ...(rank === undefined ? {} : { rank }) });
    this.#tracks.set(key, uuid);
    return uuid;
  }

  #cpu(cpu: number): number {
    return this.#track(`cpu ${cpu}`, `CPU ${cpu}`, 'CPUs', cpu);
  }

  #line({ id, type, label }: Line): number {
    const known = this.#lines[id];
    if (known !== undefined) return known;
    const parent = this.#track(`heading ${type}`, HEADING[type] ?? type, 'Objects');
    const uuid = this.#next++;
    this.#writer.track({ uuid, name: label, parent });
    this.#lines[id] = uuid;
    return uuid;
  }

  /** Null for a thread too many. */
  #thread({ pid, tid, comm }: ThreadPlace): number | null {
    // What interrupted an idle CPU is of no thread, and of as many as there are CPUs.
    if (tid === 0) return this.#track('idle', '<idle>', 'CPUs');
    const known = this.#threads.get(tid);
    if (known?.pid === pid) return known.uuid;
    if (this.#threads.size >= THREADS_MAX) return null;
    const process = this.#process(pid, comm);
    const uuid = this.#next++;
    this.#writer.track({ uuid, name: comm, parent: process, thread: { pid, tid } });
    this.#threads.set(tid, { pid, uuid });
    return uuid;
  }

  #process(pid: number, comm: string): number {
    const key = `process ${pid}`;
    const known = this.#tracks.get(key);
    if (known !== undefined) return known;
    const uuid = this.#next++;
    this.#writer.track({ uuid, name: this.#processNames.get(pid) ?? comm, process: { pid } });
    this.#tracks.set(key, uuid);
    return uuid;
  }
}
