// What the tools print, captured on Debian 12 (iproute2 6.1), becomes records; what they never print is counted.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecordSpec } from '../../../../src/decode/encode-record.ts';
import { type Devices, parseLinks, parseNetnsIds } from '../../../../src/source/snapshot/links.ts';
import { parseFdb, parseNeighbours } from '../../../../src/source/snapshot/neighbours.ts';
import { parseSockets } from '../../../../src/source/snapshot/sockets.ts';
import { parsePolicies, parseStates } from '../../../../src/source/snapshot/xfrm.ts';

const captured = (name: string) => readFileSync(join(import.meta.dirname, 'captured', name), 'utf8');
const ALL = new Set(['link_exists', 'link_address_exists', 'vxlan_exists']);
const NETNS = 7n;
const links = parseLinks(captured('addresses.json'), NETNS, ALL, () => 0n);
const { devices } = links;
const NONE: Devices = { ifindexOf: new Map(), vnis: new Map() };

function find(records: readonly RecordSpec[], kind: string, fields: Record<string, unknown>) {
  return records.find(
    (record) =>
      record.kind === kind && Object.entries(fields).every(([name, value]) => record.fields[name] === value),
  )?.fields;
}

describe('ip -j -d address show', () => {
  test('devices with kind, master, port state and flags', () => {
    expect(links.odd).toBe(0);
    const bridge = find(links.records, 'link_exists', { name: 'br0' });
    const port = find(links.records, 'link_exists', { name: 'v0' });
    expect(bridge).toMatchObject({
      netns: NETNS,
      ifindex: 2,
      device_kind: 'bridge',
      port_state: 0xff,
      master: 0,
    });
    expect(port).toMatchObject({ device_kind: 'veth', master: 2, port_state: 3 });
    // IFF_UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP.
    expect(port?.['device_flags']).toBe(0x1_1043);
    expect(find(links.records, 'link_exists', { name: 'vx1' })?.['device_flags']).toBe(0x1002);
  });

  test('addresses with prefix and flags', () => {
    expect(find(links.records, 'link_address_exists', { ip: '10.1.2.3', ifindex: 3 })).toEqual({
      netns: NETNS,
      ifindex: 3,
      prefix: 24,
      family: 2,
      ip: '10.1.2.3',
      address_flags: 0x80,
    });
    expect(find(links.records, 'link_address_exists', { ip: 'fd00::1' })).toMatchObject({
      family: 10,
      address_flags: 0x82,
    });
  });

  test('VXLAN devices, and whose socket they use when they were moved', () => {
    expect(find(links.records, 'vxlan_exists', { vni: 42 })).toMatchObject({
      ifindex: 5,
      local: '10.1.2.3',
      port: 4789,
      link_netns: NETNS,
    });
    const names = parseNetnsIds('[{"nsid":0,"name":"other"},{"nsid":1}]');
    const moved = parseLinks(captured('moved-vxlan.json'), NETNS, ALL, (nsid) =>
      names.get(nsid) === 'other' ? 99n : 0n,
    );
    expect(find(moved.records, 'vxlan_exists', { vni: 77 })?.['link_netns']).toBe(99n);
  });

  test('a kind that is not wanted is not made', () => {
    expect(parseLinks(captured('addresses.json'), NETNS, new Set(), () => 0n).records).toEqual([]);
  });
});

test('ip -j neigh show nud all: states, MACs, and what has none', () => {
  const { records, odd } = parseNeighbours(captured('neighbours.json'), NETNS, devices);
  expect(odd).toBe(0);
  const nud = (ip: string) => find(records, 'neigh_exists', { ip })?.['nud'];
  expect(['10.1.2.9', '10.1.2.12', '10.1.2.10', '10.1.2.11', 'fd00::9'].map(nud)).toEqual([
    0x80, 0x04, 0, 1, 2,
  ]);
  expect(find(records, 'neigh_exists', { ip: '10.1.2.9' })).toEqual({
    netns: NETNS,
    ifindex: 3,
    family: 2,
    nud: 0x80,
    ip: '10.1.2.9',
    mac: '02:00:00:00:00:09',
  });
});

test('bridge -j fdb show: the entries of VXLAN devices only', () => {
  const { records, odd } = parseFdb(captured('fdb.json'), NETNS, devices);
  expect(odd).toBe(0);
  expect(records).toHaveLength(5);
  expect(find(records, 'vxlan_fdb_exists', { mac: '02:00:00:00:00:34' })).toEqual({
    netns: NETNS,
    ifindex: 5,
    // Its packets are sent with VNI 77, but it is an entry of the device's VNI.
    vni: 42,
    mac: '02:00:00:00:00:34',
    remote: '10.1.2.50',
    fdb_state: 0x40,
    fdb_flags: 0x02,
  });
  expect(find(records, 'vxlan_fdb_exists', { remote: '10.9.9.9' })).toMatchObject({ vni: 43 });
});

