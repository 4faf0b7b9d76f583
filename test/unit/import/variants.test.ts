// What tools print besides plain event lines, and what happens to text on its way: used, counted as no event, or told in words.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { importTrace } from '../../../src/import/import.ts';
import { SLOT_LANES } from '../../../src/model/slot.ts';
import { openRecording } from '../../../src/recording/open.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function imported(bytes: string | Buffer) {
  const path = join(folder, 'out.parquet');
  const chunks = async function* () {
    yield Buffer.from(bytes);
  };
  const result = await importTrace(chunks(), path);
  const { meta, batches } = await openRecording(path);
  const view = new EventView();
  const events: string[] = [];
  for (const { lanes, slots } of batches())
    for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
      view.move(lanes, at);
      events.push(`${view.kind} ${view.ts} ${view.cpu} ${view.tid} ${view.text('addr')}`);
    }
  return { result, events, threads: meta.threads.map(({ comm }) => comm), clocks: meta.clocks };
}

const MARK = 'tracing_mark_write: ingress q:1 0x1000 NEW -> FILL';
const LINE = ` app-7  [001] .....  5.000001: ${MARK}`;

test('ftrace’s latency format has its CPU among the flags, and µs since the trace began', async () => {
  const { result, events, threads, clocks } = await imported(
    [
      '# tracer: nop',
      '# nop latency trace v1.1.5 on 6.1.0-56-amd64',
      '#                    _------=> CPU#',
      '#  cmd     pid     |||||| time   |   caller',
      '#     \\   /        ||||||  \\     |    /',
      `forward--4242      1.....    3us : ${MARK}`,
      `my app q-4242     12dNh.1 1234567us!: ${MARK.replace('0x1000', '0x2000')}`,
      `<...>-4242         0...1. 1234570us+: ${MARK.replace('0x1000', '0x3000')}`,
    ].join('\n'),
  );
  expect(result.problems).toEqual([]);
  expect(events).toEqual([
    'xsk_fill_submit 3000 1 4242 0x1000',
    'xsk_fill_submit 1234567000 12 4242 0x2000',
    'xsk_fill_submit 1234570000 0 4242 0x3000',
  ]);
  expect(threads).toEqual(['forward-', 'my app q']);
  expect(clocks.errorNs).toBe(1000);
});

test('trace-cmd report -l has seconds there', async () => {
  const { result, events } = await imported(
    `cpus=2\n forwarde-4242   1d..2. 12345.678901: print:                tracing_mark_write: ingress q:1 0x1000 NEW -> FILL\n`,
  );
  expect(result.problems).toEqual([]);
  expect(events).toEqual(['xsk_fill_submit 12345678901000 1 4242 0x1000']);
});

test('stacks are passed over, whoever printed them', async () => {
  const { result, events } = await imported(
    [
      LINE,
      ' app-7  [001] .....  5.000002: <stack trace>',
      ' => trace_event_raw_event_neigh_update',
      ' app-7  [001] .....  5.000003: <user stack trace>',
      ' =>  <00007f3a12345678>',
      ' app-7  [001]  5.000004: kernel_stack:         <stack trace >',
      '=> __neigh_update (ffffffff81a0b3cd)',
      '\tffffffff81a0b3cd neigh_update+0x1d ([kernel.kallsyms])',
      '        __neigh_update+1',
      '        neigh_add.isra.0+123',
      '',
    ].join('\n'),
  );
  expect(result).toMatchObject({ problems: [], complete: true, counts: { headers: 9, markers: 1 } });
  expect(events).toHaveLength(1);
});

test('perf names no thread that is gone, and tells of its tasks', async () => {
  const line = (task: string, addr: string) =>
    `${task} [001]  5.000001: ftrace:print: ${MARK.replace('0x1000', addr)}`;
  const { result, events, threads } = await imported(
    [
      line('             :-1    -1', '0x1000'),
      line('           :4711  4711', '0x2000'),
      line('  [my] a: b 2   8/9', '0x3000'),
      '           perf  8/9 [001]  5.000002: PERF_RECORD_COMM: sleep:8/9',
      '           perf  8/9 [001]  5.000003: PERF_RECORD_MMAP2 8/9: [0x55d(0x1000) @ 0 fe:01 1 0]: r-xp /bin/sleep',
    ].join('\n'),
  );
  expect(result).toMatchObject({ problems: [], counts: { headers: 2 } });
  expect(events.map((event) => event.split(' ').slice(-2))).toEqual([
    ['0', '0x1000'],
    ['4711', '0x2000'],
    ['9', '0x3000'],
  ]);
  expect(threads).toEqual([':4711', '[my] a: b 2']);
});

