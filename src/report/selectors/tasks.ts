// Namespaces, threads, and iterators with the sockets they show.

import { bigOf, namesNetns, type ObjectForm, someField, words } from './form.ts';

const NETNS = words('netns[: ]([0-9]+)');

export const NETNS_FORM: ObjectForm = {
  form: 'netns:N',
  parse(text) {
    const found = NETNS.exec(text);
    if (!found) return undefined;
    const netns = BigInt(found[1] as string);
    return {
      type: 'netns',
      text: `netns:${netns}`,
      matcher: (objects) => (event) =>
        namesNetns(event, netns) ||
        (event.field('object') !== undefined && objects.get(event.u32('object'))?.netns === netns),
    };
  },
};

const THREAD = words('thread[: ]([0-9]+)(?: of process [0-9]+)?');

/** What it did, and what made or named it. */
export const THREAD_FORM: ObjectForm = {
  form: 'thread:TID',
  parse(text) {
    const found = THREAD.exec(text);
    if (!found) return undefined;
    const tid = Number(found[1]);
    return {
      type: 'thread',
      text: `thread:${tid}`,
      matcher: () => (event) =>
        event.tid === tid || someField(event, 'tid', (name) => event.u32(name) === tid),
    };
  },
};

const ITERATOR = words('iterator[: ]([0-9]+)(?:@cookie[: ]([0-9]+))?');
const COOKIE = words('cookie[: ]([0-9]+)');
const ITERATOR_WORDS =
  /^\w+ iterator ([0-9]+)(?: \(netns [0-9]+\))?(?:, \w+ socket of port [0-9]+ \((?:cookie ([0-9]+)|no cookie), .*\))?$/i;

/** With a cookie: where that iterator stood, and that socket alone. */
export const ITERATOR_FORM: ObjectForm = {
  form: 'iterator:N[@cookie:N]',
  parse(text) {
    const found = ITERATOR.exec(text) ?? ITERATOR_WORDS.exec(text);
    if (!found) return undefined;
    const iterator = BigInt(found[1] as string);
    const cookie = bigOf(found[2]);
    return {
      type: 'iterator',
      text: `iterator:${iterator}${cookie === null ? '' : `@cookie:${cookie}`}`,
      matcher: () => (event) => {
        const ofSocket = event.field('cookie') !== undefined;
        if (ofSocket && cookie !== null && event.u64('cookie') !== cookie) return false;
        return event.field('iterator') ? event.u64('iterator') === iterator : ofSocket && cookie !== null;
      },
    };
  },
};

/** `socket:N` is an AF_XDP socket. */
export const COOKIE_FORM: ObjectForm = {
  form: 'cookie:N (a TCP or UDP socket)',
  parse(text) {
    const found = COOKIE.exec(text);
    if (!found) return undefined;
    const cookie = BigInt(found[1] as string);
    return {
      type: 'cookie',
      text: `cookie:${cookie}`,
      matcher: () => (event) => event.field('cookie') !== undefined && event.u64('cookie') === cookie,
    };
  },
};
