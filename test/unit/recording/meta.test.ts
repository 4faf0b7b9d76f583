// The description inside a recording, as JSON and back.

import { expect, test } from 'vitest';
import { parseMeta, serialiseMeta } from '../../../src/recording/meta.ts';
import { META } from './sample.ts';

/** The sample as plain JSON, with one member replaced. */
function changed(path: string, value: unknown): string {
  const root = JSON.parse(serialiseMeta(META)) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() as string;
  const owner = keys.reduce((node, key) => node[key] as Record<string, unknown>, root);
  owner[last] = value;
  return JSON.stringify(root);
}

test('a description comes back as it was', () => {
  expect(parseMeta(serialiseMeta(META))).toEqual(META);
});

test('a higher format is refused where nothing may be left out', () => {
  expect(() => parseMeta(changed('format', 2))).toThrow(expect.objectContaining({ code: 'TOO_NEW' }));
});

test('what older recordings lack stays away', () => {
  const [violation] = META.violations;
  const meta = { ...META, outOfWindow: violation === undefined ? [] : [violation] };
  expect(parseMeta(serialiseMeta(meta))).toEqual(meta);
  expect(parseMeta(serialiseMeta(META))).not.toHaveProperty('outOfWindow');
});

test('costs, and windows by path, come back too', () => {
  const probes = [{ probe: 'xsk_bind', runs: 7, ns: 700 }];
  const costs = {
    wallNs: 5e9,
    sampledNs: 5e8,
    paths: [{ path: 'xsk', runs: 7, ns: 700 }],
    probes,
    processNs: 1e8,
  };
  const window = { cpu: 0, path: 'xsk', firstTs: 1, lastTs: 2, events: 3, overwritten: 4 };
  const freeze = META.freeze && { ...META.freeze, window: [window] };
  const meta = { ...META, freeze, costs };
  expect(parseMeta(serialiseMeta(meta))).toEqual(meta);
  expect(() => parseMeta(serialiseMeta({ ...meta, costs: { ...costs, sampledNs: -1 } }))).toThrow(
    'sampledNs',
  );
  expect(parseMeta(serialiseMeta(META))).not.toHaveProperty('costs');
});

test.each([
  ['format', 0],
  ['format', 'one'],
  ['flightring', undefined],
  ['kernel', null],
  ['kernel.cpus', -1],
  ['clocks.monotonicNs', 12],
  ['layouts', {}],
  ['layouts.0.fields.0.type', 'float'],
  ['layouts.1.size', 1e9],
  ['objects.1.netns', '-1'],
  ['objects.1.index', 4e9],
  ['objects.1.type', 'pipe'],
  ['threads.0', []],
  ['coverage.0.status', 'fine'],
  ['freeze.window.0.events', 1.5],
  ['violations.0.at', 'there'],
  ['violations.0.orderDependent', 0],
  ['counts.xsk', {}],
  ['loss.overwritten', 'none'],
  ['notes.0', 7],
])('%s = %j is refused by name', (path, value) => {
  const place = path.replaceAll(/\.(\d+)/g, '[$1]');
  expect(() => parseMeta(changed(path, value))).toThrow(
    expect.objectContaining({ code: 'BAD_META', message: expect.stringContaining(`meta.${place}`) }),
  );
});

test('text that is no JSON is refused', () => {
  expect(() => parseMeta('{"format":1')).toThrow(expect.objectContaining({ code: 'BAD_META' }));
});

test('layouts that contradict themselves are refused', () => {
  expect(() => parseMeta(changed('layouts.1.fields.0.offset', 4000))).toThrow(
    expect.objectContaining({ code: 'BAD_LAYOUT' }),
  );
});

test('names that reach a prototype have no effect', () => {
  const json = serialiseMeta(META).replace(
    '"counts":{',
    '"counts":{"__proto__":{"polluted":1},"constructor":{},"prototype":{},',
  );
  const meta = parseMeta(json);
  expect(meta.counts).toEqual(META.counts);
  expect(Object.getPrototypeOf(meta.counts)).toBe(Object.prototype);
  expect('polluted' in {}).toBe(false);
});

test('a newer format is told with the version that wrote it', () => {
  const json = JSON.stringify({ format: 2, flightring: '3.1.0', events: {} });
  expect(() => parseMeta(json)).toThrow(
    'The recording was made by flightring 3.1.0 (format 2), which is newer than this one',
  );
});
