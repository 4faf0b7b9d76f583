// A recording as a trace, line by line: header, events, gaps, and marks where an invariant broke.

import type { RecordingMeta } from '../model/recording.ts';
import { type Batch, GAP_KIND } from '../model/slot.ts';
import { eventJson } from './event-json.ts';
import { eventsOf } from './events.ts';
import type { Filter } from './filter.ts';
import { violationPlaces } from './places.ts';
import { plural } from './span.ts';
import { traceHeader } from './trace-header.ts';
import { type TraceContext, traceLine, violationMarks } from './trace-line.ts';

/** The parts of an open recording that a trace is made of. */
export interface TraceRecording {
  readonly path: string;
  readonly rows: number;
  readonly meta: RecordingMeta;
  batches(): Iterable<Batch>;
}

export interface TraceOptions {
  readonly filter: Filter;
  /** Events at most. */
  readonly limit: number;
  /** What was selected, in words, for the header; empty for everything. */
  readonly selected: string;
}

/** The trace as text. */
export function* traceText(
  recording: TraceRecording,
  context: TraceContext,
  options: TraceOptions,
): Generator<string> {
  const { palette } = context;
  const { filter, limit, selected } = options;
  const header = traceHeader(recording, palette);
  yield* header.slice(0, -3);
  if (selected !== '') yield palette.head(`# shown: ${selected}`);
  yield* header.slice(-3);
  const broken = violationPlaces(recording.meta.violations);
  let shown = 0;
  let gaps: string[] = [];
  for (const { event, hole } of eventsOf(recording.batches())) {
    if (filter.isPast(event)) break;
    context.objects.learn(event);
    if (!filter.covers(event)) continue;
    if (event.kindNumber === GAP_KIND) {
      gaps.push(traceLine(event, context));
      continue;
    }
    if (!filter.wants(event)) continue;
    if (shown === limit) {
      yield palette.head(`# stopped after ${plural(limit, 'event')} (--limit)`);
      return;
    }
    yield* fewGaps(gaps, context);
    gaps = [];
    shown++;
    if (hole) yield palette.warn('### entries of this ring were seen by no probe before the next event ###');
    const marks = violationMarks(broken.at(event), palette);
    yield* marks.above;
    yield traceLine(event, context);
    yield* marks.below;
  }
  yield* fewGaps(gaps, context);
  if (shown === 0) yield palette.head('# no event to show');
}

/** The trace as JSON, one object per line. */
export function* traceJson(
  recording: TraceRecording,
  context: TraceContext,
  options: TraceOptions,
): Generator<string> {
  const { filter, limit } = options;
  const broken = violationPlaces(recording.meta.violations);
  let shown = 0;
  for (const { event } of eventsOf(recording.batches())) {
    if (shown === limit || filter.isPast(event)) return;
    context.objects.learn(event);
    if (!filter.covers(event)) continue;
    const lost = event.kindNumber === GAP_KIND;
    if (!lost && !filter.wants(event)) continue;
    if (!lost) shown++;
    yield JSON.stringify(eventJson(event, context, broken.at(event)));
  }
}

/** Between two events that are shown, the first and last of many gaps are enough. */
function fewGaps(gaps: readonly string[], { palette }: TraceContext): readonly string[] {
  if (gaps.length <= 4) return gaps;
  const left = palette.warn(`### … ${plural(gaps.length - 2, 'more gap')} … ###`);
  return [gaps[0] as string, left, gaps.at(-1) as string];
}
