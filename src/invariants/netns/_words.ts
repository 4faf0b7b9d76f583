// What netns invariants call threads and requests in their sentences.

import type { EventView } from '../../decode/event-view.ts';
import { errnoName } from '../../probes/_errno.ts';
import netnsPath from '../../probes/netns.ts';
import type { Placed } from './_threads.ts';

export function describeThread(tid: number, process: number): string {
  return `thread ${tid} of process ${process}`;
}

/** `RTM_GETLINK of fr-bridge`. */
export function describeRequest(event: EventView): string {
  const name = event.text('name');
  const ifindex = event.u32('ifindex');
  const what = name === '' ? (ifindex === 0 ? '' : ` of ifindex ${ifindex}`) : ` of ${name}`;
  return `${wordOf('netns_request.request', event.u32('request'), 'request')}${what}`;
}

export function describeFamily(event: EventView): string {
  return wordOf('netns_socket.family', event.u32('family'), 'family');
}

function wordOf(field: string, value: number, otherwise: string): string {
  return netnsPath.words[field]?.[value] ?? `${otherwise} ${value}`;
}

/** What came of a request: `got ENODEV`, or nothing to tell. */
export function describeResult(event: EventView): string {
  const result = event.u32('result');
  return result === 0 ? '' : ` and got ${errnoName(result) ?? `errno ${-result}`}`;
}

/** Who put a thread where it is: `thread 112 cloned it there`. */
export function describeClone({ creator, cloner, stay, netns }: Placed): string {
  const entered = stay ? `, which it had entered from netns ${stay.from}` : '';
  return cloner === creator
    ? `thread ${creator} cloned it inside netns ${netns}${entered}`
    : `thread ${cloner} cloned it, and that is there since thread ${creator} was inside netns ${netns}${entered}`;
}
