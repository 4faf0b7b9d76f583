// The Perfetto trace as another implementation of protobuf reads it, and the rules of its meaning.

import { describe, expect, test } from 'vitest';
import { openRecording } from '../../../src/recording/open.ts';
import { exportPerfetto } from '../../../src/export/perfetto.ts';
import { createSource } from '../../../src/export/source.ts';
import { printable } from '../../../src/report/printable.ts';
import { T0 } from '../report/story.ts';
import { type PerfettoTrace, readPerfetto } from './perfetto-trace.ts';
import {
  BIG_COOKIE,
  EVENTS,
  exported,
  FRAME,
  HOSTILE_COMM,
  HOSTILE_DEVICE,
  inputOf,
  VIOLATION,
  EXPORT_META,
} from './sample.ts';

const TRACE = readPerfetto(exported(exportPerfetto));

function pathOf({ tracks }: PerfettoTrace, uuid: string): string {
  const track = tracks.get(uuid);
  if (!track) throw new Error(`no track ${uuid}`);
  return track.parent === undefined
    ? track.name
    : `${pathOf({ tracks } as PerfettoTrace, track.parent)}/${track.name}`;
}

function eventsOn(trace: PerfettoTrace, path: string) {
  return trace.events.filter(({ track }) => pathOf(trace, track) === path);
}

/** `FILL 200..400`, of the slices of a track. */
function slicesOn(trace: PerfettoTrace, path: string): string[] {
  const open: { name: string; ts: bigint }[] = [];
  const slices: string[] = [];
  for (const { type, name = '', ts } of eventsOn(trace, path)) {
    if (type === 'TYPE_SLICE_BEGIN') open.push({ name, ts });
    if (type !== 'TYPE_SLICE_END') continue;
    const begun = open.pop();
    if (!begun) throw new Error(`${path}: an end without a beginning`);
    slices.push(`${begun.name} ${begun.ts - BigInt(T0)}..${ts - BigInt(T0)}`);
  }
  if (open.length > 0) throw new Error(`${path}: ${open.length} slices never end`);
  return slices;
}

/** What must hold of every trace, whatever is in it. */
function checkMeaning(trace: PerfettoTrace): void {
  const depth = new Map<string, number>();
  const lastEnd = new Map<string, bigint>();
  const flows = new Map<string, number>();
  for (const { type, track, ts, flows: passing, endedFlows, name } of trace.events) {
    if (type !== 'TYPE_SLICE_END') expect(name).toBeTruthy();
    const begun = depth.get(track) ?? 0;
    if (type === 'TYPE_SLICE_BEGIN') {
      // Slices of one track follow each other.
      expect(begun).toBe(0);
      expect(ts >= (lastEnd.get(track) ?? 0n)).toBe(true);
      depth.set(track, 1);
    }
    if (type === 'TYPE_SLICE_END') {
      expect(begun).toBe(1);
      depth.set(track, 0);
      lastEnd.set(track, ts);
    }
    for (const flow of passing) flows.set(flow, (flows.get(flow) ?? 0) + 1);
    for (const flow of endedFlows) {
      expect(flows.get(flow)).toBeGreaterThan(0);
      flows.set(flow, Number.POSITIVE_INFINITY);
    }
  }
  for (const open of depth.values()) expect(open).toBe(0);
  for (const ends of flows.values()) expect(ends).toBe(Number.POSITIVE_INFINITY);
}

test('it begins by saying that nothing came before, and whose clock it is', () => {
  const [first, ...rest] = TRACE.packets;
  expect(first).toMatchObject({
    sequenceFlags: 1,
    firstPacketOnSequence: true,
    tracePacketDefaults: { timestampClockId: 3 },
  });
  expect(first?.clockSnapshot).toEqual({
    clocks: [
      { clockId: 3, timestamp: EXPORT_META.clocks.monotonicNs },
      { clockId: 1, timestamp: EXPORT_META.clocks.realtimeNs },
    ],
    primaryTraceClock: 3,
  });
  for (const { sequenceFlags, trustedPacketSequenceId } of rest)
    expect([sequenceFlags, trustedPacketSequenceId]).toEqual([2, 1]);
});

test('slices begin, end and follow each other; every flow goes from an event to a violation', () => {
  checkMeaning(TRACE);
});

test('threads have all that their events say, CPUs who it was', () => {
  const thread = eventsOn(TRACE, 'xsk-forwarder/xsk-forwarder');
  expect(thread.map(({ name }) => name)).toEqual(['xsk_fill_submit', 'xsk_rx_consume', 'xsk_tx_submit']);
  expect(thread[0]).toMatchObject({
    ts: BigInt(T0 + 200),
    type: 'TYPE_INSTANT',
    category: 'xsk',
    facts: {
      seq: '1',
      object: 'queue:1',
      addr: String(FRAME),
      position: '77',
      since: String(T0),
      device: 'outer',
    },
  });
  const cpu = eventsOn(TRACE, 'CPUs/CPU 0');
  expect(cpu.find(({ name }) => name === 'xsk_tx_submit')?.facts).toEqual({
    thread: 'xsk-forwarder-4711',
    seq: '5',
  });
  const tids = [...TRACE.tracks.values()].flatMap(({ tid }) => tid ?? []);
  expect(new Set(tids)).toEqual(new Set([21, 99, 4711]));
  expect(eventsOn(TRACE, 'Existed before').map(({ name }) => name)).toEqual(['neigh_exists']);
});

