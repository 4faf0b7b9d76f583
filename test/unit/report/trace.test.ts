// Whole traces: the header's facts, filters, limits, gaps in their places, and the same events as JSON.

import { expect, test } from 'vitest';
import { createFilter, type FilterOptions } from '../../../src/report/filter.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { createThreadNames } from '../../../src/report/threads.ts';
import { traceJson, traceText } from '../../../src/report/trace.ts';
import { traceHeader } from '../../../src/report/trace-header.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, story, T0 } from './story.ts';

const CONTEXT = {
  objects: createObjectTable(META.objects),
  threads: createThreadNames(META.threads),
  palette: createPalette(false),
};

function recordingOf(events?: readonly EventSpec[]) {
  return {
    path: 'recordings/double-fill.parquet',
    rows: 11,
    meta: META,
    batches: () => [events ? buildBatch(events) : story()],
  };
}

function textOf(
  filter: FilterOptions,
  limit = Number.POSITIVE_INFINITY,
  events?: readonly EventSpec[],
): string[] {
  const options = { filter: createFilter(filter, CONTEXT.threads), limit, selected: '' };
  return [...traceText(recordingOf(events), CONTEXT, options)].slice(
    traceHeader(recordingOf(), CONTEXT.palette).length,
  );
}

function kindsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => (/: (\w+):/.exec(line)?.[1] ?? []) as string[]);
}

test('the header says where it comes from, what is here, and what is not', () => {
  expect(traceHeader(recordingOf(), CONTEXT.palette).join('\n')).toBe(
    `
# flightring 0.1.0 · double-fill.parquet
# recorded 2026-11-21 05:00:12 UTC on Linux 6.1.0-56-amd64 x86_64
#
# entries-in-buffer/entries-written: 11/40023   #P:2
#
#   CPU   events          from            to     span   overwritten before
#     0        6   8123.456789   8123.458689   1.90ms               40 012
#     1        5   8123.456809   8123.458659   1.85ms                    0
#
# frozen by a violation 31.2µs after the offending event, 12 events overwritten meanwhile
# asked for: 10.0s before
# lost: 1234 events overwritten before they were read
# violation of xsk.ownership at 8123.458659 on CPU 1: frame 0x16ce000 of umem 0
#
#           TASK-TID     CPU#       TIMESTAMP  EVENT
#              | |         |            |        |`.slice(1),
  );
});

test('a recording that was never frozen has a header, too', () => {
  const header = traceHeader(
    { path: 'a', rows: 3, meta: { ...META, freeze: null, violations: [] } },
    CONTEXT.palette,
  );
  expect(header.join('\n')).toContain('entries-in-buffer/entries-written: 3/1237');
  expect(header.join('\n')).toContain('# not frozen');
});

test('gaps and marks stand in their places', () => {
  const lines = textOf({});
  expect(lines).toHaveLength(13);
  expect(lines[8]).toBe('### 1234 events lost on CPU 1 (overwritten before they were read) ###');
  expect(lines[9]).toBe('# ▼▼▼ xsk.ownership');
  expect(lines[11]).toMatch(/^# ▲▲▲ frame 0x16ce000 of umem 0 went from TX to RX/);
});

test('events are chosen by path, kind, CPU, thread, process and name', () => {
  expect(kindsOf(textOf({ paths: ['neigh'] }))).toEqual([]);
  expect(kindsOf(textOf({ kinds: ['xsk_wakeup'] }))).toEqual(['xsk_wakeup', 'xsk_wakeup']);
  expect(kindsOf(textOf({ cpus: [1] }))).toEqual([
    'xsk_fill_take',
    'xsk_rx_write',
    'xsk_rx_publish',
    'xsk_rx_write',
  ]);
  expect(kindsOf(textOf({ tids: [21] }))).toEqual(['xsk_rx_write']);
  expect(kindsOf(textOf({ comms: ['ksoftirqd/1'] }))).toEqual(['xsk_rx_write']);
  expect(kindsOf(textOf({ pids: [1] }))).toEqual([]);
  expect(kindsOf(textOf({ from: T0 + 90_000, to: T0 + 91_200 }))).toEqual(['xsk_tx_submit', 'xsk_tx_take']);
});

test('a limit says that it cut something off, and only then', () => {
  expect(textOf({}, 2).at(-1)).toBe('# stopped after 2 events (--limit)');
  expect(textOf({ tids: [21] }, 1).at(-1)).toMatch(/^# ▲▲▲/);
});

test('nothing that matches is said in words', () => {
  expect(textOf({ from: 0, to: 1 })).toEqual(['# no event to show']);
});

test('many gaps between two events that are shown are three lines', () => {
  const gaps = Array.from({ length: 9 }, (_, i) => ({ kind: 'gap', ts: T0 + i, lost: i + 1, reason: 1 }));
  const lines = textOf({}, 9, [...gaps, { kind: 'xsk_flush', ts: T0 + 20, object: 1 }]);
  expect(lines.slice(0, 3)).toEqual([
    '### 1 event lost on CPU 0 (overwritten before they were read) ###',
    '### … 7 more gaps … ###',
    '### 9 events lost on CPU 0 (overwritten before they were read) ###',
  ]);
  expect(lines).toHaveLength(4);
});

test('entries of a ring that no probe saw are said in front of the next one', () => {
  const submit = { kind: 'xsk_fill_submit', ts: T0, object: 1, addr: 0x1000, since: T0 };
  const lines = textOf({}, 9, [
    { ...submit, position: 5 },
    { ...submit, ts: T0 + 1, position: 9 },
  ]);
  expect(lines[1]).toBe('### entries of this ring were seen by no probe before the next event ###');
});

test('JSON has one object per event, gaps included, numbers as numbers and the violation at its event', () => {
  const options = {
    filter: createFilter({ cpus: [1], from: T0 + 100_000 }, CONTEXT.threads),
    limit: 9,
    selected: '',
  };
  const rows = [...traceJson(recordingOf(), CONTEXT, options)].map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );
  expect(rows).toEqual([
    {
      ts: T0 + 300_000,
      cpu: 1,
      seq: 4,
      tid: 0,
      pid: 4700,
      comm: '<idle>',
      path: 'recorder',
      kind: 'gap',
      flags: [],
      lost: 1234,
      reason: 'overwritten before they were read',
      bank: 0,
      until: 0,
      share: '',
    },
    {
      ts: T0 + 1_870_000,
      cpu: 1,
      seq: 5,
      tid: 21,
      pid: 4700,
      comm: 'ksoftirqd/1',
      path: 'xsk',
      kind: 'xsk_rx_write',
      flags: ['urgent'],
      netns: 8193,
      ifindex: 4,
      queue: 1,
      device: 'outer',
      object: 'socket:2',
      position: 41,
      addr: '0x16ce100',
      len: 60,
      violations: [
        {
          invariant: 'xsk.ownership',
          object: 'frame 0x16ce000 of umem 0',
          sentence:
            'frame 0x16ce000 of umem 0 went from TX to RX on outer q1 (netns 8193) without passing COMP and FILL',
        },
      ],
    },
  ]);
});
