// The JSON trace event format of chrome://tracing, which Perfetto and others read as well; written event by event.

import type { EventView } from '../decode/event-view.ts';
import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import type { Line } from './line.ts';
import { inPieces } from './pieces.ts';
import { type Facts, type Painter, paint, type ThreadPlace, violationFacts } from './scene.ts';
import type { ExportSource } from './source.ts';

export function exportChrome(source: ExportSource): Generator<Uint8Array, void, undefined> {
  return inPieces(texts(source));
}

function* texts(source: ExportSource): Generator<string, void, undefined> {
  const { meta } = source;
  const painter = new ChromePainter();
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  let first = true;
  for (const _ of paint(source, painter)) {
    for (const text of painter.texts) {
      yield first ? text : `,\n${text}`;
      first = false;
    }
    painter.texts.length = 0;
  }
  const { flightring, createdAt, kernel, clocks } = meta;
  yield `\n],"otherData":${JSON.stringify({ flightring, createdAt, kernel, clocks })}}\n`;
}

/** Beyond every process id that Linux gives (PID_MAX_LIMIT, 2^22). */
const LANES = {
  violations: 2 ** 22 + 1,
  gaps: 2 ** 22 + 2,
  cpus: 2 ** 22 + 3,
  objects: 2 ** 22 + 4,
} as const;
type Lane = keyof typeof LANES;
const LANE_NAMES: Readonly<Record<Lane, string>> = {
  violations: 'Violations',
  gaps: 'Gaps',
  cpus: 'CPUs',
  objects: 'Objects',
};
const LANE_ORDER = Object.keys(LANES) as readonly Lane[];
/** The lane of what was there before, beside those of the CPUs. */
const BEFORE = SNAPSHOT_CPU;
/** What an arrow can be tied to must last; the shortest that the format can say. */
const INSTANT_NS = 1;

class ChromePainter implements Painter {
  readonly texts: string[] = [];
  readonly #named = new Set<string>();
  readonly #gapLanes = new Map<string, number>();
  readonly #gapEnds = new Map<string, number>();
  readonly #polls = new Map<number, { readonly ts: number; readonly name: string }>();
  readonly #arrows = new Set<number>();

  event(event: EventView, thread: ThreadPlace | null, facts: Facts, flows: readonly number[]): void {
    const { ts, cpu, kind: name } = event;
    const cat = event.layout?.path ?? 'unknown';
    const { pid, tid } = this.#placeOf(thread, cpu);
    if (flows.length === 0) this.#put({ ph: 'i', s: 't', name, cat, pid, tid, args: { cpu, ...facts } }, ts);
    else this.#put({ ph: 'X', dur: INSTANT_NS / 1000, name, cat, pid, tid, args: { cpu, ...facts } }, ts);
    for (const id of flows) {
      const ph = this.#arrows.has(id) ? 't' : 's';
      this.#arrows.add(id);
      this.#put({ ph, id, bp: 'e', name: 'evidence', cat: 'evidence', pid, tid }, ts);
    }
    if (thread === null || cpu === SNAPSHOT_CPU || pid === LANES.cpus) return;
    const args = { thread: `${thread.comm}-${thread.tid}` };
    this.#put({ ph: 'i', s: 't', name, cat, pid: LANES.cpus, tid: this.#cpu(cpu), args }, ts);
  }

  beginPoll(cpu: number, ts: number, name: string): void {
    this.#polls.set(cpu, { ts, name });
  }

  endPoll(cpu: number, ts: number): void {
    const poll = this.#polls.get(cpu);
    if (!poll) return;
    this.#polls.delete(cpu);
    const dur = (ts - poll.ts) / 1000;
    this.#put({ ph: 'X', dur, name: poll.name, cat: 'poll', pid: LANES.cpus, tid: this.#cpu(cpu) }, poll.ts);
  }

