// NDJSON, CSV and ftrace text: what each line says, and that hostile names stay inside their place.

import { expect, test } from 'vitest';
import { exportCsv } from '../../../src/export/csv.ts';
import { exportFtrace } from '../../../src/export/ftrace.ts';
import { exportNdjson } from '../../../src/export/ndjson.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { planColumns } from '../../../src/recording/columns.ts';
import { createFilter } from '../../../src/report/filter.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { printable } from '../../../src/report/printable.ts';
import { createThreadNames } from '../../../src/report/threads.ts';
import { traceJson } from '../../../src/report/trace.ts';
import { parseCsv } from './csv-reader.ts';
import {
  BIG_COOKIE,
  EVENTS,
  EXPORT_META,
  exported,
  HOSTILE_COMM,
  HOSTILE_DEVICE,
  inputOf,
  PACKET,
  VIOLATION,
} from './sample.ts';

function linesOf(text: Buffer): string[] {
  return text.toString().trimEnd().split('\n');
}

test('NDJSON is what show --json prints', () => {
  const threads = createThreadNames(EXPORT_META.threads);
  const context = { objects: createObjectTable(EXPORT_META.objects), threads, palette: createPalette(false) };
  const options = { filter: createFilter({}, threads), limit: Number.POSITIVE_INFINITY, selected: '' };
  expect(linesOf(exported(exportNdjson))).toEqual([...traceJson(inputOf(), context, options)]);
});

test('NDJSON keeps numbers exactly, and says what was violated', () => {
  const events = linesOf(exported(exportNdjson)).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events).toHaveLength(EVENTS.length);
  expect(events.find(({ kind }) => kind === 'link_register')).toMatchObject({
    comm: HOSTILE_COMM,
    name: printable(HOSTILE_DEVICE),
  });
  expect(events.find(({ kind }) => kind === 'sockiter_hash')).toMatchObject({
    cookie: BIG_COOKIE.toString(),
  });
  expect(events.find(({ violations }) => violations)).toMatchObject({
    kind: 'xsk_rx_write',
    violations: [{ invariant: 'xsk.ownership', sentence: VIOLATION.sentence }],
  });
  const [first] = linesOf(exported(exportNdjson, { withMeta: true }));
  expect(JSON.parse(first as string)).toMatchObject({
    flightring: { format: 1, kernel: EXPORT_META.kernel },
  });
});

test('CSV has the columns of the Parquet file, and every text as it was', () => {
  const text = exported(exportCsv).toString();
  expect(text.endsWith('\r\n')).toBe(true);
  const [names = [], ...rows] = parseCsv(text);
  expect(names).toEqual(planColumns(LAYOUTS).columns.map(({ name }) => name));
  expect(rows).toHaveLength(EVENTS.length);
  const cell = (kind: string, column: string): string | null | undefined =>
    rows.find((row) => row[names.indexOf('kind')] === kind)?.[names.indexOf(column)];
  expect(cell('link_register', 'comm')).toBe(HOSTILE_COMM);
  expect(cell('link_register', 'name')).toBe(HOSTILE_DEVICE);
  expect(cell('sockiter_hash', 'cookie')).toBe(BIG_COOKIE.toString());
  expect(cell('neigh_update_done', 'neigh_result')).toBe('-17');
  expect(cell('xsk_packet', 'packet')).toBe(PACKET.replace(/(00)+$/, ''));
  expect(cell('xsk_fill_submit', 'name')).toBe(null);
});

test('CSV of no events is its heading', () => {
  expect(linesOf(exported(exportCsv, {}, inputOf([])))).toHaveLength(1);
});

const EVENT_LINE = /^ *(.+)-(\d+) +\[(\d{3,})\] \.{5} +(\d+\.\d{6}): (\w+):( .*)?$/;

test('ftrace text has the form that the kernel prints', () => {
  const lines = linesOf(exported(exportFtrace));
  expect(lines[0]).toBe('# tracer: nop');
  expect(lines).toContain(`#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION`);
  expect(lines).toContain(
    '   xsk-forwarder-4711    [000] .....  8123.456789: xsk_fill_submit: netns=8193 ifindex=4 queue=1 device=outer object=queue:1 position=77 addr=0x16ce000 since=8123456789012',
  );
  expect(lines).toContain('CPU:1 [LOST EVENTS]');
  expect(lines).toContain('CPU:1 [LOST 1234 EVENTS]');
  expect(lines.at(-2)).toBe(`# violation of xsk.ownership: ${VIOLATION.sentence}`);
  expect(lines.filter((line) => line.startsWith('# existed before: '))).toHaveLength(1);
  const events = lines.filter((line) => !line.startsWith('#') && !line.startsWith('CPU:'));
  for (const line of events) expect(line).toMatch(EVENT_LINE);
  // One existed before, two are gaps.
  expect(events).toHaveLength(EVENTS.length - 3);
});

test('ftrace text has nothing that a terminal obeys, and a line per event whatever a name holds', () => {
  const text = exported(exportFtrace).toString();
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(text).toContain('name="a\\"b\\\\u001b]0;x\\\\u000a"');
  expect(text).toContain('=1+1,"<b>\\u001b[31m-99 ');
});

test('filters leave out events, and keep gaps of the time', () => {
  const filter = { kinds: ['xsk_rx_write'] };
  const kinds = linesOf(exported(exportNdjson, { filter })).map(
    (line) => (JSON.parse(line) as { kind: string }).kind,
  );
  expect(kinds).toEqual(['gap', 'xsk_rx_write', 'gap', 'xsk_rx_write']);
  expect(parseCsv(exported(exportCsv, { filter }).toString())).toHaveLength(5);
});