test.each([
  ['ftrace', 'CPU:1 [LOST 12 EVENTS]', 12],
  ['ftrace, of an unknown number', 'CPU:1 [LOST EVENTS]', 1],
  ['trace-cmd', 'CPU:1 [12 EVENTS DROPPED]', 12],
  ['bpftrace', 'Lost 12 events', 12],
  ['bpftrace of today', 'WARNING: Lost 12 events', 12],
  ['perf', 'Processed 9 events and lost 3 chunks!', 3],
])('what %s says it lost is a gap', async (_, said, lost) => {
  const { result, events } = await imported(`${LINE}\n${said}\n${LINE.replace('5.0', '6.0')}\n`);
  expect(result).toMatchObject({ lost, problems: [], complete: false });
  expect(events.filter((event) => event.startsWith('gap'))).toHaveLength(1);
});

test('a line without CPU or time says what to print', async () => {
  const { result } = await imported(
    [
      LINE,
      `             app     7     5.000001: ftrace:print: ${MARK}`,
      `             app     7 [001] ftrace:print: ${MARK}`,
    ].join('\n'),
  );
  expect(result.problems.map(({ reason }) => reason)).toEqual([
    'it names no CPU (perf script -F comm,pid,tid,cpu,time,event,trace prints all that is needed)',
    'it has no time (perf script -F comm,pid,tid,cpu,time,event,trace prints all that is needed)',
  ]);
});

test('what editors and copying do to a text changes nothing', async () => {
  const plain = await imported(`# tracer: nop\n${LINE}\n${LINE.replace('5.0', '6.0')}\n`);
  for (const text of [
    `\ufeff# tracer: nop\r\n${LINE}\r\n${LINE.replace('5.0', '6.0')}\r\n`,
    `\ufeff${LINE}\n${LINE.replace('5.0', '6.0')}`,
    `${LINE}\t \n\n\n${LINE.replace('5.0', '6.0')}  \n`,
  ]) {
    const { events, result } = await imported(text);
    expect(result.problems).toEqual([]);
    expect(events).toEqual(plain.events);
  }
});

test('a trace copied from a web page has other spaces and dots', async () => {
  const { events, result, threads } = await imported(
    [
      '# tracer: nop',
      '#\u00a0 \u00a0 \u00a0 \u00a0 _\u2014\u2013=> irqs-off',
      ' \u00a0 \u00a0 iperf2-9\u00a0 [002] d.Z1. 5.000001: __xsk_rcv_zc_L7: (__xsk_rcv_zc+0x9b/0x250) addr=0x1100\u00a0len=0x4e xs=0xffff888101234400',
      '\u00a0forwarder-7\u00a0 [001] \u2026.. 5.000009: tracing_mark_write: ingress q:1\u00a00x1100 FILL -> RX',
    ].join('\n'),
  );
  expect(result).toMatchObject({ problems: [], complete: true });
  expect(events).toEqual(['xsk_rx_write 5000001000 2 9 0x1100', 'xsk_rx_publish 5000009000 1 7 0x1100']);
  expect(threads).toEqual(['iperf2', 'forwarder']);
});

test.each([
  'eth0.7@if3 q:1 0x1000 NEW -> FILL',
  'eth0:1 q:1 0x1000 NEW \u2192 FILL',
  'a q:1 0xABC000 NEW -> FILL',
])('the marker %s is one of a frame’s move', async (marker) => {
  const { result, events } = await imported(` app-7  [001] .....  5.000001: tracing_mark_write: ${marker}`);
  expect(result.problems).toEqual([]);
  expect(events).toHaveLength(1);
});

test('NULs, bytes that are not UTF-8 and endless lines are told, and the rest is used', async () => {
  const { result, events } = await imported(
    Buffer.concat([
      Buffer.from(`${LINE}\n\0\0\0\n`),
      Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
      Buffer.from(` \u00e4p\0p-7  [001] .....  6.000001: ${MARK}\n`, 'latin1'),
      Buffer.alloc(200_000, 0x41),
      Buffer.from(`\n${LINE.replace('5.0', '7.0')}`),
    ]),
  );
  expect(events.map((event) => event.split(' ')[1])).toEqual(['5000001000', '6000001000', '7000001000']);
  expect(result.problems.map(({ reason, lines }) => [reason, lines])).toEqual([
    ['no line of a trace', 2],
    ['longer than any line of a trace', 1],
  ]);
  for (const { samples } of result.problems)
    for (const sample of samples) expect(sample).not.toMatch(/\p{Cc}/u);
});
