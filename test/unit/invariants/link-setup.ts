// A veth pair between a sandbox (netns 4099) and a bridge of the host (netns 4098), and short ways to say what happens to it.

import { Story } from './setup.ts';

export const HOST = 4098;
export const BOX = 4099;
const BRIDGE = 2;
const PORT = { netns: HOST, ifindex: 4, name: 'vetha' };
export const INNER = { netns: BOX, ifindex: 3 };
export const IP = '172.31.0.2';
export const IP6 = 'fd31:0:0:0:0:0:0:2';
export const MAC = '02:f3:00:00:00:01';
export const OTHER = '02:f3:00:00:00:02';
export const ENGINE = { tid: 101, pid: 100 };
export const TOOL = { tid: 201, pid: 200 };
export const UP = 0x1003;
const DOWN = 0x1002;
export const FORWARDING = 3;
export const LISTENING = 1;

type Fields = Readonly<Record<string, number | bigint | string>>;

/** A veth's end: created in the host's namespace, moved, renamed. */
export class Sandbox extends Story {
  create(): this {
    return this.say('link_register', {
      ...ENGINE,
      netns: HOST,
      ifindex: INNER.ifindex,
      name: 'vethb',
      device_kind: 'veth',
      device_flags: DOWN,
    });
  }
  enter(fields: Fields = {}): this {
    const place = { ...ENGINE, ifindex: INNER.ifindex, name: 'vethb', device_flags: DOWN };
    return this.say('link_move', { ...place, netns: HOST, new_netns: BOX })
      .say('link_move_done', {
        ...place,
        netns: BOX,
        old_netns: HOST,
        old_ifindex: INNER.ifindex,
        ...fields,
      })
      .rename('vethb', 'eth0');
  }
  leave(name = 'vethb'): this {
    const place = { ...ENGINE, ifindex: INNER.ifindex, name, device_flags: DOWN };
    this.say('link_down', { ...ENGINE, ...INNER, device_flags: DOWN });
    if (name !== 'eth0') this.rename('eth0', name);
    return this.say('link_move', { ...place, netns: BOX, new_netns: HOST }).say('link_move_done', {
      ...place,
      netns: HOST,
      old_netns: BOX,
      old_ifindex: INNER.ifindex,
    });
  }
  rename(name: string, newName: string, fields: Fields = {}): this {
    return this.say('link_rename', {
      ...ENGINE,
      ...INNER,
      name,
      new_name: newName,
      device_flags: DOWN,
      ...fields,
    });
  }
  assign(ip: string, fields: Fields = {}): this {
    const prefix = ip.includes('.') ? 24 : 64;
    return this.say('link_address_add', {
      ...ENGINE,
      ...INNER,
      ip,
      prefix,
      family: ip.includes('.') ? 2 : 10,
      ...fields,
    });
  }
  lose(ip: string, reason: number, who: Fields = ENGINE): this {
    const family = ip.includes('.') ? 2 : 10;
    return this.say('link_address_delete', { ...who, ...INNER, ip, prefix: 64, family, reason });
  }
  up(mac = MAC): this {
    return this.say('link_up', {
      ...ENGINE,
      ...INNER,
      name: 'eth0',
      mac,
      device_flags: UP,
      carrier: 1,
      peer_netns: HOST,
      peer_ifindex: PORT.ifindex,
      bridge: BRIDGE,
    });
  }
  change(mac: string, newMac: string): this {
    return this.say('link_mac_change', { ...TOOL, ...INNER, name: 'eth0', mac, new_mac: newMac });
  }
  port(state: number): this {
    return this.say('link_port_state', { ...PORT, bridge: BRIDGE, port_state: state });
  }
  advertise(fields: Fields = {}): this {
    return this.say('link_advertise', {
      ...TOOL,
      ...INNER,
      name: 'eth0',
      ip: IP,
      mac: MAC,
      device_mac: MAC,
      family: 2,
      device_flags: UP,
      carrier: 1,
      port_state: FORWARDING,
      peer_netns: HOST,
      peer_ifindex: PORT.ifindex,
      peer_name: 'vetha',
      bridge: BRIDGE,
      ...fields,
    });
  }
  route(fields: Fields): this {
    return this.say('link_route_add', { ...TOOL, ...INNER, family: 10, table: 254, ...fields });
  }
  refuse(fields: Fields): this {
    return this.say('link_request_failed', { ...ENGINE, ...INNER, portid: 100, ...fields });
  }
  /** Another device's event, so many ns later. */
  tick(ns: number): this {
    return this.after(ns).say('link_up', { netns: 1, ifindex: 1, name: 'lo' });
  }
}