test('ip xfrm state list nokeys', () => {
  const { records, odd } = parseStates(captured('states.txt'), NETNS);
  expect(odd).toBe(0);
  expect(records.map(({ fields }) => fields)).toEqual([
    {
      netns: NETNS,
      saddr: 'fd00::1',
      daddr: 'fd00::2',
      spi: 0x99,
      reqid: 0,
      proto: 50,
      mode: 1,
      family: 10,
      state: 2,
      algorithm: 'cbc(aes)',
      if_id: 5,
    },
    {
      netns: NETNS,
      saddr: '10.1.2.3',
      daddr: '10.1.2.50',
      spi: 0x1234,
      reqid: 7,
      proto: 50,
      mode: 0,
      family: 2,
      state: 2,
      algorithm: 'rfc4106(gcm(aes))',
      mark: 0xd0c4e3,
      mark_mask: 0xffff_ffff,
    },
  ]);
});

test('ip -s xfrm policy list', () => {
  const { records, odd } = parsePolicies(captured('policies.txt'), NETNS);
  expect(odd).toBe(0);
  expect(records).toHaveLength(3);
  expect(find(records, 'xfrm_policy_exists', { direction: 1 })).toEqual({
    netns: NETNS,
    saddr: '10.1.2.3',
    daddr: '10.1.2.50',
    saddr_prefix: 32,
    daddr_prefix: 32,
    family: 2,
    direction: 1,
    action: 0,
    index: 1,
    priority: 0,
    sel_proto: 17,
    sport: 0,
    dport: 4789,
    mark: 0xd0c4e3,
    mark_mask: 0xffff_ffff,
    tmpl_saddr: '10.1.2.3',
    tmpl_daddr: '10.1.2.50',
    proto: 50,
    mode: 0,
    tmpl_spi: 0x1234,
    reqid: 7,
  });
  expect(find(records, 'xfrm_policy_exists', { direction: 0 })).toMatchObject({
    action: 1,
    priority: 1000,
    if_id: 9,
    index: 8,
  });
  expect(find(records, 'xfrm_policy_exists', { direction: 2 })).toMatchObject({ proto: 50, mode: 1 });
});

test('ss: every socket with its cookie; what only waits for time to pass is none', () => {
  const four = parseSockets(captured('sockets4.txt'), NETNS, 2);
  expect(four.odd).toBe(0);
  expect(four.records).toHaveLength(6);
  expect(find(four.records, 'sockiter_socket_exists', { port: 53 })).toEqual({
    netns: NETNS,
    cookie: 0x4cn,
    family: 2,
    proto: 17,
    port: 53,
  });
  // Bound and no more: in no table that an iterator walks.
  const bound = 'tcp UNCONN 0 0 10.0.0.1:4444 0.0.0.0:* uid:0 ino:9 sk:51 <->\n';
  expect(parseSockets(bound, NETNS, 2)).toMatchObject({ records: [], odd: 0 });
  const six = parseSockets(captured('sockets6.txt'), NETNS, 10);
  expect(six.records.map(({ fields }) => [fields['proto'], fields['port'], fields['family']])).toEqual([
    [17, 54, 10],
    [6, 8080, 10],
    [6, 8081, 10],
  ]);
});

describe('odd input', () => {
  const PARSERS = [
    (text: string) => parseLinks(text, NETNS, ALL, () => 0n),
    (text: string) => parseNeighbours(text, NETNS, devices),
    (text: string) => parseFdb(text, NETNS, devices),
    (text: string) => parseStates(text, NETNS),
    (text: string) => parsePolicies(text, NETNS),
    (text: string) => parseSockets(text, NETNS, 2),
  ];

  test.each([
    ['no JSON', parseNeighbours('Error: what', NETNS, NONE)],
    ['no list', parseNeighbours('{"dst":"10.0.0.1"}', NETNS, NONE)],
    ['an unknown device', parseNeighbours('[{"dst":"10.0.0.1","dev":"gone"}]', NETNS, NONE)],
    ['an address that is none', parseNeighbours('[{"dst":"10.0.0.256","dev":"v1"}]', NETNS, devices)],
    ['an entry that is none', parseFdb('[7]', NETNS, devices)],
    ['a state without a protocol', parseStates('src 10.0.0.1 dst 10.0.0.2\n\treqid 1\n', NETNS)],
    ['lines of no state', parseStates('\tproto esp\n', NETNS)],
    ['a policy without direction', parsePolicies('src 0.0.0.0/0 dst 0.0.0.0/0\n\tpriority 1\n', NETNS)],
    ['a socket without cookie', parseSockets('tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n', NETNS, 2)],
  ])('%s is counted', (_, answer) => {
    expect(answer).toMatchObject({ odd: 1, records: [] });
  });

  test('names from objects that everything inherits from are nothing', () => {
    const text = '[{"dst":"10.0.0.1","dev":"v1","state":["constructor","__proto__"]}]';
    expect(parseNeighbours(text, NETNS, devices).records[0]?.fields['nud']).toBe(0);
  });

  test('nothing is thrown, whatever comes', () => {
    const texts = [
      'addresses.json',
      'neighbours.json',
      'fdb.json',
      'states.txt',
      'policies.txt',
      'sockets4.txt',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.nat(4000),
        fc.string({ maxLength: 12 }),
        (name, at, noise) => {
          const text = captured(name);
          const broken = text.slice(0, at) + noise + text.slice(at + noise.length);
          for (const parse of PARSERS) for (const damaged of [broken, noise, text.slice(at)]) parse(damaged);
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        for (const parse of PARSERS) parse(json);
      }),
      { numRuns: 300 },
    );
  });
});
