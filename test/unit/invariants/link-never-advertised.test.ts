// link.never-advertised: a warning when an address comes back with another MAC and nobody tells, by the time of later events.

import { describe, expect, it } from 'vitest';
import neverAdvertised from '../../../src/invariants/link/never-advertised.ts';
import { INNER, IP, MAC, OTHER, Sandbox } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

/** One endpoint's life, with the address and this MAC. */
function round(story: Sandbox, mac: string, advertised = true): Sandbox {
  story.create().enter().assign(IP).up(mac);
  return advertised ? story.advertise({ mac, device_mac: mac }) : story;
}

describe('link.never-advertised', () => {
  it('is silent when the new MAC is advertised in time', () => {
    const story = round(round(new Sandbox(), MAC).leave(), OTHER, false).after(8e9);
    story.advertise({ mac: OTHER, device_mac: OTHER }).tick(60e9);
    expect(check(neverAdvertised, [story.events]).sentences).toEqual([]);
  });

  it('is silent about the first use, the same MAC, other segments, and what has left again', () => {
    const first = round(new Sandbox(), MAC, false).tick(60e9).leave();
    expect(check(neverAdvertised, [round(first, MAC, false).tick(60e9).events]).sentences).toEqual([]);
    const left = round(round(new Sandbox(), MAC).leave(), OTHER, false).leave().tick(60e9);
    expect(check(neverAdvertised, [left.events]).sentences).toEqual([]);
    const elsewhere = round(new Sandbox(), MAC).leave().create().enter().assign(IP);
    elsewhere.say('link_up', {
      ...INNER,
      name: 'eth0',
      mac: OTHER,
      peer_netns: 1,
      peer_ifindex: 9,
      bridge: 7,
    });
    expect(check(neverAdvertised, [elsewhere.tick(60e9).events]).sentences).toEqual([]);
  });

  it('is silent when the neighbours have long forgotten', () => {
    const story = round(round(new Sandbox(), MAC).leave().tick(700e9), OTHER, false).tick(60e9);
    expect(check(neverAdvertised, [story.events]).sentences).toEqual([]);
  });

  it('warns, with both MACs, when the limit has passed', () => {
    const story = round(round(new Sandbox(), MAC).leave().after(1e9), OTHER, false).tick(9.9e9).tick(0.6e9);
    const { violations } = check(neverAdvertised, [story.events]);
    expect(violations.map(({ sentence, severity }) => `${severity}: ${sentence}`)).toEqual([
      `warning: 172.31.0.2 came back on eth0 (ifindex 3, netns 4099) with ${OTHER} (thread 101 of process 100), 1.0 s after it was last seen with ${MAC} on eth0 (ifindex 3, netns 4099), and nobody has advertised it for 10.5 s: neighbours still send to ${MAC}`,
    ]);
    expect(violations[0]?.object).toBe('172.31.0.2 on bridge ifindex 2 (netns 4098)');
    expect(evidenceOf(violations[0]).map((text) => text.split(' ')[1])).toEqual([
      'link_up',
      'link_up',
      'link_up',
    ]);
  });

  it('warns when the MAC of a device in use changes, and an advertisement of the old one does not help', () => {
    const story = round(new Sandbox(), MAC).change(MAC, OTHER).advertise({ device_mac: OTHER }).tick(11e9);
    expect(check(neverAdvertised, [story.events]).sentences).toHaveLength(1);
    const told = round(new Sandbox(), MAC).change(MAC, OTHER).advertise({ mac: OTHER, device_mac: OTHER });
    expect(check(neverAdvertised, [told.tick(11e9).events]).sentences).toEqual([]);
  });

  it('forgets at a gap', () => {
    const story = round(round(new Sandbox(), MAC).leave().gap(), OTHER, false).tick(60e9);
    const { sentences, counts } = check(neverAdvertised, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });
});
