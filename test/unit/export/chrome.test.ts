// The JSON trace event format: valid JSON, slices that nest, arrows that are tied to slices, names that can't break out.

import { expect, test } from 'vitest';
import { exportChrome } from '../../../src/export/chrome.ts';
import { T0 } from '../report/story.ts';
import { EXPORT_META, exported, FRAME, HOSTILE_COMM, inputOf, VIOLATION } from './sample.ts';

interface ChromeEvent {
  readonly ph: string;
  readonly name: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

const TEXT = exported(exportChrome).toString();
const { traceEvents: EVENTS, otherData } = JSON.parse(TEXT) as {
  traceEvents: ChromeEvent[];
  otherData: { kernel: unknown };
};

function named(what: string): Map<string, string> {
  return new Map(
    EVENTS.filter(({ ph, name }) => ph === 'M' && name === what).map(({ pid, tid, args }) => [
      what === 'process_name' ? String(pid) : `${pid}/${tid}`,
      String(args?.['name']),
    ]),
  );
}

test('it is JSON, and says where it comes from', () => {
  expect(otherData.kernel).toEqual(EXPORT_META.kernel);
  expect(TEXT).not.toContain('\x1b');
  expect(new Set(EVENTS.map(({ ph }) => ph))).toEqual(new Set(['M', 'i', 'X', 'b', 'e', 's', 't', 'f']));
});

test('times are microseconds to the nanosecond', () => {
  expect(TEXT).toContain(`"ts":${Math.floor(T0 / 1000)}.${String((T0 % 1000) + 200).padStart(3, '0')},`);
});

test('processes, threads and lanes have names', () => {
  expect(named('process_name').get('99')).toBe(HOSTILE_COMM);
  expect([...named('process_name').values()]).toEqual(
    expect.arrayContaining(['Violations', 'Gaps', 'CPUs', 'Objects', 'xsk-forwarder']),
  );
  expect([...named('thread_name').values()]).toEqual(
    expect.arrayContaining(['CPU 0', 'CPU 1', 'existed before', 'CPU 1 xsk']),
  );
});

test('life-lines begin and end in turn', () => {
  const lines = new Map<string, string[]>();
  for (const { ph, cat, id, name } of EVENTS)
    if (ph === 'b' || ph === 'e')
      lines.set(`${cat}/${id}`, [...(lines.get(`${cat}/${id}`) ?? []), `${ph} ${name}`]);
  for (const moves of lines.values())
    for (const [i, move] of moves.entries()) expect(move[0]).toBe(i % 2 === 0 ? 'b' : 'e');
  const frame = [...lines.values()].find(([first]) => first?.includes('frame:')) ?? [];
  const name = `frame:0x${FRAME.toString(16)}@umem:0`;
  expect(frame.filter((move) => move.startsWith('b'))).toEqual(
    ['FILL', 'kernel', 'RX', 'app', 'TX', 'RX'].map((state) => `b ${name} ${state}`),
  );
});

test('the evidence is joined to the violation by arrows between slices', () => {
  const arrows = EVENTS.filter(({ ph }) => ['s', 't', 'f'].includes(ph));
  expect(arrows.map(({ ph, id }) => `${ph}${id}`)).toEqual(['s1', 't1', 'f1']);
  for (const { pid, tid, ts } of arrows)
    expect(
      EVENTS.some((slice) => slice.ph === 'X' && slice.pid === pid && slice.tid === tid && slice.ts === ts),
    ).toBe(true);
  expect(EVENTS.find(({ cat, ph }) => cat === 'violation' && ph === 'X')?.name).toBe(VIOLATION.sentence);
});

test('gaps and polls last', () => {
  const lasting = EVENTS.filter(({ cat, ph }) => ph === 'X' && (cat === 'gap' || cat === 'poll'));
  expect(lasting.map(({ cat, dur }) => [cat, dur])).toEqual([
    ['gap', 0.1],
    ['poll', 0.3],
    ['gap', 0.1],
  ]);
});

test('no events at all are JSON, too', () => {
  const text = exported(exportChrome, {}, inputOf([], { ...EXPORT_META, violations: [] })).toString();
  expect(JSON.parse(text)).toMatchObject({ traceEvents: [] });
});
