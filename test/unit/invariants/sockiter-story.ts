// One iterator over UDP sockets of one namespace, and a short way to say what it shows and what comes and goes.

import { Story } from './setup.ts';

export const FIRST = 0x0100;
export const DISCARDED = 0x0100;
const NETNS = 8196;
const UDP = 17;
const READER = { tid: 10, pid: 10 };
const CHANGER = { tid: 11, pid: 10 };

type Fields = Readonly<Record<string, number | bigint | string>>;

/** Sockets are told by a small number: pointer and cookie follow from it. */
export function socket(number: number, fields: Fields = {}): Fields {
  return {
    netns: NETNS,
    family: 2,
    proto: UDP,
    port: 4791,
    socket: 0xffff_8880_0000_0000n + BigInt(number * 1024),
    cookie: 4100 + number,
    ...fields,
  };
}

export class Iteration extends Story {
  position = 0;
  iterator: Fields = { iterator: 6, netns: NETNS, proto: UDP };

  hash(number: number, fields: Fields = {}): this {
    return this.say('sockiter_hash', { ...CHANGER, ...socket(number, fields) });
  }
  unhash(number: number, fields: Fields = {}): this {
    return this.say('sockiter_unhash', { ...CHANGER, ...socket(number, fields) });
  }
  exists(number: number, fields: Fields = {}): this {
    return this.say('sockiter_socket_exists', socket(number, fields));
  }
  start(flags = this.position === 0 ? FIRST : 0): this {
    return this.say('sockiter_start', { ...READER, ...this.iterator, position: this.position, flags });
  }
  show(number: number, fields: Fields = {}): this {
    this.position++;
    return this.say('sockiter_show', {
      ...READER,
      ...socket(number),
      ...this.iterator,
      position: this.position,
      ...fields,
    });
  }
  /** A read ends; the socket that was to be shown next, 0 for none. */
  stop(next: number): this {
    return this.say('sockiter_stop', {
      ...READER,
      ...this.iterator,
      position: this.position + 1,
      ...(next === 0 ? {} : { next: socket(next)['socket'] ?? 0 }),
    });
  }
  end(): this {
    return this.stop(0).say('sockiter_end', { ...READER, ...this.iterator, position: this.position });
  }
  release(): this {
    return this.say('sockiter_release', { ...READER, ...this.iterator });
  }
  /** One read that shows one socket. */
  read(number: number, next: number): this {
    return this.start().show(number).stop(next);
  }
}
