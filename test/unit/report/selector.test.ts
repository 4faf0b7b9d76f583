// What `--object` takes, and which events concern the object.

import { describe, expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { createMatcher, parseSelector, type Selector, selectorText } from '../../../src/report/selector.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, OBJECTS, T0, VIOLATION } from './story.ts';

const TABLE = createObjectTable(META.objects);

function concerns(text: string, event: EventSpec, objects = TABLE): boolean {
  const { lanes } = buildBatch([event]);
  return createMatcher(parseSelector(text) as Selector, objects)(new EventView().move(lanes, 0));
}

test.each([
  ['frame:0x16ce900@umem:3', 'frame:0x16ce900@umem:3'],
  ['frame 0x16ce900 of umem 3', 'frame:0x16ce900@umem:3'],
  ['frame:4096@umem:0', 'frame:0x1000@umem:0'],
  ['socket:4', 'socket:4'],
  ['queue 2', 'queue:2'],
  ['umem 3', 'umem:3'],
  ['neighbour:10.0.0.2', 'neighbour:10.0.0.2'],
  ['neighbour:10.0.0.2@5', 'neighbour:10.0.0.2@5'],
  ['neighbour:10.0.0.2@5:8193', 'neighbour:10.0.0.2@5:8193'],
  ['neighbour:fe80::1@5:8193', 'neighbour:fe80::1@5:8193'],
  ['neighbour 10.0.0.2 on ifindex 5 (netns 8193)', 'neighbour:10.0.0.2@5:8193'],
  ['fdb:02:42:0a:00:10:0B', 'fdb:02:42:0a:00:10:0b'],
  ['fdb 02:42:0a:00:10:0b on ifindex 20 (netns 6)', 'fdb:02:42:0a:00:10:0b@20:6'],
  ['vni:4097', 'vni:4097'],
  ['vni 4097 (netns 8199)', 'vni:4097@netns:8199'],
  ['device:5', 'device:5'],
  ['eth0 (ifindex 5, netns 3)', 'device:5:3'],
  ['a device (ifindex 5, netns 3)', 'device:5:3'],
  ['address:FD31::2', 'address:fd31::2'],
  ['address:192.0.2.1@5:3', 'address:192.0.2.1@5:3'],
  ['fd31::2 of eth0 (ifindex 5, netns 3)', 'address:fd31::2@5:3'],
  ['172.31.0.2 on bridge ifindex 2 (netns 4099)', 'address:172.31.0.2'],
  ['VTEP 192.0.2.2 (netns 4097)', 'address:192.0.2.2@netns:4097'],
  ['VTEPs 192.0.2.1 and 192.0.2.3 (netns 2)', 'address:192.0.2.1,192.0.2.3@netns:2'],
  ['192.0.2.1 to 192.0.2.2', 'address:192.0.2.1,192.0.2.2'],
  ['sa:4097', 'sa:0x1001'],
  ['sa:0x1001@fd00::2@netns:4101', 'sa:0x1001@fd00::2@netns:4101'],
  ['SA 0x1001 (esp) from 10.79.0.1 to 10.79.0.2 (netns 4101)', 'sa:0x1001@10.79.0.2@netns:4101'],
  ['SA 0x7777 to 10.79.0.2 (netns 4101)', 'sa:0x7777@10.79.0.2@netns:4101'],
  ['policy:73', 'policy:73'],
  ['policy:73@netns:2', 'policy:73@netns:2'],
  [
    'out policy 10.79.0.1/32 to 10.79.0.2/32 mark 0xd0c4e3 (netns 4103)',
    'policy:10.79.0.1/32-10.79.0.2/32@netns:4103',
  ],
  ['netns 8195', 'netns:8195'],
  ['thread 249 of process 247', 'thread:249'],
  ['iterator:6', 'iterator:6'],
  [
    'UDP iterator 6 (netns 8196), UDP socket of port 4791 (cookie 4113, netns 8196)',
    'iterator:6@cookie:4113',
  ],
  ['TCP iterator 6 (netns 1), TCP socket of port 80 (no cookie, netns 1)', 'iterator:6'],
  ['cookie:4113', 'cookie:4113'],
])('%s is %s', (text, normal) => {
  expect(selectorText(parseSelector(text) as Selector)).toBe(normal);
  expect(selectorText(parseSelector(normal) as Selector)).toBe(normal);
});

test.each([
  '',
  'frame:0x1',
  'frame:zz@umem:1',
  'socket',
  'socket:x',
  'device:eth0',
  'neighbour:',
  'fdb:02:42',
  'address:',
  'sa:',
  'door:1',
])('"%s" is no object', (text) => {
  expect(parseSelector(text)).toBeUndefined();
});

test("a violation's own words select its frame", () => {
  expect(selectorText(parseSelector(VIOLATION.object) as Selector)).toBe('frame:0x16ce000@umem:0');
});

describe('a frame', () => {
  test('is met by any address in its chunk, through queue and socket alike', () => {
    for (const object of [1, 2, 3, 4])
      expect(
        concerns('frame:0x16ce010@umem:0', { kind: 'xsk_comp_submit', ts: T0, object, addr: 0x16cefff }),
      ).toBe(true);
    expect(
      concerns('frame:0x16ce010@umem:0', { kind: 'xsk_comp_submit', ts: T0, object: 1, addr: 0x16cf000 }),
    ).toBe(false);
    expect(concerns('frame:0x16ce010@umem:0', { kind: 'xsk_wakeup', ts: T0, object: 2, reason: 1 })).toBe(
      false,
    );
  });

  test('of an unaligned umem is met with the offset in the upper bits', () => {
    const unaligned = createObjectTable(
      OBJECTS.map((entry) => (entry.type === 'umem' ? { ...entry, flags: 1 } : entry)),
    );
    const addr = 0x16ce000n | (0x100n << 48n);
    expect(
      concerns('frame:0x16ce000@umem:0', { kind: 'xsk_rx_write', ts: T0, object: 2, addr }, unaligned),
    ).toBe(true);
  });

  test('outside its umem is met where exactly that address was put into a ring', () => {
    const poison = 0xdeadbeefdeadbeefn;
    const selector = 'frame:0xdeadbeefdeadbeef@umem:0';
    expect(concerns(selector, { kind: 'xsk_rx_write', ts: T0, object: 2, addr: poison })).toBe(true);
    expect(concerns(selector, { kind: 'xsk_rx_write', ts: T0, object: 2, addr: poison + 1n })).toBe(false);
  });
});

test('a socket is met wherever a field names it', () => {
  expect(concerns('umem:0', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(true);
  expect(concerns('socket:4', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(true);
  expect(concerns('socket:2', { kind: 'xsk_bind', ts: T0, object: 4, umem: 0 })).toBe(false);
});

test('a queue has its sockets, a umem all that uses it', () => {
  const write = { kind: 'xsk_rx_write', ts: T0, object: 2, addr: 0x1000 };
  expect(concerns('queue:1', write)).toBe(true);
  expect(concerns('queue:3', write)).toBe(false);
  expect(concerns('umem:0', write)).toBe(true);
  expect(concerns('socket:2', { kind: 'xsk_drop', ts: T0, object: 1, reason: 1 })).toBe(false);
});

test('a neighbour is met by address, and by device and namespace if given', () => {
  const event = { kind: 'neigh_release', ts: T0, netns: 8193, ifindex: 5, family: 2, ip: '10.0.0.2' };
  expect(concerns('neighbour:10.0.0.2', event)).toBe(true);
  expect(concerns('neighbour:10.0.0.2@5:8193', event)).toBe(true);
  expect(concerns('neighbour:10.0.0.2@6', event)).toBe(false);
  expect(concerns('neighbour:10.0.0.2@5:1', event)).toBe(false);
  expect(concerns('neighbour:10.0.0.3', event)).toBe(false);
});

test('a forwarding entry is met by its MAC, by what flushes its device and by who resolves to it', () => {
  const where = { ts: T0, netns: 6, ifindex: 20 };
  const entry = {
    kind: 'vxlan_fdb_update',
    ...where,
    vni: 4097,
    mac: '02:42:0a:00:10:0b',
    remote: '192.0.2.2',
  };
  expect(concerns('fdb:02:42:0a:00:10:0b', entry)).toBe(true);
  expect(concerns('fdb:02:42:0a:00:10:0b@20:6', entry)).toBe(true);
  expect(concerns('fdb:02:42:0a:00:10:0b@21:6', entry)).toBe(false);
  expect(concerns('fdb:02:42:0a:00:10:0b@20:7', entry)).toBe(false);
  expect(concerns('fdb:02:42:0a:00:10:0c', entry)).toBe(false);
  const fdb = 'fdb:02:42:0a:00:10:0b@20:6';
  expect(concerns(fdb, { kind: 'vxlan_flush', ...where })).toBe(true);
  expect(
    concerns(fdb, { kind: 'neigh_update', ...where, ip: '10.0.1.12', new_mac: '02:42:0a:00:10:0b' }),
  ).toBe(true);
  expect(concerns(fdb, { kind: 'vxlan_packets', ...where, remote: '192.0.2.2' })).toBe(false);
});

test("a VNI is met in the namespace of its device and in that of its device's socket", () => {
  const device = { kind: 'vxlan_device_add', ts: T0, netns: 6, link_netns: 4, ifindex: 20, vni: 4097 };
  for (const vni of ['vni:4097', 'vni:4097@netns:6', 'vni:4097@netns:4'])
    expect(concerns(vni, device)).toBe(true);
  expect(concerns('vni:4098', device)).toBe(false);
  expect(concerns('vni:4097@netns:5', device)).toBe(false);
  expect(concerns('vni:0', { kind: 'link_up', ts: T0, netns: 6, ifindex: 20 })).toBe(false);
  expect(concerns('vni:4098', { kind: 'vxlan_fdb_update', ts: T0, vni: 4097, remote_vni: 4098 })).toBe(true);
});

test('a device is met where it is, where it was, as a peer and as a bridge', () => {
  const move = { kind: 'link_move_done', ts: T0, netns: 3, ifindex: 5, old_netns: 1, old_ifindex: 9 };
  expect(concerns('device:5:3', move)).toBe(true);
  expect(concerns('device:9:1', move)).toBe(true);
  expect(concerns('device:5:1', move)).toBe(false);
  const up = { kind: 'link_up', ts: T0, netns: 3, ifindex: 5, peer_ifindex: 8, peer_netns: 1, bridge: 2 };
  expect(concerns('device:8:1', up)).toBe(true);
  expect(concerns('device:2:1', up)).toBe(true);
  expect(concerns('device:2:3', up)).toBe(false);
  const master = { kind: 'link_master', ts: T0, netns: 1, ifindex: 8, master: 2 };
  expect(concerns('device:2:1', master)).toBe(true);
  const queue = META.objects.find(({ type }) => type === 'queue');
  expect(
    concerns(`device:${queue?.ifindex}:${queue?.netns}`, {
      kind: 'xsk_flush',
      ts: T0,
      object: queue?.index,
    }),
  ).toBe(true);
});

test('an address is met in every path, two of them only together', () => {
  const traffic = { kind: 'xfrm_traffic', ts: T0, netns: 4, saddr: '192.0.2.1', daddr: '192.0.2.2' };
  expect(concerns('address:192.0.2.2', traffic)).toBe(true);
  expect(concerns('address:192.0.2.2,192.0.2.1@netns:4', traffic)).toBe(true);
  expect(concerns('address:192.0.2.2,192.0.2.3', traffic)).toBe(false);
  expect(concerns('address:192.0.2.2@netns:5', traffic)).toBe(false);
  const added = {
    kind: 'link_address_add',
    ts: T0,
    netns: 3,
    ifindex: 5,
    family: 10,
    ip: 'fd31:0:0:0:0:0:0:2',
  };
  expect(concerns('address:fd31::2@5:3', added)).toBe(true);
  expect(concerns('address:fd31::2@6:3', added)).toBe(false);
});

test('a state is met by its SPI, its destination and its namespace, a policy by index or selector', () => {
  const state = {
    kind: 'xfrm_state_add',
    ts: T0,
    netns: 4,
    spi: 0x1001,
    saddr: '10.79.0.1',
    daddr: '10.79.0.2',
  };
  expect(concerns('sa:0x1001', state)).toBe(true);
  expect(concerns('sa:0x1001@10.79.0.2@netns:4', state)).toBe(true);
  expect(concerns('sa:0x1001@10.79.0.3', state)).toBe(false);
  expect(concerns('sa:0x1001@10.79.0.2@netns:5', state)).toBe(false);
  expect(concerns('sa:0x1002', state)).toBe(false);
  const policy = {
    kind: 'xfrm_policy_add',
    ts: T0,
    netns: 4,
    index: 73,
    saddr: '10.79.0.1',
    saddr_prefix: 32,
    daddr: '10.79.0.2',
    daddr_prefix: 32,
    tmpl_spi: 0x1001,
    tmpl_daddr: '10.79.0.2',
  };
  expect(concerns('sa:0x1001@10.79.0.2', policy)).toBe(true);
  expect(concerns('policy:73', policy)).toBe(true);
  expect(concerns('policy:74', policy)).toBe(false);
  expect(concerns('policy:73@netns:5', policy)).toBe(false);
  expect(concerns('policy:10.79.0.1/32-10.79.0.2/32', policy)).toBe(true);
  expect(concerns('policy:10.79.0.1/32-10.79.0.2/31', policy)).toBe(false);
  expect(concerns('policy:0', state)).toBe(false);
});

test('a namespace is met wherever it is named, a thread in what it does and in what made it', () => {
  const fork = { kind: 'netns_fork', ts: T0, tid: 7, netns: 3, creator_netns: 3, home: 1, thread: 8 };
  expect(concerns('netns:1', fork)).toBe(true);
  expect(concerns('netns:2', fork)).toBe(false);
  expect(concerns('thread:7', fork)).toBe(true);
  expect(concerns('thread:8', fork)).toBe(true);
  expect(concerns('thread:9', fork)).toBe(false);
});

test("an iterator's life with one socket leaves out the others", () => {
  const of = 'iterator:6@cookie:4113';
  const show = { kind: 'sockiter_show', ts: T0, iterator: 6, cookie: 4113 };
  expect(concerns(of, show)).toBe(true);
  expect(concerns(of, { ...show, cookie: 4112 })).toBe(false);
  expect(concerns(of, { ...show, iterator: 7 })).toBe(false);
  expect(concerns(of, { kind: 'sockiter_start', ts: T0, iterator: 6 })).toBe(true);
  expect(concerns(of, { kind: 'sockiter_unhash', ts: T0, cookie: 4113 })).toBe(true);
  expect(concerns('iterator:6', { kind: 'sockiter_unhash', ts: T0, cookie: 4113 })).toBe(false);
  expect(concerns('cookie:4113', show)).toBe(true);
  expect(concerns('cookie:4112', show)).toBe(false);
});

test('an object that is not there is refused with those that are', () => {
  expect(() => concerns('queue:7', { kind: 'xsk_flush', ts: T0 })).toThrow(
    'This recording has no queue:7; it has queue 1, 3.',
  );
  expect(() => concerns('socket:7', { kind: 'xsk_flush', ts: T0 }, createObjectTable([]))).toThrow(
    'no socket at all',
  );
});