test('numbers beyond 2^53, errors and hostile names arrive as they were', () => {
  const events = eventsOn(TRACE, `${HOSTILE_COMM}/${HOSTILE_COMM}`);
  expect(events.map(({ name }) => name)).toEqual(['neigh_update_done', 'link_register', 'sockiter_hash']);
  expect(events[0]?.facts).toMatchObject({ result: '-17', nud: 'STALE', ip: '10.0.0.2' });
  expect(events[1]?.facts).toMatchObject({ name: printable(HOSTILE_DEVICE) });
  expect(events[2]?.facts).toMatchObject({ cookie: BIG_COOKIE.toString() });
});

test('a frame goes from place to place, and is lost sight of in a gap', () => {
  expect(slicesOn(TRACE, `Objects/Frames/frame:0x${FRAME.toString(16)}@umem:0`)).toEqual([
    'FILL 200..400',
    'kernel 400..500',
    'RX 500..800',
    'app 800..1000',
    'TX 1000..1300',
    'RX 2000..2010',
  ]);
  expect(slicesOn(TRACE, 'Objects/Neighbours/neighbour:10.0.0.2@7:1')).toEqual([
    'REACHABLE -10..900',
    'STALE 900..2010',
  ]);
  expect(slicesOn(TRACE, 'Objects/Queues/queue:1 (outer q1 netns 8193)')).toEqual(['polling 300..600']);
  expect(slicesOn(TRACE, 'CPUs/CPU 1')).toEqual(['NAPI poll 300..600']);
});

test('gaps are slices, and say what is missing', () => {
  expect(slicesOn(TRACE, 'Gaps/CPU 1 xsk')).toEqual([
    'gap: the xsk events of CPU 1 begin later: its ring held no older ones 0..100',
    'gap: 1234 xsk events lost on CPU 1 (overwritten before they were read) 1300..1400',
  ]);
});

test('a violation is an instant with its sentence, joined to its evidence', () => {
  const [violation, ...others] = eventsOn(TRACE, 'Violations');
  expect(others).toEqual([]);
  expect(violation).toMatchObject({
    name: VIOLATION.sentence,
    category: 'violation',
    ts: BigInt(T0 + 2000),
    endedFlows: ['1'],
    facts: { invariant: 'xsk.ownership', object: VIOLATION.object },
  });
  expect(TRACE.events.filter(({ flows }) => flows.includes('1')).map(({ name }) => name)).toEqual([
    'xsk_tx_submit',
    'xsk_rx_write',
  ]);
});

describe('what goes wrong', () => {
  test('a violation whose events were not asked for is drawn, and joined to nothing', () => {
    const trace = readPerfetto(exported(exportPerfetto, { filter: { kinds: ['neigh_update_done'] } }));
    checkMeaning(trace);
    expect(eventsOn(trace, 'Violations')[0]?.endedFlows).toEqual([]);
  });

  test('gaps that overlap, end before they begin, or reach to the end of time', () => {
    const gap = { kind: 'gap', cpu: 1, lost: 1, reason: 1, share: 'xsk' };
    const events = [
      { ...gap, ts: 100, until: 300 },
      { ...gap, ts: 200, until: 400 },
      { ...gap, ts: 250, until: 260 },
      { ...gap, ts: 500, until: 10 },
      { ...gap, ts: 600, until: 0xffff_ffff_ffff_ffffn },
    ];
    const trace = readPerfetto(
      exported(exportPerfetto, {}, inputOf(events, { ...EXPORT_META, violations: [] })),
    );
    checkMeaning(trace);
    expect(trace.events.filter(({ type }) => type === 'TYPE_SLICE_BEGIN')).toHaveLength(3);
  });

  test('no events at all', () => {
    const trace = readPerfetto(exported(exportPerfetto, {}, inputOf([], { ...EXPORT_META, violations: [] })));
    expect(trace.events).toEqual([]);
    expect(trace.packets).toHaveLength(1);
  });
});

test.each(['double-fill', 'poison', 'bind-collision'])('the recording %s', async (name) => {
  const recording = await openRecording(`recordings/${name}.parquet`);
  const pieces: Buffer[] = [];
  for (const piece of exportPerfetto(createSource(recording, null))) pieces.push(Buffer.from(piece));
  const trace = readPerfetto(Buffer.concat(pieces));
  checkMeaning(trace);
  const violations = eventsOn(trace, 'Violations');
  expect(new Set(violations.map(({ name: sentence }) => sentence))).toEqual(
    new Set(recording.meta.violations.map(({ sentence }) => sentence)),
  );
  expect(violations).toHaveLength(recording.meta.violations.length);
  for (const violation of violations) expect(violation.endedFlows).toHaveLength(1);
});

test('the sample has what these tests speak of', () => {
  expect(EVENTS.filter(({ kind }) => kind === 'gap')).toHaveLength(2);
});
