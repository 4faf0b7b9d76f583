// xfrm.self: states to and from peers are silent, also those that come in; what serves nobody but oneself is told.

import { describe, expect, it } from 'vitest';
import self from '../../../src/invariants/xfrm/self.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, HERE, NETNS, Overlay, PEER } from './xfrm.ts';

const ADDRESS = { netns: NETNS, ifindex: 2, ip: HERE, prefix: 24, family: 2 };
const INWARD = { saddr: PEER, daddr: HERE };

describe('xfrm.self', () => {
  it('is silent on states to and from a peer, and on policies to it', () => {
    const overlay = new Overlay().say('link_address_add', ADDRESS).addState().addState(0x2001, AGENT, INWARD);
    overlay.addPolicy().addPolicy(AGENT, { ...INWARD, direction: 0, tmpl_daddr: HERE });
    overlay.say('link_address_add', { ...ADDRESS, netns: 1, ip: PEER }).addState(0x1002);
    expect(check(self, [overlay.events]).sentences).toEqual([]);
  });

  it('is silent once the address has left its last device', () => {
    const overlay = new Overlay().say('link_address_exists', ADDRESS);
    overlay.say('link_address_add', { ...ADDRESS, ifindex: 3 }).say('link_address_delete', ADDRESS);
    overlay.say('link_address_delete', { ...ADDRESS, ifindex: 3 }).addState(1, AGENT, { daddr: HERE });
    expect(check(self, [overlay.events]).sentences).toEqual([]);
  });

  it('tells of a state between two addresses of its own, and of its address', () => {
    const overlay = new Overlay()
      .say('link_address_exists', ADDRESS)
      .addState(0x3001, AGENT, { daddr: HERE });
    const { violations } = check(self, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'thread 101 of process 100 (netlink port 4001) programmed the SA 0x3001 (esp) from 10.0.0.1 to 10.0.0.1 in netns 4097, but 10.0.0.1 is local there (ifindex 2): a host does not encrypt to itself',
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:1 link_address_exists', '0:3 xfrm_state_add']);
  });

  it('tells of a policy whose peer is local, by its template or by its selector', () => {
    const overlay = new Overlay().say('link_address_add', { ...ADDRESS, ip: PEER }).addPolicy();
    overlay.addPolicy(AGENT, { index: 2, tmpl_daddr: '0.0.0.0' });
    expect(
      check(self, [overlay.events]).sentences.map((one) => one.includes('but its peer 10.0.0.2 is')),
    ).toEqual([true, true]);
  });

  it('is silent on what was refused, and forgets at a gap', () => {
    const overlay = new Overlay().say('link_address_add', ADDRESS);
    overlay.addState(1, AGENT, { daddr: HERE, result: -22 }).gap().addState(2, AGENT, { daddr: HERE });
    const { sentences, counts } = check(self, [overlay.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });
});
