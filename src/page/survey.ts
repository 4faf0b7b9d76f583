// The first reading of a recording for a page: how much there is of what, and where the events behind the violations lie.

import type { EventView } from '../decode/event-view.ts';
import { GAP_KIND, SLOT_LANES, SNAPSHOT_CPU } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import type { Recording } from '../recording/open.ts';
import { eventsOf } from '../report/events.ts';
import { selectorOfEvent } from './related.ts';

/** Threads counted one by one. */
const THREADS_MAX = 65_536;

/** Where a violation's events are: positions in the order of the recording, -1 for one that isn't in it. */
export interface Places {
  readonly evidence: number[];
  at: number;
  /** Objects that the evidence speaks of, as selectors. */
  readonly objects: Set<string>;
  /** The records of the evidence, in order. */
  readonly lanes: Uint32Array[];
}

export interface Survey {
  /** Records, gaps and all. */
  records: number;
  /** Events, without gaps and without what existed before. */
  events: number;
  first: number | null;
  last: number | null;
  readonly kinds: Map<string, number>;
  readonly cpus: Map<number, number>;
  readonly threads: Map<number, number>;
  gaps: number;
  firstGap: number | null;
  /** By violation. */
  readonly places: readonly Places[];
}

type Wanted = { readonly ref: EventRef; readonly take: (position: number, event: EventView) => void };

export function surveyRecording(
  recording: Recording,
  violations: readonly Violation[],
  onProgress: (records: number) => void,
): Survey {
  const places = violations.map(
    ({ evidence }): Places => ({ evidence: evidence.map(() => -1), at: -1, objects: new Set(), lanes: [] }),
  );
  const wanted = wantedRefs(violations, places);
  const survey: Survey = {
    records: 0,
    events: 0,
    first: null,
    last: null,
    kinds: new Map(),
    cpus: new Map(),
    threads: new Map(),
    gaps: 0,
    firstGap: null,
    places,
  };
  const { kinds, cpus, threads } = survey;
  for (const { event } of eventsOf(recording.batches())) {
    const position = survey.records++;
    if ((position & 0xffff) === 0) onProgress(position);
    for (const { ref, take } of wanted.get(event.seq) ?? []) if (ref.cpu === event.cpu) take(position, event);
    if (event.kindNumber === GAP_KIND) {
      survey.gaps++;
      survey.firstGap ??= event.ts;
      continue;
    }
    const { cpu, ts, tid } = event;
    add(kinds, event.kind);
    if (cpu === SNAPSHOT_CPU) continue;
    survey.events++;
    survey.first ??= ts;
    survey.last = ts;
    add(cpus, cpu);
    if (threads.size < THREADS_MAX || threads.has(tid)) add(threads, tid);
  }
  return survey;
}

function wantedRefs(violations: readonly Violation[], places: readonly Places[]): Map<number, Wanted[]> {
  const wanted = new Map<number, Wanted[]>();
  const want = (ref: EventRef, take: Wanted['take']) => {
    const others = wanted.get(ref.seq);
    if (others) others.push({ ref, take });
    else wanted.set(ref.seq, [{ ref, take }]);
  };
  for (const [v, { at, evidence }] of violations.entries()) {
    const place = places[v] as Places;
    want(at, (position) => (place.at = position));
    for (const [i, ref] of evidence.entries())
      want(ref, (position, event) => {
        place.evidence[i] = position;
        place.lanes.push(event.lanes.slice(event.at, event.at + event.slots * SLOT_LANES));
        const object = selectorOfEvent(event);
        if (object !== undefined) place.objects.add(object);
      });
  }
  return wanted;
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
