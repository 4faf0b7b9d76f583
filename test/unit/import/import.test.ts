// Traces become recordings that check judges: healthy ones hold, duplicated frames and stale descriptors are found.

import { mkdtempSync, rmSync, existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importTrace, type ImportOptions } from '../../../src/import/import.ts';
import { checkRecording, type RecordingCheck } from '../../../src/pipeline.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { EventView } from '../../../src/decode/event-view.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { SLOT_LANES } from '../../../src/model/slot.ts';
import { ftraceLine, HEADER, seconds, traceLines, traceText, type TraceEvent } from './trace-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function* bytesOf(text: string, size = 1000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const XSK = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));

async function importText(text: string, options: ImportOptions = {}) {
  const path = join(folder, 'out.parquet');
  const result = await importTrace(bytesOf(text), path, options);
  const check = await checkRecording(path, { invariants: XSK });
  return { result, check, path };
}

function verdictOf(check: RecordingCheck, name: string): string | undefined {
  return check.verdicts.find(({ invariant }) => invariant === name)?.verdict;
}

interface Event {
  readonly kind: string;
  readonly ts: number;
  readonly cpu: number;
  readonly tid: number;
  readonly place: string;
}

async function eventsIn(path: string): Promise<Event[]> {
  const events: Event[] = [];
  const view = new EventView();
  for (const { lanes, slots } of (await openRecording(path)).batches())
    for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
      view.move(lanes, at);
      const { kind, ts, cpu, tid } = view;
      events.push({ kind, ts, cpu, tid, place: `${view.text('addr')}@${view.u32('position')}` });
    }
  return events;
}

describe('a healthy trace', () => {
  test.each([
    ['with the kernel’s probes', {}],
    ['with markers only', { probes: false }],
    ['in nanoseconds', { decimals: 9 as const }],
  ])('%s breaks nothing', async (_, options) => {
    const { result, check } = await importText(traceText({ packets: 200, ...options }));
    expect(check.summary.violations).toEqual([]);
    expect(result).toMatchObject({ complete: true, lost: 0, problems: [] });
    expect(verdictOf(check, 'xsk.ownership')).toBe('holds');
    expect(verdictOf(check, 'xsk.descriptor-bounds')).toBe('holds');
    expect(check.recording.meta.clocks.errorNs).toBe('decimals' in options ? 500 : 1000);
  });

  test('that begins in the middle breaks nothing', async () => {
    const lines = [...traceLines({ packets: 100 })];
    for (const from of [33, 35, 36, 40, 57, 101]) {
      const { check } = await importText(`${lines.slice(from).join('\n')}\n`);
      expect(check.summary.violations, `from line ${from}`).toEqual([]);
    }
  });

  test('with a part lost breaks nothing, and says so', async () => {
    const lines = [...traceLines({ packets: 100 })];
    for (const [from, to] of [
      [200, 203],
      [201, 260],
      [280, 281],
    ] as const) {
      const cut = [
        ...lines.slice(0, from),
        `CPU:1 [LOST ${to - from} EVENTS]`,
        `CPU:0 [LOST EVENTS]`,
        ...lines.slice(to),
      ];
      const { result, check } = await importText(cut.join('\n'));
      expect(check.summary.violations, `without ${from} to ${to}`).toEqual([]);
      expect(result).toMatchObject({ complete: false, lost: to - from + 1, counts: { losses: 2 } });
      expect(check.summary.lost).toBe(to - from + 1);
    }
  });

  test('of a CPU whose older events were overwritten breaks nothing', async () => {
    const lines = [...traceLines({ packets: 100 })];
    const late = lines.filter((line, i) => i > 200 || !line.includes('[001]'));
    const header = HEADER.replace('100/100', `${late.length}/90000`);
    const { check } = await importText(`${header}${late.join('\n')}`);
    expect(check.summary.violations).toEqual([]);
    expect(check.recording.meta.notes.join()).toContain('older events had been overwritten');
  });
});

