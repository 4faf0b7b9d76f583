// Neighbours and forwarding entries of one overlay in few words: a VXLAN device in a sandbox, and two threads that program it.

import { Story } from './setup.ts';

export const DEVICE = { netns: 4098, ifindex: 5, vni: 42 };
export const NAMED = { ...DEVICE, device: 'vx0', link_netns: 1 };
export const MAC = '02:42:0a:00:00:02';
export const OTHER_MAC = '02:42:0a:00:00:03';
export const VTEP = '192.0.2.2';
export const OTHER_VTEP = '192.0.2.3';
export const FIRST = { tid: 101, pid: 100, portid: 4001 };
/** Another thread of the same process. */
export const SECOND = { tid: 102, pid: 100, portid: 4002 };
/** A thread of another process. */
export const STRANGER = { tid: 201, pid: 200, portid: 4003 };

export const ADD = 28;
export const DELETE = 29;
export const EEXIST = -17;
export const ENODEV = -19;
export const REPLACE = 0x105;
const EXCLUSIVE = 0x605;
export const APPEND = 0xc05;
const ADMIN = 0x8000_0000;
const PERMANENT = 0x80;
const FAILED = 0x20;
const STATIC = 0xc0;
const LEARNED = 0x0100;
const NONE = '00:00:00:00:00:00';

export type Who = Readonly<Record<string, number>>;

export class OverlayStory extends Story {
  /** A neighbour is added by request, or replaced if it has a MAC. */
  neighbour(ip: string, mac: string, who: Who = FIRST, before = NONE): this {
    const entry = { netns: DEVICE.netns, ifindex: DEVICE.ifindex, family: 2, ip };
    const nud = before === NONE ? 0 : PERMANENT;
    return this.say('neigh_update', {
      ...entry,
      ...who,
      nud,
      new_nud: PERMANENT,
      mac: before,
      new_mac: mac,
      has_new_mac: 1,
      update_flags: ADMIN,
    })
      .say('neigh_update_done', { ...entry, ...who, nud: PERMANENT, mac })
      .asked(ADD, ip, mac, 0, who, before === NONE ? EXCLUSIVE : REPLACE);
  }

  /** A request for a neighbour, with its result. */
  asked(
    operation: number,
    ip: string,
    mac: string | null,
    result: number,
    who: Who = FIRST,
    flags = EXCLUSIVE,
  ) {
    return this.say('neigh_request', {
      netns: DEVICE.netns,
      ifindex: DEVICE.ifindex,
      family: 2,
      ip,
      operation,
      result,
      nlmsg_flags: flags,
      ...who,
      ...(mac === null ? {} : { new_mac: mac, has_new_mac: 1 }),
    });
  }

  /** A neighbour is deleted by request, whatever MAC the request names. */
  deleteNeighbour(ip: string, mac: string, who: Who = FIRST, named: string | null = null): this {
    const entry = { netns: DEVICE.netns, ifindex: DEVICE.ifindex, family: 2, ip };
    return this.say('neigh_update', {
      ...entry,
      ...who,
      nud: PERMANENT,
      new_nud: FAILED,
      mac,
      update_flags: ADMIN,
    })
      .say('neigh_update_done', { ...entry, ...who, nud: FAILED, mac })
      .say('neigh_release', { ...entry, ...who, nud: FAILED, mac })
      .asked(DELETE, ip, named, 0, who);
  }

  /** A forwarding entry is programmed by request. */
  forward(mac: string, remote: string, who: Who = FIRST, flags = EXCLUSIVE): this {
    return this.say('vxlan_fdb_update', { ...NAMED, mac, remote, fdb_state: STATIC, ...who }).forwardAsked(
      ADD,
      mac,
      remote,
      0,
      who,
      flags,
    );
  }

  forwardAsked(
    operation: number,
    mac: string,
    remote: string,
    result: number,
    who: Who = FIRST,
    flags = EXCLUSIVE,
  ): this {
    return this.say('vxlan_fdb_request', {
      ...DEVICE,
      mac,
      remote,
      operation,
      result,
      nlmsg_flags: flags,
      ...who,
    });
  }

  learn(mac: string, remote: string): this {
    return this.say('vxlan_fdb_update', { ...NAMED, mac, remote, fdb_state: 2, flags: LEARNED });
  }

  deleteForward(mac: string, remote: string, who: Who = FIRST): this {
    return this.say('vxlan_fdb_delete', { ...NAMED, mac, remote, fdb_state: STATIC, ...who });
  }

  /** Something unrelated, so much later. */
  tick(ms: number): this {
    return this.after(ms * 1e6).say('task_comm', { tid: 1, pid: 1 });
  }
}
