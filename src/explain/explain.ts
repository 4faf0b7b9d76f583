// A violation explained: the events that had to happen for it, in order, and what the invariant expected instead.

import { isDeadline } from '../check/deadline.ts';
import type { EventView } from '../decode/event-view.ts';
import type { Batch } from '../model/slot.ts';
import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import { eventsOf } from '../report/events.ts';
import { fieldTexts } from '../report/fields.ts';
import { gapText } from '../report/gap.ts';
import { createObjectTable, type NamedObjects } from '../report/objects.ts';
import { createThreadNames, type ThreadNames } from '../report/threads.ts';
import { meaningOf } from '../report/violation.ts';
import { placeOf } from '../shrink/related.ts';
import { viewsOf } from '../shrink/result.ts';
import { isSameEvent } from '../shrink/same.ts';
import { shrinkRecording, type Shrunk, type ShrinkOptions } from '../shrink/shrink.ts';
import { type Expected, expectedInstead } from './expected.ts';

/** What an event has to do with the violation; `needed`: without it the violation would not be one. */
export type Role = 'needed' | 'evidence' | 'offending' | 'afterwards';

export interface ExplainedEvent {
  readonly ref: EventRef;
  readonly role: Role;
  readonly tid: number;
  readonly pid: number;
  /** Name of the thread; `snapshot` for what was found when recording began. */
  readonly comm: string;
  /** ns relative to the offending event. */
  readonly offsetNs: number;
  /** ns since the event before it; 0 for the first. */
  readonly afterNs: number;
  /** What an event of this kind is, in words. */
  readonly meaning: string;
  /** Its fields, as `show` prints them. */
  readonly fields: readonly string[];
}

export interface Explanation {
  /** As found in the whole recording. */
  readonly violation: Violation;
  readonly claim: string;
  readonly source: string;
  /** What the invariant keeps its state for. */
  readonly about: string;
  /** The causal slice, oldest first; perhaps one that came too late behind it. */
  readonly events: readonly ExplainedEvent[];
  /** Events of the recording that are none of it. */
  readonly leftOut: number;
  readonly expected: Expected;
  /** What the offending event says is of no account: it only shows that time is up. */
  readonly isDeadline: boolean;
}

/** How long after the violation the event that came too late is looked for. */
const AFTERWARDS_NS = 1e9;

/**
 * Explains a violation by the smallest part of the events that still shows it.
 *
 * @example
 * const { events, expected } = await explainRecording('freeze.parquet');
 * console.log(events.map(({ offsetNs, meaning }) => `${offsetNs} ns: ${meaning}`), expected.moves);
 */
export async function explainRecording(
  source: string | Recording,
  options: ShrinkOptions = {},
): Promise<Explanation> {
  const recording = typeof source === 'string' ? await openRecording(source) : source;
  return explainShrunk(recording, await shrinkRecording(recording, options));
}

/** The same of a violation that was shrunk already, from this recording. */
export function explainShrunk(recording: Recording, shrunk: Shrunk): Explanation {
  const { invariant, original: violation } = shrunk;
  const slice = sliceOf(shrunk.batch);
  const events = readEvents(recording, slice, violation);
  const earlier = slice.filter(({ ref }) => !isSameEvent(ref, violation.at)).map(({ ref }) => ref.kind);
  return {
    violation,
    claim: invariant.claim,
    source: invariant.source,
    about: invariant.object,
    events: events.map((event, i) => ({
      ...event,
      afterNs: i === 0 ? 0 : event.ref.ts - (events[i - 1] as ExplainedEvent).ref.ts,
    })),
    leftOut: recording.rows - slice.length,
    expected: expectedInstead(invariant, earlier, violation.at.kind),
    isDeadline: isDeadline(shrunk.batch, {
      invariant,
      violation: shrunk.violation,
      objects: createObjectTable(shrunk.meta.objects),
      clockErrorNs: shrunk.meta.clocks.errorNs,
    }),
  };
}

interface SliceEvent {
  readonly ref: EventRef;
  readonly object: number | null;
  readonly position: number | null;
}

function sliceOf(batch: Batch): SliceEvent[] {
  const slice: SliceEvent[] = [];
  for (const event of viewsOf(batch)) slice.push(sliceEvent(event));
  return slice;
}

function sliceEvent(event: EventView): SliceEvent {
  const read = (name: string) => (event.field(name) ? event.u32(name) : null);
  return { ref: event.ref(), object: read('object'), position: read('position') };
}

/** Reads the recording again, for its names: a device is called what it was called then. */
function readEvents(
  recording: Recording,
  slice: readonly SliceEvent[],
  violation: Violation,
): ExplainedEvent[] {
  const { meta } = recording;
  const objects = createObjectTable(meta.objects);
  const threads = createThreadNames(meta.threads);
  const places = new Set(slice.map(({ ref }) => `${placeOf(ref)} ${ref.kind}`));
  const isLate = lateTest(slice, violation);
  const events: ExplainedEvent[] = [];
  let broken = false;
  for (const { event } of eventsOf(recording.batches())) {
    objects.learn(event);
    if (broken) {
      if (isLate === null || event.ts - violation.at.ts > AFTERWARDS_NS) break;
      if (!isLate(event)) continue;
      events.push(explainEvent(event, violation, 'afterwards', objects, threads));
      break;
    }
    if (!places.has(`${placeOf(event)} ${event.kind}`)) continue;
    events.push(explainEvent(event, violation, roleOf(event, violation), objects, threads));
    broken ||= isSameEvent(event, violation.at);
  }
  return events;
}

function explainEvent(
  event: EventView,
  { at }: Violation,
  role: Role,
  objects: NamedObjects,
  threads: ThreadNames,
): ExplainedEvent {
  const { tid, pid, ts, cpu, kind } = event;
  return {
    ref: event.ref(),
    role,
    tid,
    pid,
    comm: cpu === SNAPSHOT_CPU && tid === 0 ? 'snapshot' : threads.at(tid, ts),
    offsetNs: ts - at.ts,
    afterNs: 0,
    meaning: kind === 'gap' ? gapText(event) : meaningOf({ kind }),
    fields: kind === 'gap' ? [] : fieldTexts(event, objects),
  };
}

function roleOf(event: EventView, { at, evidence }: Violation): Role {
  if (isSameEvent(event, at)) return 'offending';
  return evidence.some((ref) => isSameEvent(event, ref)) ? 'evidence' : 'needed';
}

/**
 * Another CPU was busy with the very ring entry that the offending event is about: the event with which that CPU went on
 * came too late. Null where there is no such CPU.
 */
function lateTest(slice: readonly SliceEvent[], { at }: Violation): ((event: EventView) => boolean) | null {
  const offending = slice.find(({ ref }) => isSameEvent(ref, at));
  if (!offending || offending.object === null || offending.position === null) return null;
  const { object, position } = offending;
  const other = slice.find(
    (event) => event.ref.cpu !== at.cpu && event.object === object && event.position === position,
  );
  if (!other) return null;
  return (event) => {
    if (event.cpu !== other.ref.cpu) return false;
    const next = sliceEvent(event);
    return next.object === object && next.position === position;
  };
}
