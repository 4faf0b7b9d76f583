// What every format is made from: the events of a recording that were asked for, each with the violations it broke.

import type { EventView } from '../decode/event-view.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { type Batch, GAP_KIND, SLOT_LANES } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { BATCH_SLOTS } from '../recording/slots.ts';
import { eventsOf } from '../report/events.ts';
import { createFilter, type FilterOptions } from '../report/filter.ts';
import { createObjectTable, type NamedObjects } from '../report/objects.ts';
import { violationPlaces } from '../report/places.ts';
import { createThreadNames, type ThreadNames } from '../report/threads.ts';

/** The parts of an open recording that an export is made of. */
export interface ExportInput {
  readonly path: string;
  readonly rows: number;
  readonly meta: RecordingMeta;
  batches(): Iterable<Batch>;
}

/** An event in its place; the same object is given again and again. */
export interface ExportEvent {
  readonly event: EventView;
  /** Those that it broke. */
  violations: readonly Violation[];
}

export interface ExportSource {
  readonly input: ExportInput;
  readonly meta: RecordingMeta;
  readonly objects: NamedObjects;
  readonly threads: ThreadNames;
  /** Not everything was asked for. */
  readonly filtered: boolean;
  /** Events in total order, gaps among them. */
  events(): Generator<ExportEvent, void, undefined>;
  /** The same as slots. */
  batches(): Generator<Batch, void, undefined>;
  /** Records that went into the export; counted by `events`, and by who takes `batches`. */
  records: number;
}

/** `onProgress` is called with the records read, now and then. */
export function createSource(
  input: ExportInput,
  filter: FilterOptions | null,
  onProgress: (rows: number) => void = () => {},
): ExportSource {
  const { meta } = input;
  const threads = createThreadNames(meta.threads);
  const places = violationPlaces(meta.violations);
  const source: ExportSource = {
    input,
    meta,
    objects: createObjectTable(meta.objects),
    threads,
    filtered: filter !== null,
    records: 0,
    *events() {
      const { covers, wants, isPast } = createFilter(filter ?? {}, threads);
      source.records = 0;
      let read = 0;
      let seen: ExportEvent | undefined;
      for (const { event } of eventsOf(input.batches())) {
        if (++read % 16_384 === 0) onProgress(read);
        if (filter !== null && isPast(event)) return;
        source.objects.learn(event);
        if (filter !== null && !(covers(event) && (event.kindNumber === GAP_KIND || wants(event)))) continue;
        source.records++;
        seen ??= { event, violations: [] };
        seen.violations = places.at(event);
        yield seen;
      }
    },
    *batches() {
      if (filter !== null) {
        yield* gatherSlots(source.events());
        return;
      }
      // Slots, of which there may be more than records: the bar stays at its end for a while.
      let slots = 0;
      for (const batch of input.batches()) {
        slots += batch.slots;
        onProgress(slots);
        yield batch;
      }
    },
  };
  return source;
}

/** Events copied together into batches. */
function* gatherSlots(events: Iterable<ExportEvent>): Generator<Batch, void, undefined> {
  const lanes = new Uint32Array(BATCH_SLOTS * SLOT_LANES);
  let slots = 0;
  for (const { event } of events) {
    if (slots + event.slots > BATCH_SLOTS) {
      yield { lanes, slots };
      slots = 0;
    }
    lanes.set(event.lanes.subarray(event.at, event.at + event.slots * SLOT_LANES), slots * SLOT_LANES);
    slots += event.slots;
  }
  if (slots > 0) yield { lanes, slots };
}