  gap(cpu: number, path: string, from: number, to: number, text: string): void {
    const where = `CPU ${cpu}${path === '' ? '' : ` ${path}`}`;
    const begin = Math.max(from, this.#gapEnds.get(where) ?? 0);
    this.#gapEnds.set(where, Math.max(begin, to));
    let tid = this.#gapLanes.get(where);
    if (tid === undefined) this.#gapLanes.set(where, (tid = this.#gapLanes.size + 1));
    const pid = this.#lane('gaps');
    this.#nameThread(pid, tid, where);
    const dur = Math.max(INSTANT_NS, to - begin) / 1000;
    this.#put({ ph: 'X', dur, name: `gap: ${text}`, cat: 'gap', pid, tid }, Math.min(begin, from));
  }

  enter({ id, type, label, state: last }: Line, state: string | null, ts: number): void {
    const line = { cat: type, id, pid: this.#lane('objects'), tid: 0 };
    // The format has no names for lines of objects: each slice names its own.
    if (last !== null) this.#put({ ph: 'e', name: `${label} ${last}`, ...line }, ts);
    if (state !== null) this.#put({ ph: 'b', name: `${label} ${state}`, ...line }, ts);
  }

  violation(violation: Violation, flow: number, joined: boolean): void {
    const { invariant, severity, sentence, at } = violation;
    const place = { pid: this.#lane('violations'), tid: 0 };
    const args = violationFacts(violation);
    this.#put({ ph: 'X', dur: INSTANT_NS / 1000, name: sentence, cat: severity, ...place, args }, at.ts);
    this.#put({ ph: 'i', s: 'g', name: invariant, cat: severity, ...place }, at.ts);
    if (joined) this.#put({ ph: 'f', bp: 'e', id: flow, name: 'evidence', cat: 'evidence', ...place }, at.ts);
  }

  note(text: string, ts: number): void {
    this.#put({ ph: 'i', s: 'p', name: text, cat: 'note', pid: this.#lane('objects'), tid: 0 }, ts);
  }

  /** Microseconds with three digits behind the point: a nanosecond is kept, however long the machine is up. */
  #put(fields: Readonly<Record<string, unknown>>, ts: number): void {
    const micros = Math.floor(ts / 1000);
    const nanos = String(ts - micros * 1000).padStart(3, '0');
    this.texts.push(`{"ts":${micros}.${nanos},${JSON.stringify(fields).slice(1)}`);
  }

  #placeOf(thread: ThreadPlace | null, cpu: number): { readonly pid: number; readonly tid: number } {
    if (thread === null) {
      const pid = this.#lane('cpus');
      this.#nameThread(pid, BEFORE, 'existed before');
      return { pid, tid: BEFORE };
    }
    // What interrupted an idle CPU is of no thread.
    if (thread.tid === 0) return { pid: this.#lane('cpus'), tid: this.#cpu(cpu) };
    const { pid, tid, comm } = thread;
    this.#name('process_name', pid, tid, comm);
    this.#nameThread(pid, tid, comm);
    return { pid, tid };
  }

  #cpu(cpu: number): number {
    this.#nameThread(this.#lane('cpus'), cpu, `CPU ${cpu}`);
    return cpu;
  }

  #lane(lane: Lane): number {
    const pid = LANES[lane];
    if (this.#name('process_name', pid, 0, LANE_NAMES[lane]))
      this.#meta('process_sort_index', pid, 0, { sort_index: LANE_ORDER.indexOf(lane) - LANE_ORDER.length });
    return pid;
  }

  #nameThread(pid: number, tid: number, name: string): void {
    const key = `${pid}/${tid}`;
    if (this.#named.has(key)) return;
    this.#named.add(key);
    this.#meta('thread_name', pid, tid, { name });
  }

  #name(what: 'process_name', pid: number, tid: number, name: string): boolean {
    const key = String(pid);
    if (this.#named.has(key)) return false;
    this.#named.add(key);
    this.#meta(what, pid, tid, { name });
    return true;
  }

  #meta(name: string, pid: number, tid: number, args: Readonly<Record<string, unknown>>): void {
    this.texts.push(JSON.stringify({ ph: 'M', name, pid, tid, args }));
  }
}
