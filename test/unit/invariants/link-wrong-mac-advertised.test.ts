// link.wrong-mac-advertised: the device's own MAC and others' addresses are silent; an old MAC is told with who changed it.

import { describe, expect, it } from 'vitest';
import wrongMac from '../../../src/invariants/link/wrong-mac-advertised.ts';
import { INNER, IP, MAC, OTHER, Sandbox } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

describe('link.wrong-mac-advertised', () => {
  it("is silent about the device's MAC, before and after a change", () => {
    const story = new Sandbox().assign(IP).advertise().change(MAC, OTHER);
    story.advertise({ mac: OTHER, device_mac: OTHER });
    expect(check(wrongMac, [story.events]).sentences).toEqual([]);
  });

  it('is silent about addresses that are not the device’s, and about virtual routers', () => {
    const story = new Sandbox().advertise({ device_mac: OTHER }).assign(IP);
    story.advertise({ ip: '172.31.0.9', device_mac: OTHER }).advertise({ mac: '00:00:5e:00:01:07' });
    expect(check(wrongMac, [story.events]).sentences).toEqual([]);
  });

  it('tells of a repeat with the MAC before the change, once', () => {
    const story = new Sandbox().assign(IP).advertise().change(MAC, OTHER).after(2e9);
    story.advertise({ device_mac: OTHER }).advertise({ device_mac: OTHER });
    const { violations } = check(wrongMac, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      `thread 201 of process 200 advertised 172.31.0.2 at ${MAC} on eth0 (ifindex 3, netns 4099), but the device's MAC is ${OTHER} since thread 201 of process 200 changed it 2.0 s before`,
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:6 link_mac_change', '0:8 link_advertise']);
  });

  it('knows addresses that were there before, and follows a device into a namespace', () => {
    const dumped = new Sandbox().say('link_address_exists', { ...INNER, ip: IP, prefix: 24, family: 2 });
    dumped.say('link_exists', { ...INNER, name: 'eth0', mac: OTHER }).advertise({ device_mac: OTHER });
    expect(check(wrongMac, [dumped.events]).sentences).toHaveLength(1);
    const moved = new Sandbox().say('link_mac_change', { netns: 4098, ifindex: 3, mac: MAC, new_mac: OTHER });
    moved.enter().advertise({ device_mac: OTHER });
    expect(check(wrongMac, [moved.events]).sentences).toHaveLength(1);
  });

  it('forgets at a gap', () => {
    const story = new Sandbox().assign(IP).change(MAC, OTHER).gap().advertise({ device_mac: OTHER });
    const { sentences, counts } = check(wrongMac, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(2);
  });

  it('takes a device that is made anew for another one, which may be told again', () => {
    const wrong = (story: Sandbox) =>
      story.assign(IP).change(MAC, OTHER).advertise({ device_mac: OTHER }).advertise({ device_mac: OTHER });
    const story = wrong(new Sandbox()).say('link_unregister', { ...INNER, name: 'eth0' });
    expect(check(wrongMac, [wrong(story).events]).sentences).toHaveLength(2);
    const fresh = new Sandbox().change(MAC, OTHER).say('link_unregister', { ...INNER, name: 'eth0' });
    expect(check(wrongMac, [fresh.advertise({ device_mac: OTHER }).events]).sentences).toEqual([]);
  });
});