describe('a fault', () => {
  test.each([true, false])('a frame put into FILL twice is found (with probes: %s)', async (probes) => {
    const { check } = await importText(traceText({ packets: 100, doubleFill: 50, probes }));
    const found = check.summary.violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`);
    expect(found).toContain(
      'xsk.ownership: frame 0x12000 of umem 0 went from FILL to FILL on ingress q0 (netns 0): it is there twice',
    );
    expect(found).toContain(
      'xsk.double-enqueue: frame 0x12000 of umem 0 is in the FILL ring of ingress q0 (netns 0) and now also in the FILL ring of ingress q0 (netns 0)',
    );
  });

  test('a descriptor that no receive had written is found', async () => {
    const { check } = await importText(traceText({ packets: 100, stale: 50 }));
    const [first] = check.summary.violations;
    expect(first).toMatchObject({ invariant: 'xsk.publish-race', severity: 'violation' });
    expect(first?.sentence).toMatch(/as 0x1b100, but CPU 0's receive had written 0x12100 into it$/);
  });

  test('a poison value is found', async () => {
    const text = traceText({ packets: 60 }).replace(
      /(ingress q:0) 0x5100 (FILL -> RX)/,
      '$1 0xdeadbeefdeadbeef $2: expected 0x5100remaining: [6100]',
    );
    const { check } = await importText(text);
    expect(check.summary.violations.map(({ sentence }) => sentence).join('\n')).toMatch(
      /0xdeadbeefdeadbeef is in the RX ring of ingress q0 .*: a poison value/,
    );
  });
});

describe('order', () => {
  test('is that of time, whatever the order of the lines', async () => {
    const lines = [...traceLines({ packets: 200, decimals: 9 })];
    const { path } = await importText(lines.join('\n'));
    const inOrder = await eventsIn(path);
    const perCpu = lines.filter((line) => line.includes('[001]'));
    perCpu.push(...lines.filter((line) => !line.includes('[001]')));
    for (const runSlots of [64, 1000, 131_072]) {
      const shuffled = await importText(perCpu.join('\n'), { runSlots });
      expect(await eventsIn(shuffled.path)).toEqual(inOrder);
      expect(shuffled.check.summary.violations).toEqual([]);
    }
    expect(readdirSync(folder)).toEqual(['out.parquet']);
  });

  test('of events at one printed time is that of the file', async () => {
    const at = (cpu: number, ns: number, body: string): string =>
      ftraceLine({ comm: 'app', tid: 5, cpu, ns, event: 'tracing_mark_write', body, decimals: 6 });
    const text = [
      at(3, 1_000_000_000, 'a q:0 0x1000 NEW -> FILL'),
      at(2, 1_000_000_900, 'a q:0 0x1000 FILL -> RX'),
      at(1, 1_000_000_999, 'a q:0 0x1000 RX -> FILL'),
    ].join('\n');
    const { path } = await importText(text);
    expect((await eventsIn(path)).map(({ kind, ts, cpu }) => `${kind} ${ts - 1e9} ${cpu}`)).toEqual([
      'xsk_fill_submit 0 3',
      'xsk_rx_write 1 2',
      'xsk_rx_publish 2 2',
      'xsk_fill_submit 3 1',
    ]);
  });

  test('within a microsecond is no certain verdict', async () => {
    const at = (cpu: number, micro: number, body: string): string =>
      ftraceLine({
        comm: 'app',
        tid: 5,
        cpu,
        ns: 1e9 + micro * 1000,
        event: 'tracing_mark_write',
        body,
        decimals: 6,
      });
    const text = (gap: number) =>
      [
        at(0, 0, 'a q:0 0x1000 NEW -> FILL'),
        at(1, 100, 'a q:0 0x1000 RX -> TX'),
        at(0, 100 + gap, 'a q:0 0x1000 FILL -> RX'),
      ].join('\n');
    const ownership = async (gap: number) =>
      (await importText(text(gap))).check.summary.violations.findLast(
        ({ invariant }) => invariant === 'xsk.ownership',
      );
    expect(await ownership(0)).toMatchObject({ orderDependent: true });
    expect(await ownership(2)).toMatchObject({ orderDependent: false });
  });
});

describe('forms', () => {
  const perf = ({ comm, tid, cpu, ns, event, body, decimals }: TraceEvent): string => {
    const isMarker = event === 'tracing_mark_write';
    const name = isMarker ? 'ftrace:print' : `probe:${event}`;
    const said = isMarker ? `tracing_mark_write: ${body}` : body.replace(/\(\S+\)/, '(ffffffff81a0b3cd)');
    return `${comm.padStart(16)} ${String(tid).padStart(5)} [${String(cpu).padStart(3, '0')}] ${seconds(ns, decimals).padStart(13)}: ${name}: ${said}`;
  };
  const traceCmd = ({ comm, tid, cpu, ns, event, body, decimals }: TraceEvent): string =>
    `${`${comm}-${tid}`.padStart(22)} [${String(cpu).padStart(3, '0')}] ${seconds(ns, decimals).padStart(13)}: ${`${event === 'tracing_mark_write' ? 'print' : event}:`.padEnd(21)} ${event === 'tracing_mark_write' ? `tracing_mark_write: ${body}` : body}`;
  const bpftrace = ({ comm, tid, cpu, ns, event, body }: TraceEvent): string =>
    `${ns} ${cpu} ${comm} ${tid} ${event}: ${body.replace(/^\(\S+\) /, '')}`;
  const tgid = (event: TraceEvent): string => ftraceLine(event).replace(/(-\d+) +\[/, '$1   ( 4200) [');
  const bare = (event: TraceEvent): string => ftraceLine(event).replace(' d..1. ', ' ');

  test.each([
    ['ftrace', 'ftrace', ftraceLine],
    ['ftrace with record-tgid', 'ftrace', tgid],
    ['ftrace without irq-info', 'ftrace', bare],
    ['trace-cmd', 'trace-cmd', traceCmd],
    ['perf', 'perf', perf],
    ['bpftrace', 'bpftrace', bpftrace],
  ] as const)('%s gives the same events', async (_, format, line) => {
    const decimals = 9;
    const plain = await eventsIn((await importText(traceText({ packets: 40, decimals }))).path);
    for (const wanted of [format, 'auto'] as const) {
      const text = [...traceLines({ packets: 40, decimals, line })].join('\n');
      const { path, result } = await importText(text, { format: wanted });
      expect(result.problems).toEqual([]);
      expect(await eventsIn(path)).toEqual(plain);
      expect((await openRecording(path)).meta.threads).toEqual([
        { tid: 4242, ts: 0, comm: 'forward-er q0' },
        { tid: 77, ts: 0, comm: 'iperf 2-3' },
      ]);
    }
  });
});

describe('what can’t be used', () => {
  test('is counted by reason and shown', async () => {
    const text = [
      ...traceLines({ packets: 3 }),
      'nonsense \x1b[31mred',
      ...[1, 2, 3, 4].map(
        (i) => `            sshd-9       [000] d.... 200.00000${i}: kfree_skb: skbaddr=0x1 protocol=${i}`,
      ),
      '            sshd-9       [000] d.... 200.000010: sched_switch: prev_comm=a',
      '            sshd-9       [000] d.... 200.000011: tracing_mark_write: hello',
      '            sshd-9       [000] d.... 200.000012: __xsk_rcv_zc_L7: (__xsk_rcv_zc+0x9b/0x250) addr=zz len=0x3c',
      '            sshd-9       [000] d.... 99999999999999.000012: xp_raw_get_data: addr=0x1',
      '            sshd-9       [70000] d.... 200.000012: xp_raw_get_data: addr=0x1',
    ].join('\n');
    const { result, check } = await importText(text);
    expect(result.complete).toBe(false);
    expect(result.problems.map(({ reason, lines }) => `${lines} ${reason}`)).toEqual([
      '4 no rule names the event kfree_skb',
      '1 no line of a trace',
      '1 no rule fits the marker',
      "1 xsk_rx_write: addr doesn't fit addr",
      '1 its time is out of range',
      '1 its CPU is out of range',
    ]);
    expect(result.problems.find(({ reason }) => reason === 'no line of a trace')?.samples).toEqual([
      'nonsense \\x1b[31mred',
    ]);
    expect(result.problems[0]?.samples).toHaveLength(3);
    const { lines, events, markers, headers, losses, ignored, unused } = result.counts;
    expect(events + markers + headers + losses + ignored + unused).toBe(lines);
    expect(check.recording.meta.notes.join('\n')).toContain(
      '4 lines not used: no rule names the event kfree_skb',
    );
  });

  test.each([
    ['', /has nothing that could be imported: it is empty/],
    ['# tracer: nop\n\n', /of its 2 lines 2 are headers/],
    ['hello\n', /no line of a trace \(1 of 1 lines, the first: hello\)/],
    ['\x1f\x8b\x08', /is compressed; unpack it/],
    ['\x17\x08Dtracing6\0', /trace-cmd report/],
    ['PERFILE2', /perf script/],
  ])('nothing usable in %j is refused, and no file is left', async (text, message) => {
    const path = join(folder, 'refused.parquet');
    const bytes = Buffer.from(text, 'latin1');
    await expect(importTrace(bytesOf(''.padEnd(0)), path)).rejects.toThrow(/it is empty/);
    const chunks = (async function* () {
      yield bytes;
    })();
    await expect(importTrace(chunks, path)).rejects.toThrow(message);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('refused'))).toEqual([]);
  });
});
