// Lines of a trace: exact text, ftrace's columns, every kind in words.

import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { NO_OBJECT } from '../../../src/model/objects.ts';
import { eventJson } from '../../../src/report/event-json.ts';
import { eventsOf } from '../../../src/report/events.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { createThreadNames } from '../../../src/report/threads.ts';
import { COLUMNS, traceLine, violationMarks } from '../../../src/report/trace-line.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, story, T0, VIOLATION } from './story.ts';

const KNOWN = { objects: createObjectTable(META.objects), threads: createThreadNames(META.threads) };
const PLAIN = { ...KNOWN, palette: createPalette(false) };
const COLOURED = { ...KNOWN, palette: createPalette(true) };

function lineOf(event: EventSpec): string {
  const { lanes } = buildBatch([event]);
  return traceLine(new EventView().move(lanes, 0), PLAIN);
}

test('the story as plain text', () => {
  const lines: string[] = [];
  for (const { event } of eventsOf([story()])) lines.push(traceLine(event, PLAIN));
  expect(lines.join('\n')).toBe(
    `
   xsk-forwarder-4711    [000]    8123.456789: xsk_fill_submit:   queue:1 (outer q1 netns 8193) position=77 addr=0x16ce000 since -12.3µs
   xsk-forwarder-4711    [000]    8123.456789: xsk_wakeup:        socket:2 (outer q1 netns 8193) reason=poll
          <idle>-0       [001]    8123.456809: xsk_fill_take:     queue:1 (outer q1 netns 8193) position=77 addr=0x16ce000
          <idle>-0       [001]    8123.456810: xsk_rx_write:      socket:2 (outer q1 netns 8193) position=40 addr=0x16ce100 len=60
          <idle>-0       [001]    8123.456819: xsk_rx_publish:    socket:2 (outer q1 netns 8193) position=40 addr=0x16ce100 len=60
   xsk-forwarder-4711    [000]    8123.456879: xsk_tx_submit:     socket:4 (inner q0 netns 1) position=12 addr=0x16ce100 len=60 since -19.0µs
   xsk-forwarder-4711    [000]    8123.456880: xsk_tx_take:       queue:3 (inner q0 netns 1) addr=0x16ce100
   xsk-forwarder-4711    [000]    8123.456989: xsk_fill_submit:   queue:1 (outer q1 netns 8193) position=78 addr=0x1000 since -200µs flags=seen-by-timer
### 1234 events lost on CPU 1 (overwritten before they were read) ###
     ksoftirqd/1-21      [001]    8123.458659: xsk_rx_write:      socket:2 (outer q1 netns 8193) position=41 addr=0x16ce100 len=60 flags=urgent
   xsk-forwarder-4711    [000]    8123.458689: xsk_wakeup:        socket:2 (outer q1 netns 8193) reason=sendto`.slice(
      1,
    ),
  );
});

test('the columns stand where their headings do', () => {
  const line = lineOf({ kind: 'xsk_wakeup', ts: T0, cpu: 2, tid: 4711, object: 2, reason: 3 });
  const [heading, ticks] = COLUMNS as [string, string];
  expect(heading.indexOf('-TID')).toBe(line.indexOf('-4711'));
  expect(heading.indexOf('CPU#')).toBe(line.indexOf('[002]'));
  expect(heading.indexOf('TIMESTAMP') + 'TIMESTAMP'.length).toBe(line.indexOf(': xsk'));
  expect(heading.indexOf('EVENT')).toBe(line.indexOf('xsk_wakeup'));
  expect(ticks).toHaveLength(heading.indexOf('EVENT') + 3);
});

test('colour changes no letter', () => {
  for (const { event } of eventsOf([story()])) {
    const coloured = traceLine(event, COLOURED);
    expect(coloured).toContain('\x1b[');
    expect(stripVTControlCharacters(coloured)).toBe(traceLine(event, PLAIN));
  }
});

