// "This event concerns that object" as a condition in SQL: the forms of `show --object`, for whole recordings at once.

import { UsageError } from '../model/errors.ts';
import type { Selector } from '../report/selector.ts';
import { columnsOfMeaning, EVENT_COLUMNS } from './columns.ts';
import { identifier, quote } from './sql-text.ts';

/** A row of the view `objects`. */
export interface ObjectRows {
  readonly recording: number;
  readonly object: number;
  readonly type: string;
  readonly netns: bigint;
  readonly ifindex: number;
  readonly umem: number | null;
  readonly parent: number | null;
  readonly size: bigint;
  readonly chunk_size: number;
  readonly flags: number;
}

/** `selector.text` is what is read here: of each object there is one way to write it. */
export function concerning(selector: Selector, objects: readonly ObjectRows[]): string {
  const write = WRITERS[selector.type];
  if (!write)
    throw new UsageError('BAD_OBJECT', `No query can look for ${selector.text}; "flightring show" can.`);
  return write(selector.text.slice(selector.type.length + 1), objects);
}

type Writer = (words: string, objects: readonly ObjectRows[]) => string;

const WRITERS: Readonly<Record<string, Writer>> = {
  frame,
  socket: (words, objects) => indexed('socket', words, objects),
  queue: (words, objects) => indexed('queue', words, objects),
  umem: (words, objects) => indexed('umem', words, objects),
  neighbour(words) {
    const [, ip = '', device] = split(words);
    return all([`ip = ${quote(ip)}`, onDevice(device)]);
  },
  fdb(words) {
    const [, mac = '', device] = split(words);
    return all([`(${any('mac', quote(mac))} OR kind = 'vxlan_flush')`, onDevice(device)]);
  },
  vni(words) {
    const [, vni = '', netns] = split(words);
    return all([`(vni = ${Number(vni)} OR remote_vni = ${Number(vni)})`, inNetns(netns)]);
  },
  device: (words, objects) => {
    const [ifindex = '', netns] = words.split(':');
    const parts = objects.filter(
      (object) =>
        object.ifindex === Number(ifindex) && (netns === undefined || object.netns === BigInt(netns)),
    );
    return some([namesDevice(ifindex, netns), perRecording(parts, (members) => `object IN (${members})`)]);
  },
  address(words) {
    const [, ips = '', place] = split(words);
    const [ifindex, netns] = deviceOf(place);
    return all([
      ...ips.split(',').map((ip) => any('ip', quote(ip))),
      ifindex === undefined ? inNetns(place) : namesDevice(ifindex, netns),
    ]);
  },
  netns: (words, objects) => {
    const there = objects.filter(({ netns }) => netns === BigInt(words));
    return some([
      any('netns', String(BigInt(words))),
      perRecording(there, (members) => `object IN (${members})`),
    ]);
  },
  thread: (words) => some([`tid = ${Number(words)}`, any('tid', String(Number(words)))]),
  iterator(words) {
    const [iterator = '', cookie] = words.split('@cookie:');
    const own = `iterator = ${BigInt(iterator)}`;
    if (cookie === undefined) return own;
    const socket = `cookie = ${BigInt(cookie)}`;
    return some([all([own, some(['cookie IS NULL', socket])]), all(['iterator IS NULL', socket])]);
  },
  cookie: (words) => `cookie = ${BigInt(words)}`,
  sa(words) {
    const [spi = '', ...rest] = words.split('@');
    const netns = rest.find((part) => part.startsWith('netns:'));
    const daddr = rest.find((part) => !part.startsWith('netns:'));
    return all([
      any('spi', String(Number(spi))),
      ...(daddr === undefined ? [] : [any('ip', quote(daddr))]),
      inNetns(netns),
    ]);
  },
  policy(words) {
    const [, name = '', netns] = split(words);
    const selectors = /^(.*)\/(\d+)-(.*)\/(\d+)$/.exec(name);
    const isIt = selectors
      ? all([
          `saddr = ${quote(selectors[1] as string)}`,
          `saddr_prefix = ${Number(selectors[2])}`,
          `daddr = ${quote(selectors[3] as string)}`,
          `daddr_prefix = ${Number(selectors[4])}`,
        ])
      : `"index" = ${Number(name)}`;
    return all([`"index" IS NOT NULL`, isIt, inNetns(netns)]);
  },
};

/** What stands before and behind the @. */
function split(words: string): RegExpExecArray | [] {
  return /^([^@]*)(?:@(.*))?$/.exec(words) ?? [];
}

function all(conditions: readonly string[]): string {
  return `(${conditions.filter((condition) => condition !== '').join(' AND ')})`;
}

function some(conditions: readonly string[]): string {
  return `(${conditions.filter((condition) => condition !== '').join(' OR ')})`;
}

/** Any column of that meaning has the value. */
function any(meaning: 'ip' | 'mac' | 'netns' | 'spi' | 'tid', value: string): string {
  return some(columnsOfMeaning(meaning).map((column) => `${identifier(column)} = ${value}`));
}

