// Devices, their addresses and VXLAN settings, from `ip -j -d address show`.

import type { FieldValue } from '../../decode/encode-record.ts';
import { parseIp } from '../../decode/address.ts';
import { type Answer, bitsOf, countOf, entriesOf, objectOf, textOf, wordsOf } from './answer.ts';

/** include/uapi/linux/if.h, by the names that iproute2 prints (ip/ipaddress.c: print_link_flags). */
const IFF = {
  UP: 0x1,
  BROADCAST: 0x2,
  DEBUG: 0x4,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  NOTRAILERS: 0x20,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MASTER: 0x400,
  SLAVE: 0x800,
  MULTICAST: 0x1000,
  PORTSEL: 0x2000,
  AUTOMEDIA: 0x4000,
  DYNAMIC: 0x8000,
  LOWER_UP: 0x1_0000,
  DORMANT: 0x2_0000,
  ECHO: 0x4_0000,
} as const;
const IFF_RUNNING = 0x40;

/** include/uapi/linux/if_bridge.h: BR_STATE_*. */
const PORT_STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking'];
const NO_PORT = 0xff;

/** include/uapi/linux/if_addr.h: IFA_F_*, by iproute2's names (ip/ipaddress.c: ifa_flag_names). */
const IFA_F = {
  secondary: 0x01,
  temporary: 0x01,
  nodad: 0x02,
  optimistic: 0x04,
  dadfailed: 0x08,
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  mngtmpaddr: 0x100,
  noprefixroute: 0x200,
  autojoin: 0x400,
  'stable-privacy': 0x800,
} as const;
const IFA_F_PERMANENT = 0x80;
const AF_INET = 2;
const AF_INET6 = 10;

/** What the other tools' outputs need to know of a namespace's devices. */
export interface Devices {
  readonly ifindexOf: ReadonlyMap<string, number>;
  /** VNI by ifindex of each VXLAN device. */
  readonly vnis: ReadonlyMap<number, number>;
}

interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly info: Readonly<Record<string, unknown>>;
}

export interface LinkAnswer extends Answer {
  readonly devices: Devices;
}

/**
 * `netnsOf` gives the cookie of the namespace that this one knows by that number (`link_netnsid`), 0 if it isn't known.
 */
export function parseLinks(
  json: string,
  netns: bigint,
  wanted: ReadonlySet<string>,
  netnsOf: (nsid: number) => bigint,
): LinkAnswer {
  const ifindexOf = new Map<string, number>();
  const vnis = new Map<number, number>();
  const answer: LinkAnswer = { records: [], odd: 0, devices: { ifindexOf, vnis } };
  const links: Link[] = [];
  for (const entry of entriesOf(json, answer)) {
    const ifindex = countOf(entry['ifindex']);
    const name = textOf(entry['ifname']);
    if (ifindex === undefined || name === undefined) {
      answer.odd++;
      continue;
    }
    ifindexOf.set(name, ifindex);
    links.push({ ifindex, name, entry, info: objectOf(entry['linkinfo']) ?? {} });
  }
  for (const link of links) {
    if (wanted.has('link_exists')) addLink(answer, link, netns, ifindexOf);
    if (wanted.has('link_address_exists')) addAddresses(answer, link, netns);
    if (link.info['info_kind'] !== 'vxlan') continue;
    const data = objectOf(link.info['info_data']) ?? {};
    const vni = countOf(data['id'], 0xff_ffff);
    if (vni === undefined) continue;
    vnis.set(link.ifindex, vni);
    if (!wanted.has('vxlan_exists')) continue;
    const nsid = link.entry['link_netnsid'];
    const local = textOf(data['local']) ?? textOf(data['local6']);
    answer.records.push({
      kind: 'vxlan_exists',
      fields: {
        netns,
        ifindex: link.ifindex,
        vni,
        link_netns: nsid === undefined ? netns : netnsOf(countOf(nsid) ?? -1),
        port: countOf(data['port'], 0xffff) ?? 0,
        ...(local !== undefined && parseIp(local) ? { local } : {}),
      },
    });
  }
  return answer;
}

function addLink(
  { records }: Answer,
  { ifindex, name, entry, info }: Link,
  netns: bigint,
  ifindexOf: ReadonlyMap<string, number>,
): void {
  const flags = wordsOf(entry['flags']);
  const bits = bitsOf(flags, IFF);
  const running = (bits & IFF.UP) !== 0 && !flags.includes('NO-CARRIER') ? IFF_RUNNING : 0;
  const port = info['info_slave_kind'] === 'bridge' ? objectOf(info['info_slave_data']) : undefined;
  const state = PORT_STATES.indexOf(textOf(port?.['state']) ?? '');
  const mac = textOf(entry['address']) ?? '';
  const fields: Record<string, FieldValue> = {
    netns,
    ifindex,
    master: ifindexOf.get(textOf(entry['master']) ?? '') ?? 0,
    name,
    device_kind: textOf(info['info_kind']) ?? '',
    port_state: state < 0 ? NO_PORT : state,
    device_flags: bits | running,
  };
  // Tunnels have an IP address here, InfiniBand twenty bytes.
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) fields['mac'] = mac;
  records.push({ kind: 'link_exists', fields });
}

function addAddresses(answer: Answer, { ifindex, entry }: Link, netns: bigint): void {
  const list = entry['addr_info'];
  if (!Array.isArray(list)) {
    if (list !== undefined) answer.odd++;
    return;
  }
  for (const item of list as unknown[]) {
    const address = objectOf(item);
    if (address && Object.keys(address).length === 0) continue;
    const ip = textOf(address?.['local']);
    const family = address?.['family'] === 'inet' ? AF_INET : address?.['family'] === 'inet6' ? AF_INET6 : 0;
    const prefix = countOf(address?.['prefixlen'], 128);
    if (!address || ip === undefined || !parseIp(ip) || family === 0 || prefix === undefined) {
      answer.odd++;
      continue;
    }
    const words = Object.keys(address).filter((word) => address[word] === true);
    const permanent = address['dynamic'] === true ? 0 : IFA_F_PERMANENT;
    answer.records.push({
      kind: 'link_address_exists',
      fields: { netns, ifindex, prefix, family, ip, address_flags: bitsOf(words, IFA_F) | permanent },
    });
  }
}

/** Names of namespaces by the numbers that this one knows them by, from `ip -j netns list-id`. */
export function parseNetnsIds(json: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const entry of entriesOf(json, { records: [], odd: 0 })) {
    const [nsid, name] = [countOf(entry['nsid']), textOf(entry['name'])];
    if (nsid !== undefined && name !== undefined) names.set(nsid, name);
  }
  return names;
}
