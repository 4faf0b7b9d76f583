// What a viewer of traces draws: events on threads and CPUs, polls, gaps, life-lines, violations with the events behind them.

import type { EventView } from '../decode/event-view.ts';
import { KIND } from '../generated/layouts.ts';
import { GAP_KIND, SNAPSHOT_CPU } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import { addFacts } from '../report/event-json.ts';
import { flagWords } from '../report/fields.ts';
import { gapText } from '../report/gap.ts';
import { createPlaces } from '../report/places.ts';
import type { Line } from './line.ts';
import { LifeLines, LINES_MAX } from './lines.ts';
import type { ExportSource } from './source.ts';

/** What an event says, by field; not what its track and time say already. */
export type Facts = Readonly<Record<string, unknown>>;

/** What a violation says beside its sentence. */
export function violationFacts({ invariant, severity, object, orderDependent, at }: Violation): Facts {
  return {
    invariant,
    severity,
    object,
    order_dependent: orderDependent,
    kind: at.kind,
    cpu: at.cpu,
    seq: at.seq,
  };
}

/** One thread, or what was found before the recording began. */
export interface ThreadPlace {
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
}

/** Draws one form; times are ns of CLOCK_MONOTONIC, nearly in order. */
export interface Painter {
  /** `thread` is null for what existed before; `flows` are numbers of violations, from 1 on, that it is evidence for. */
  event(event: EventView, thread: ThreadPlace | null, facts: Facts, flows: readonly number[]): void;
  /** A poll of a NAPI context on a CPU. */
  beginPoll(cpu: number, ts: number, name: string): void;
  endPoll(cpu: number, ts: number): void;
  gap(cpu: number, path: string, from: number, to: number, text: string): void;
  /** The line's state until now ends, unless it was null; the next one begins, unless it is null. */
  enter(line: Line, state: string | null, ts: number): void;
  /** `joined`: events behind it were drawn. */
  violation(violation: Violation, flow: number, joined: boolean): void;
  /** What the picture leaves out. */
  note(text: string, ts: number): void;
}

/** Paints event by event; yields after each, so that what was painted can be written. */
export function* paint(source: ExportSource, painter: Painter): Generator<void, void, undefined> {
  const { violations } = source.meta;
  const behind = createPlaces(
    violations.flatMap((violation, i) => refsOf(violation).map((ref) => [ref, i + 1] as const)),
  );
  const flowOf = new Map(violations.map((violation, i) => [violation, i + 1] as const));
  const joined = new Set<number>();
  const polling = new Set<number>();
  let ts = 0;
  const lines = new LifeLines(source.objects, (line, state) => painter.enter(line, state, ts));
  const drawViolation = (violation: Violation) => {
    const flow = flowOf.get(violation) as number;
    painter.violation(violation, flow, joined.has(flow));
    flowOf.delete(violation);
  };
  for (const { event, violations: broken } of source.events()) {
    // A nested interrupt's event may be older; a state can't begin before the one that it ends.
    ts = Math.max(ts, event.ts);
    if (event.kindNumber === GAP_KIND) {
      const path = event.text('share');
      painter.gap(event.cpu, path, event.ts, event.u53('until'), gapText(event));
      lines.forget(path);
      yield;
      continue;
    }
    const flows = behind.at(event);
    for (const flow of flows) joined.add(flow);
    drawPoll(event, polling, painter, ts);
    painter.event(event, threadOf(event, source), factsOf(event, source), flows);
    lines.see(event);
    for (const violation of broken) drawViolation(violation);
    yield;
  }
  for (const cpu of polling) painter.endPoll(cpu, ts);
  lines.end();
  // Their events were not asked for, or lie behind the damage.
  for (const violation of flowOf.keys()) drawViolation(violation);
  if (lines.dropped > 0)
    painter.note(
      `${lines.dropped} events were of objects without a life-line: only the first ${LINES_MAX} have one`,
      ts,
    );
  yield;
}

/** The events behind a violation, the offending one among them, each once. */
function refsOf({ evidence, at }: Violation): EventRef[] {
  return [...evidence.filter(({ cpu, seq }) => cpu !== at.cpu || seq !== at.seq), at];
}

function threadOf(event: EventView, { threads }: ExportSource): ThreadPlace | null {
  const { pid, tid } = event;
  if (event.cpu === SNAPSHOT_CPU && tid === 0) return null;
  return { pid, tid, comm: threads.at(tid, event.ts) };
}

function drawPoll(event: EventView, polling: Set<number>, painter: Painter, ts: number): void {
  const { cpu, kindNumber } = event;
  const begins = kindNumber === KIND.xsk_napi_begin;
  if (!begins && kindNumber !== KIND.xsk_napi_end) return;
  if (polling.has(cpu)) painter.endPoll(cpu, ts);
  if (begins) painter.beginPoll(cpu, ts, 'NAPI poll');
  if (begins) polling.add(cpu);
  else polling.delete(cpu);
}

function factsOf(event: EventView, { objects }: ExportSource): Facts {
  const facts: Record<string, unknown> = { seq: event.seq };
  addFacts(facts, event, objects);
  const flags = flagWords(event);
  if (flags.length > 0) facts['flags'] = flags.join(',');
  return facts;
}
