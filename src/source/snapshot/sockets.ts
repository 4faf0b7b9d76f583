// TCP and UDP sockets and their cookies, from `ss -H -t -u -n -a -e -O`.

import { type Answer, createAnswer, ENTRIES_MAX } from './answer.ts';

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 };
/** What is no socket of its own: minisockets of connections that begin or have ended. */
const NO_SOCKETS = new Set(['TIME-WAIT', 'FIN-WAIT-2', 'SYN-RECV', 'NEW-SYN-RECV']);

export function parseSockets(text: string, netns: bigint, family: 2 | 10): Answer {
  const answer = createAnswer();
  let count = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (++count > ENTRIES_MAX) {
      answer.odd++;
      break;
    }
    const words = line.trim().split(/\s+/, 32);
    const proto = PROTOCOLS[words[0] ?? ''];
    const port = /:(\d{1,5}|\*)$/.exec(words[4] ?? '')?.[1];
    const cookie = words.map((word) => /^sk:([0-9a-f]{1,16})$/.exec(word)?.[1]).find((hex) => hex);
    // Bound, but neither listening nor connected: it is in no table that an iterator walks (since Linux 6.8).
    if (proto === PROTOCOLS['tcp'] && words[1] === 'UNCONN') continue;
    if (NO_SOCKETS.has(words[1] ?? '') && /\btimer:\(timewait|\bino:0\b/.test(line)) continue;
    if (proto === undefined || port === undefined || cookie === undefined || Number(port) > 0xffff) {
      answer.odd++;
      continue;
    }
    answer.records.push({
      kind: 'sockiter_socket_exists',
      fields: { netns, cookie: BigInt(`0x${cookie}`), family, proto, port: port === '*' ? 0 : Number(port) },
    });
  }
  return answer;
}
