// link.address-vanished: deletion on request and reassignment are silent; using an address that a sysctl took is told.

import { describe, expect, it } from 'vitest';
import addressVanished from '../../../src/invariants/link/address-vanished.ts';
import { IP6, Sandbox, TOOL } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

const REQUEST = 1;
const SYSCTL = 2;
const WENT_DOWN = 3;
const OTHER_IP6 = 'fd32:0:0:0:0:0:0:2';
const GATEWAY = 'fd31:0:0:0:0:0:0:1';
const NA = { ip: IP6, family: 10 };

/** Moved in, with an IPv6 address that is then taken by a sysctl that another writes. */
function taken(): Sandbox {
  return new Sandbox().enter().assign(IP6).up().after(5e8).lose(IP6, SYSCTL, TOOL);
}

describe('link.address-vanished', () => {
  it('is silent about what was deleted on request, given again, or is not used', () => {
    const story = new Sandbox().enter().assign(IP6).up().advertise(NA).lose(IP6, REQUEST).advertise(NA);
    story.assign(IP6).lose(IP6, SYSCTL).advertise({ ip: '172.31.0.2' }).assign(IP6).advertise(NA);
    story.lose('fe80:0:0:0:f3:ff:fe00:1', WENT_DOWN).advertise({ ip: 'fe80:0:0:0:f3:ff:fe00:1' });
    expect(check(addressVanished, [story.events]).sentences).toEqual([]);
  });

  it('tells who took it, who had assigned it, and who still advertises it', () => {
    const story = taken().after(4e7).advertise(NA).advertise(NA);
    const { violations } = check(addressVanished, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'fd31::2 vanished from eth0 (ifindex 3, netns 4099) when a sysctl switched IPv6 off (thread 201 of process 200), 500.0 ms after thread 101 of process 100 had assigned it, but 40.0 ms later thread 201 of process 200 advertises it at 02:f3:00:00:00:01',
    ]);
    expect(evidenceOf(violations[0]).map((text) => text.split(' ')[1])).toEqual([
      'link_address_add',
      'link_address_delete',
      'link_advertise',
    ]);
  });

  it('tells of routes by it, done or refused', () => {
    const via = taken().route({ gateway: GATEWAY, result: -13 });
    expect(check(addressVanished, [via.events]).sentences[0]).toMatch(
      /thread 201 of process 200 routes via fd31::1 by it \(refused with EACCES \(13\)\)$/,
    );
    const from = taken().route({ source: IP6, destination: OTHER_IP6 });
    expect(check(addressVanished, [from.events]).sentences[0]).toMatch(/routes with it as the source$/);
  });

  it('is silent about routes that do not need it', () => {
    const story = taken().route({ destination: OTHER_IP6 }).route({ gateway: 'fd99:0:0:0:0:0:0:1' });
    story
      .route({ gateway: '172.31.0.1', family: 2 })
      .assign('fd31:0:0:0:0:0:0:3')
      .route({ gateway: GATEWAY });
    expect(check(addressVanished, [story.events]).sentences).toEqual([]);
  });

  it('forgets when the device is another one, and at a gap', () => {
    const moved = taken().leave().enter().advertise(NA);
    expect(check(addressVanished, [moved.events]).sentences).toEqual([]);
    const gone = taken().gap().advertise(NA);
    const { sentences, counts } = check(addressVanished, [gone.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(2);
  });

  it('knows an address only from its end on, if recording began in between', () => {
    const story = new Sandbox().lose(IP6, SYSCTL, TOOL).advertise(NA);
    expect(check(addressVanished, [story.events]).sentences[0]).toMatch(
      /^fd31::2 vanished from eth0 \(ifindex 3, netns 4099\) when a sysctl switched IPv6 off \(thread 201 of process 200\), but/,
    );
  });

  it('tells of a refused route that names no device', () => {
    const refused = taken().route({ ifindex: 0, gateway: GATEWAY, result: -113 });
    expect(check(addressVanished, [refused.events]).sentences[0]).toMatch(
      /routes via fd31::1 by it \(refused with EHOSTUNREACH \(113\)\)$/,
    );
    const others = taken()
      .route({ ifindex: 0, gateway: GATEWAY })
      .route({ ifindex: 0, gateway: GATEWAY, result: -17 });
    others.route({ ifindex: 0, netns: 7, gateway: GATEWAY, result: -113 });
    expect(check(addressVanished, [others.events]).sentences).toEqual([]);
  });
});
