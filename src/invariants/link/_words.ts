// How devices, requesters and addresses are named in the sentences of the link path.

import type { EventView } from '../../decode/event-view.ts';
import { errnoName } from '../../probes/_errno.ts';

/** `thread 247 of process 240`. */
export function whoOf(event: EventView): string {
  return `thread ${event.tid} of process ${event.pid}`;
}

/** `eth0 (ifindex 3, netns 4099)`. */
export function nameDevice(name: string, ifindex: number, netns: string): string {
  return `${name === '' ? 'a device' : name} (ifindex ${ifindex}, netns ${netns})`;
}

/** `refused with ENETUNREACH (101)`. */
export function refusal(result: number): string {
  const name = errnoName(result);
  return `refused with ${name === undefined ? `errno ${-result}` : `${name} (${-result})`}`;
}

/** `480.2 ms`, or seconds from one second on. */
export function duration(ns: number): string {
  return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(1)} s`;
}

/** An address that the kernel makes of the MAC by itself, or that never leaves the machine: nobody was given it. */
export function isOwnAffair(ip: string): boolean {
  return ip.startsWith('fe80:') || ip.startsWith('127.') || ip === '::1' || ip === '::';
}

/** Whether the two IPv4 or IPv6 addresses, as text, agree in their first `prefix` bits. */
export function samePrefix(a: string, b: string, prefix: number): boolean {
  const bitsOfA = bitsOf(a);
  return bitsOfA.length === bitsOf(b).length && bitsOfA.slice(0, prefix) === bitsOf(b).slice(0, prefix);
}

function bitsOf(ip: string): string {
  if (ip.includes('.'))
    return ip
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const [head = '', tail] = ip.split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':'));
  const end = tail === undefined ? [] : words(tail);
  const begin = words(head);
  return [...begin, ...new Array<string>(8 - begin.length - end.length).fill('0'), ...end]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0'))
    .join('');
}