/** `IFINDEX[:NETNS]`; nothing of it for `netns:N`. */
function deviceOf(place: string | undefined): readonly (string | undefined)[] {
  return /^(\d+)(?::(\d+))?$/.exec(place ?? '')?.slice(1) ?? [];
}

/** The plain columns: the event happens on that device. */
function onDevice(place: string | undefined): string {
  const [ifindex, netns] = deviceOf(place);
  if (ifindex === undefined)
    return place === undefined ? '' : `netns = ${BigInt(place.replace('netns:', ''))}`;
  return all([`ifindex = ${Number(ifindex)}`, netns === undefined ? '' : `netns = ${BigInt(netns)}`]);
}

function inNetns(place: string | undefined): string {
  return place === undefined ? '' : any('netns', String(BigInt(place.replace('netns:', ''))));
}

/** `peer_ifindex` is in `peer_netns`, a bridge where its port is. */
function namesDevice(ifindex: string, netns: string | undefined): string {
  const known = new Set(EVENT_COLUMNS.map(({ name }) => name));
  return some(
    columnsOfMeaning('ifindex').map((column) => {
      const is = `${identifier(column)} = ${Number(ifindex)}`;
      if (netns === undefined) return is;
      const own = column === 'bridge' ? 'peer_netns' : column.replace('ifindex', 'netns');
      const hasOwn = own !== column && own !== 'netns' && known.has(own);
      const place = hasOwn ? `coalesce(${identifier(own)}, netns)` : 'netns';
      return all([is, `${place} = ${BigInt(netns)}`]);
    }),
  );
}

/** An object's number means it only in its own recording; recordings in which the numbers are the same go together. */
function perRecording(
  objects: readonly ObjectRows[],
  condition: (members: string, recording: number) => string,
): string {
  const members = new Map<number, number[]>();
  for (const { recording, object } of objects)
    members.set(recording, [...(members.get(recording) ?? []), object]);
  const recordings = new Map<string, number[]>();
  for (const [recording, numbers] of members) {
    const text = condition(numbers.join(', '), recording);
    recordings.set(text, [...(recordings.get(text) ?? []), recording]);
  }
  if (recordings.size === 0) return '';
  return some([...recordings].map(([text, numbers]) => all([`recording IN (${numbers.join(', ')})`, text])));
}

/** The object and what is part of it: a queue's sockets, all that uses a umem. */
function indexed(type: string, words: string, objects: readonly ObjectRows[]): string {
  const index = Number(words);
  const having = expectObject(type, index, objects);
  const parts = objects.filter(
    ({ recording, object, parent, umem }) =>
      having.has(recording) && (object === index || parent === index || umem === index),
  );
  const columns = columnsOfMeaning('object').map(identifier);
  return perRecording(parts, (members) => some(columns.map((column) => `${column} IN (${members})`)));
}

function frame(words: string, objects: readonly ObjectRows[]): string {
  const [address = '', umem = ''] = words.split('@umem:');
  const having = expectObject('umem', Number(umem), objects);
  const users = objects.filter((object) => having.has(object.recording) && object.umem === Number(umem));
  return perRecording(users, (members, recording) => {
    const { size, chunk_size: chunkSize, flags } = having.get(recording) as ObjectRows;
    const addr = BigInt(address);
    // No frame lies there, but an application may have put the address into a ring: exactly that is looked for.
    if (addr >= size || chunkSize < 1) return all([`object IN (${members})`, `addr = ${addr}`]);
    const chunk = (addr & LOW_48) / BigInt(chunkSize);
    const first = chunk * BigInt(chunkSize);
    // Of an unaligned umem, bits 48 and up are an offset in the chunk. DuckDB skips what lies outside of a range without
    // decoding the rest of the row.
    const inChunk = `addr BETWEEN ${first} AND ${first + BigInt(chunkSize) - 1n}`;
    const isThere = (flags & UNALIGNED) === 0 ? inChunk : `(addr & ${LOW_48}) // ${chunkSize} = ${chunk}`;
    return all([`object IN (${members})`, isThere]);
  });
}

/** XDP_UMEM_UNALIGNED_CHUNK_FLAG (include/uapi/linux/if_xdp.h). */
const UNALIGNED = 1;

const LOW_48 = (1n << 48n) - 1n;

/** The object in each recording that has it. */
function expectObject(
  type: string,
  index: number,
  objects: readonly ObjectRows[],
): ReadonlyMap<number, ObjectRows> {
  const ofType = objects.filter((object) => object.type === type);
  const found = ofType.filter(({ object }) => object === index);
  if (found.length > 0) return new Map(found.map((object) => [object.recording, object]));
  const there = [...new Set(ofType.map(({ object }) => object))].sort((a, b) => a - b);
  const shown = there.slice(0, 8).join(', ') + (there.length > 8 ? ', …' : '');
  throw new UsageError(
    'BAD_OBJECT',
    there.length === 0
      ? `There is no ${type} at all, so no ${type}:${index}.`
      : `There is no ${type}:${index}; there are ${type} ${shown}.`,
  );
}
