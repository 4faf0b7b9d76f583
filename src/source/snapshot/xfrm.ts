// Security associations and policies, from the text of `ip xfrm state list nokeys` and `ip -s xfrm policy list`.

import type { FieldValue } from '../../decode/encode-record.ts';
import { parseIp } from '../../decode/address.ts';
import { type Answer, createAnswer, ENTRIES_MAX } from './answer.ts';

/** IPPROTO_* by the names of iproute2 (ip/ipxfrm.c: xfrm_proto names) and of getprotobyname. */
const PROTOCOLS = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  route2: 43,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  hao: 60,
  comp: 108,
  sctp: 132,
} as const;
/** include/uapi/linux/xfrm.h: XFRM_MODE_*. */
const MODES = { transport: 0, tunnel: 1, ro: 2, in_trigger: 3, beet: 4 } as const;
/** XFRM_POLICY_IN, OUT, FWD. */
const DIRECTIONS = { in: 0, out: 1, fwd: 2 } as const;
/** include/net/xfrm.h: XFRM_STATE_ACQ and VALID. */
const STATE = { acquire: 1, valid: 2 } as const;
const AF_INET = 2;
const AF_INET6 = 10;

type Fields = Record<string, FieldValue>;

function lookUp(table: Readonly<Record<string, number>>, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (Object.hasOwn(table, word)) return table[word];
  return numberIn(word, 0xff);
}

/** A number as iproute2 prints it: decimal, hexadecimal, or one before the other in brackets. */
function numberIn(word: string | undefined, most = 0xffff_ffff): number | undefined {
  const found = /^(0x[0-9a-f]{1,8}|\d{1,10})(\(.*\))?$/.exec(word ?? '');
  const value = found ? Number(found[1]) : Number.NaN;
  return value <= most ? value : undefined;
}

/** The word behind a keyword, `spi 0x00001234`. */
function after(words: readonly string[], keyword: string): string | undefined {
  const at = words.indexOf(keyword);
  return at < 0 ? undefined : words[at + 1];
}

/** Paragraphs, each a line at the margin and the indented lines under it, in words. */
function* paragraphs(text: string, answer: Answer): Generator<string[][]> {
  let lines: string[][] = [];
  let count = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const words = line.trim().split(/\s+/, 64);
    if (line.startsWith('\t') || line.startsWith(' ')) {
      if (lines.length === 0) answer.odd++;
      else lines.push(words);
      continue;
    }
    if (lines.length > 0) yield lines;
    if (++count > ENTRIES_MAX) {
      answer.odd++;
      return;
    }
    lines = [words];
  }
  if (lines.length > 0) yield lines;
}

/** `mark 0x1/0xff` and `if_id 0x5`, lines of their own, before the first template if there are any. */
function addMarks(fields: Fields, lines: readonly (readonly string[])[]): boolean {
  for (const [keyword, value] of lines) {
    if (keyword === 'mark') {
      const [mark, mask] = (value ?? '').split('/').map((part) => numberIn(part));
      if (mark === undefined || mask === undefined) return false;
      Object.assign(fields, { mark, mark_mask: mask });
    } else if (keyword === 'if_id') {
      const id = numberIn(value);
      if (id === undefined) return false;
      fields['if_id'] = id;
    }
  }
  return true;
}

export function parseStates(text: string, netns: bigint): Answer {
  const answer = createAnswer();
  for (const paragraph of paragraphs(text, answer)) {
    const fields = stateOf(paragraph, netns);
    if (fields) answer.records.push({ kind: 'xfrm_state_exists', fields });
    else answer.odd++;
  }
  return answer;
}

function stateOf([head = [], ...lines]: string[][], netns: bigint): Fields | undefined {
  const [saddr, daddr] = [after(head, 'src') ?? '', after(head, 'dst') ?? ''];
  const second = lines.find(([keyword]) => keyword === 'proto') ?? [];
  const proto = lookUp(PROTOCOLS, second[1]);
  const spi = numberIn(after(second, 'spi'));
  const mode = lookUp(MODES, after(second, 'mode'));
  if (!parseIp(saddr) || !parseIp(daddr)) return undefined;
  if (proto === undefined || spi === undefined || mode === undefined) return undefined;
  const algorithm = ['aead', 'enc', 'auth-trunc', 'auth', 'comp']
    .map((keyword) => lines.find((line) => line[0] === keyword)?.[1])
    .find((name) => name !== undefined);
  const fields: Fields = {
    netns,
    daddr,
    saddr,
    spi,
    reqid: numberIn(after(second, 'reqid')) ?? 0,
    proto,
    mode,
    family: daddr.includes(':') ? AF_INET6 : AF_INET,
    state: spi === 0 && proto !== PROTOCOLS.comp ? STATE.acquire : STATE.valid,
    algorithm: algorithm ?? '',
  };
  return addMarks(fields, lines) ? fields : undefined;
}

export function parsePolicies(text: string, netns: bigint): Answer {
  const answer = createAnswer();
  for (const paragraph of paragraphs(text, answer)) {
    // A socket's own policies concern nobody else.
    if (paragraph[1]?.[0] === 'socket') continue;
    const fields = policyOf(paragraph, netns);
    if (fields) answer.records.push({ kind: 'xfrm_policy_exists', fields });
    else answer.odd++;
  }
  return answer;
}

function policyOf([head = [], ...lines]: string[][], netns: bigint): Fields | undefined {
  const [saddr, sprefix] = networkIn(after(head, 'src'));
  const [daddr, dprefix] = networkIn(after(head, 'dst'));
  const rule = lines[0] ?? [];
  const direction = lookUp(DIRECTIONS, after(rule, 'dir'));
  if (saddr === undefined || daddr === undefined || direction === undefined) return undefined;
  const first = lines.findIndex(([keyword]) => keyword === 'tmpl');
  const fields: Fields = {
    netns,
    daddr,
    saddr,
    daddr_prefix: dprefix,
    saddr_prefix: sprefix,
    family: daddr.includes(':') ? AF_INET6 : AF_INET,
    direction,
    action: after(rule, 'action') === 'block' ? 1 : 0,
    index: numberIn(after(rule, 'index')) ?? 0,
    priority: numberIn(after(rule, 'priority')) ?? 0,
    sel_proto: lookUp(PROTOCOLS, after(head, 'proto')) ?? 0,
    sport: numberIn(after(head, 'sport'), 0xffff) ?? 0,
    dport: numberIn(after(head, 'dport'), 0xffff) ?? 0,
  };
  if (!addMarks(fields, first < 0 ? lines : lines.slice(0, first))) return undefined;
  if (first < 0) return fields;
  const [template = [], how = []] = lines.slice(first);
  const [from, to] = [after(template, 'src') ?? '', after(template, 'dst') ?? ''];
  const proto = lookUp(PROTOCOLS, after(how, 'proto'));
  const mode = lookUp(MODES, after(how, 'mode'));
  if (!parseIp(from) || !parseIp(to) || proto === undefined || mode === undefined) return undefined;
  return {
    ...fields,
    tmpl_saddr: from,
    tmpl_daddr: to,
    proto,
    mode,
    tmpl_spi: numberIn(after(how, 'spi')) ?? 0,
    reqid: numberIn(after(how, 'reqid')) ?? 0,
  };
}

function networkIn(word: string | undefined): [string | undefined, number] {
  const [address = '', length] = (word ?? '').split('/');
  const prefix = numberIn(length, 128);
  return parseIp(address) && prefix !== undefined ? [address, prefix] : [undefined, 0];
}
