// Neighbour entries from `ip -j neigh show nud all`, and VXLAN forwarding entries from `bridge -j fdb show`.

import { parseIp, parseMac } from '../../decode/address.ts';
import { type Answer, bitsOf, countOf, createAnswer, entriesOf, textOf, wordsOf } from './answer.ts';
import type { Devices } from './links.ts';

/** include/uapi/linux/neighbour.h: NUD_*; an entry in NUD_NONE has no state in the output. */
const NUD = {
  INCOMPLETE: 0x01,
  REACHABLE: 0x02,
  STALE: 0x04,
  DELAY: 0x08,
  PROBE: 0x10,
  FAILED: 0x20,
  NOARP: 0x40,
  PERMANENT: 0x80,
} as const;
/** bridge/fdb.c: state_n2a; an entry that was learned has an empty state. */
const FDB_STATES = { permanent: 0x80, static: 0x40, stale: 0x04, reachable: 0x02, '': 0x02 } as const;
/** include/uapi/linux/neighbour.h: NTF_*, by the names of bridge/fdb.c. */
const NTF = {
  use: 0x01,
  self: 0x02,
  master: 0x04,
  extern_learn: 0x10,
  offload: 0x20,
  sticky: 0x40,
  router: 0x80,
} as const;
const AF_INET = 2;
const AF_INET6 = 10;

export function parseNeighbours(json: string, netns: bigint, { ifindexOf }: Devices): Answer {
  const answer = createAnswer();
  for (const entry of entriesOf(json, answer)) {
    const ip = textOf(entry['dst']) ?? '';
    const ifindex = ifindexOf.get(textOf(entry['dev']) ?? '');
    // InfiniBand's and tunnels' link-layer addresses are no MACs, and not what the probes record either.
    const mac = textOf(entry['lladdr']) ?? '00:00:00:00:00:00';
    if (!parseIp(ip) || ifindex === undefined || !parseMac(mac)) {
      answer.odd++;
      continue;
    }
    answer.records.push({
      kind: 'neigh_exists',
      fields: {
        netns,
        ifindex,
        family: ip.includes(':') ? AF_INET6 : AF_INET,
        nud: bitsOf(wordsOf(entry['state']), NUD),
        ip,
        mac,
      },
    });
  }
  return answer;
}

/** Entries of VXLAN devices only; those of bridges and of cards are not what the probes record. */
export function parseFdb(json: string, netns: bigint, { ifindexOf, vnis }: Devices): Answer {
  const answer = createAnswer();
  for (const entry of entriesOf(json, answer)) {
    const ifindex = ifindexOf.get(textOf(entry['ifname']) ?? '');
    const vni = ifindex === undefined ? undefined : vnis.get(ifindex);
    if (ifindex === undefined) answer.odd++;
    if (ifindex === undefined || vni === undefined || entry['master'] !== undefined) continue;
    const remote = textOf(entry['dst']);
    // An entry of a nexthop group has no address of its own.
    if (remote === undefined && entry['nhid'] !== undefined) continue;
    const mac = textOf(entry['mac']) ?? '';
    const state = textOf(entry['state']) ?? '';
    if (!parseMac(mac) || (remote !== undefined && !parseIp(remote)) || !Object.hasOwn(FDB_STATES, state)) {
      answer.odd++;
      continue;
    }
    answer.records.push({
      kind: 'vxlan_fdb_exists',
      fields: {
        netns,
        ifindex,
        vni: countOf(entry['vni'], 0xff_ffff) ?? vni,
        mac,
        ...(remote === undefined ? {} : { remote }),
        fdb_state: FDB_STATES[state as keyof typeof FDB_STATES],
        fdb_flags: bitsOf(wordsOf(entry['flags']), NTF),
      },
    });
  }
  return answer;
}