test.each(LAYOUTS.map(({ kind }) => kind))('%s is said in words, whatever its fields hold', (kind) => {
  const layout = LAYOUTS.find((candidate) => candidate.kind === kind);
  for (const value of [0, 1, 0xff, NO_OBJECT]) {
    const fields = Object.fromEntries(layout?.fields.map((field) => [field.name, value]) ?? []);
    const { lanes } = buildBatch([{ kind, ts: T0, flags: 0xfff0, ...fields }]);
    const event = new EventView().move(lanes, 0);
    const line = traceLine(event, PLAIN);
    expect(line).not.toMatch(/undefined|NaN|null|\[object|unknown/);
    expect(line).toContain(kind === 'gap' ? '###' : `${kind}:`);
    expect(JSON.stringify(eventJson(event, KNOWN))).not.toMatch(/undefined|NaN/);
  }
});

test('a failed bind names its error, its flags and what it wanted to share', () => {
  const bind = {
    kind: 'xsk_bind',
    ts: T0,
    tid: 4711,
    object: 4,
    result: -22,
    netns: 8193,
    ifindex: 4,
    queue: 0,
    bind_flags: 0x9,
    shared_fd: 5,
    umem: 0,
    has: 0x13,
    shared_ifindex: 4,
    shared_queue: 1,
    shared_netns: 8193,
  };
  expect(lineOf(bind)).toMatch(
    /xsk_bind: +socket:4 \(inner q0 netns 1\) result=EINVAL \(-22\) netns=8193 ifindex=4 \(outer\) queue=0 bind_flags=shared-umem,need-wakeup shared_fd=5 umem=umem:0 has=rx,tx,umem shared_ifindex=4 \(outer\) shared_queue=1 shared_netns=8193$/,
  );
  expect(lineOf({ ...bind, result: 0, shared_fd: -1 })).toMatch(/result=0 .* has=rx,tx,umem$/);
});

test('a neighbour update says the address first, states by name, and a new MAC only if there is one', () => {
  const update = {
    kind: 'neigh_update',
    ts: T0,
    netns: 1,
    ifindex: 7,
    family: 2,
    nud: 2,
    new_nud: 4,
    ip: '10.0.0.2',
    mac: '02:00:00:00:00:01',
    new_mac: '02:00:00:00:00:02',
    has_new_mac: 1,
    update_flags: 0x81,
  };
  expect(lineOf(update)).toMatch(
    /neigh_update: +ip=10\.0\.0\.2 netns=1 ifindex=7 \(inner\) family=inet nud=REACHABLE new_nud=STALE mac=02:00:00:00:00:01 new_mac=02:00:00:00:00:02 update_flags=override,admin portid=kernel$/,
  );
  expect(lineOf({ ...update, has_new_mac: 0 })).not.toContain('new_mac');
});

test('a thread has the name that was valid then', () => {
  const at = (ts: number, tid = 4711) => lineOf({ kind: 'xsk_flush', ts, tid }).trim().split(' ')[0];
  expect(at(T0 - 5000)).toBe('bash-4711');
  expect(at(T0)).toBe('xsk-forwarder-4711');
  expect(at(T0, 99)).toBe('<...>-99');
});

test('a repeated report is marked', () => {
  const twice = { kind: 'xsk_fill_submit', ts: T0, object: 1, position: 5, addr: 0x1000, since: T0 };
  const flags: boolean[] = [];
  for (const { event } of eventsOf([buildBatch([twice, { ...twice, cpu: 1 }])]))
    flags.push(traceLine(event, PLAIN).endsWith('flags=repeated'));
  expect(flags).toEqual([false, true]);
});

test('the violation stands between two marks', () => {
  const { above, below } = violationMarks(
    [VIOLATION, { ...VIOLATION, severity: 'warning', orderDependent: true }],
    PLAIN.palette,
  );
  expect(above).toEqual(['# ▼▼▼ xsk.ownership', '# ▼▼▼ xsk.ownership, a warning (in the order recorded)']);
  expect(below[0]).toBe(`# ▲▲▲ ${VIOLATION.sentence}`);
});

test('a device is called what events have called it, a bridge is where its port is', () => {
  const objects = createObjectTable([]);
  const event = new EventView();
  const tell = (spec: EventSpec) => {
    event.move(buildBatch([spec]).lanes, 0);
    objects.learn(event);
    return traceLine(event, { ...PLAIN, objects });
  };
  tell({ kind: 'link_exists', ts: T0, netns: 3, ifindex: 5, name: 'eth0' });
  tell({ kind: 'link_exists', ts: T0, netns: 3, ifindex: 2, name: 'br0' });
  expect(tell({ kind: 'neigh_release', ts: T0, netns: 3, ifindex: 5 })).toContain('ifindex=5 (eth0)');
  expect(tell({ kind: 'neigh_release', ts: T0, netns: 4, ifindex: 5 })).toContain('ifindex=5 ');
  expect(tell({ kind: 'link_master', ts: T0, netns: 3, ifindex: 5, master: 2 })).toContain('master=2 (br0)');
  tell({ kind: 'link_rename', ts: T0, netns: 3, ifindex: 5, name: 'eth0', new_name: 'x', result: -16 });
  expect(tell({ kind: 'link_change', ts: T0, netns: 3, ifindex: 5 })).toContain('ifindex=5 (eth0)');
  tell({ kind: 'link_rename', ts: T0, netns: 3, ifindex: 5, name: 'eth0', new_name: 'lan0' });
  expect(tell({ kind: 'link_change', ts: T0, netns: 3, ifindex: 5 })).toContain('ifindex=5 (lan0)');
  expect(eventJson(event, { ...KNOWN, objects })).toMatchObject({ ifindex: 5, device: 'lan0' });
});
