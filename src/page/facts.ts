// What a recording says of itself, in words for a page: window, coverage, invariants, costs, losses, notes.

import type { RecordingMeta } from '../model/recording.ts';
import type { Recording } from '../recording/open.ts';
import { costLines } from '../report/costs.ts';
import { newerLines } from '../report/newer.ts';
import { formatCount, formatSeconds, formatSpan, plural } from '../report/span.ts';
import { freezeLines } from '../report/trace-header.ts';
import type { PageFacts, Table } from './model.ts';
import { plain } from './plain.ts';
import type { Survey } from './survey.ts';

const ROWS_MAX = 500;
const NOTES_MAX = 100;

export function factsOf(recording: Recording, survey: Survey): PageFacts {
  const { meta } = recording;
  return {
    summary: summaryOf(recording, survey),
    window: windowTable(meta),
    freeze: meta.freeze ? freezeLines(meta.freeze).map(plain) : ['not frozen: the whole of what was kept'],
    coverage: coverageTable(meta),
    coverageSummary: coverageSentence(meta),
    invariants: invariantTable(meta),
    costs: meta.costs ? costLines(meta.costs).map((line) => plain(line)) : [],
    losses: lossLines(meta, survey),
    notes: bounded(
      meta.notes.map((note) => plain(note, 2000)),
      'note',
    ),
    troubles: troublesOf(recording, survey),
  };
}

function summaryOf({ meta, form, rows }: Recording, survey: Survey): [string, string][] {
  const { kernel, clocks } = meta;
  const span =
    survey.first === null || survey.last === null
      ? 'none'
      : `${formatSpan(survey.last - survey.first)}, from ${formatSeconds(survey.first)} to ${formatSeconds(survey.last)} of CLOCK_MONOTONIC`;
  const entries: [string, string][] = [
    ['recorded', `${meta.createdAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')}`],
    ['kernel', `Linux ${kernel.release} ${kernel.machine}, ${plural(kernel.cpus, 'CPU')}`],
    ['events', plural(survey.events, 'event')],
    ['time', span],
    ['existed before', plural(meta.snapshot?.records ?? 0, 'record')],
    ['objects', plural(meta.objects.length, 'object')],
    ['threads named', plural(meta.threads.length, 'name')],
    ['clock error', formatSpan(clocks.errorNs)],
    ['file', `${form}, ${plural(rows, 'record')}, made by flightring ${meta.flightring}`],
  ];
  return entries.map(([name, value]) => [name, plain(value)]);
}

function windowTable({ freeze }: RecordingMeta): Table {
  const window = freeze?.window ?? [];
  return table(
    ['CPU', 'path', 'events', 'from', 'to', 'span', 'overwritten before'],
    window.map(({ cpu, path, events, firstTs, lastTs, overwritten }) => [
      String(cpu),
      path ?? 'all',
      formatCount(events),
      firstTs === null ? '–' : formatSeconds(firstTs),
      lastTs === null ? '–' : formatSeconds(lastTs),
      firstTs === null || lastTs === null ? '–' : formatSpan(lastTs - firstTs),
      formatCount(overwritten),
    ]),
    [0, 2, 3, 4, 5, 6],
  );
}

function coverageTable({ coverage }: RecordingMeta): Table {
  return table(
    ['path', 'probe', 'kernel function', 'attached by', 'status', 'reason'],
    coverage.map(({ path, probe, target, method, status, reason }) => [
      path,
      probe,
      target,
      method ?? '–',
      status,
      reason ?? '',
    ]),
  );
}

function coverageSentence({ coverage }: RecordingMeta): string {
  if (coverage.length === 0) return 'The recording does not say which probes were attached.';
  const attached = coverage.filter(({ method }) => method !== null).length;
  return attached === coverage.length
    ? `All ${attached} probes were attached.`
    : `${attached} of ${coverage.length} probes were attached; what the others would have told is not here.`;
}

function invariantTable({ invariants, counts }: RecordingMeta): Table {
  return table(
    ['invariant', 'events checked', 'broken', 'not placed', 'evicted', 'made unknown'],
    invariants.map(({ name }) => {
      const count = Object.hasOwn(counts, name) ? counts[name] : undefined;
      const cell = (value: number | undefined) => (value === undefined ? '–' : formatCount(value));
      return [
        name,
        cell(count?.checked),
        cell(count?.fired),
        cell(count?.unplaced),
        cell(count?.evicted),
        cell(count?.unknown),
      ];
    }),
    [1, 2, 3, 4, 5],
  );
}

function lossLines({ loss }: RecordingMeta, { gaps }: Survey): string[] {
  return [
    loss.overwritten > 0 ? `${plural(loss.overwritten, 'event')} overwritten before they were read` : '',
    loss.recursionMisses > 0
      ? `${plural(loss.recursionMisses, 'event')} missed by a probe interrupted by itself; their place is not known`
      : '',
    loss.objectsDropped > 0 ? `${plural(loss.objectsDropped, 'object')} beyond the object table` : '',
    loss.windowlessViolations > 0
      ? `${plural(loss.windowlessViolations, 'later violation')} without a window of their own`
      : '',
    gaps > 0 ? `${plural(gaps, 'gap')} in the order of events, drawn hatched in the picture` : '',
  ].filter((line) => line !== '');
}

function troublesOf(recording: Recording, survey: Survey): string[] {
  const { damage, rows, unknownKinds } = recording;
  const unknown = [...unknownKinds].map(
    ([kind, count]) =>
      `${plural(count, 'record')} of kind ${kind}, which this flightring does not know, left out`,
  );
  return [
    ...newerLines(recording),
    ...(damage
      ? [
          `The recording is damaged: ${damage.message} (from byte ${damage.offset} on). ${formatCount(damage.rowsReadable)} of its ${formatCount(rows)} records could be read; this page shows those.`,
        ]
      : []),
    ...(survey.events === 0
      ? [
          survey.gaps > 0
            ? 'The recording holds no event at all, only gaps: everything in its window was lost.'
            : 'The recording holds no event at all.',
        ]
      : []),
    ...bounded(unknown, 'kind'),
  ].map((line) => plain(line, 2000));
}

function bounded(lines: readonly string[], what: string): string[] {
  if (lines.length <= NOTES_MAX) return [...lines];
  return [...lines.slice(0, NOTES_MAX), `and ${plural(lines.length - NOTES_MAX, `more ${what}`)}`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[], right: number[] = []): Table {
  const shown = rows.slice(0, ROWS_MAX).map((row) => row.map((cell) => plain(cell)));
  if (rows.length > ROWS_MAX)
    shown.push([`and ${plural(rows.length - ROWS_MAX, 'more row')}`, ...head.slice(1).map(() => '')]);
  return { head, rows: shown, right };
}
