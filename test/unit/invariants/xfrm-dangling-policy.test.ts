// xfrm.dangling-policy: a rotation in time is silent; a policy whose state is gone or never came is told after five seconds.

import { describe, expect, it } from 'vitest';
import dangling from '../../../src/invariants/xfrm/dangling-policy.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, OTHER, Overlay, REPLACED, SECOND_NS } from './xfrm.ts';

const LATE = 6 * SECOND_NS;

describe('xfrm.dangling-policy', () => {
  it('is silent on a rotation, in whichever order, and on a peer that leaves', () => {
    const overlay = new Overlay().addPolicy().addState().after(LATE).encrypted();
    overlay.deletePolicy(AGENT, { cause: REPLACED }).addPolicy(AGENT, { tmpl_spi: 0x1002 });
    overlay.after(SECOND_NS).addState(0x1002).deleteState(0x1001).after(LATE).encrypted();
    overlay.deleteState(0x1002).deletePolicy(AGENT, { tmpl_spi: 0x1002 }).after(LATE).clear(43);
    expect(check(dangling, [overlay.events]).sentences).toEqual([]);
  });

  it('is silent on templates that name nothing, and on forwarded traffic', () => {
    const overlay = new Overlay().addPolicy(AGENT, { tmpl_spi: 0, reqid: 0 });
    overlay.addPolicy(AGENT, { index: 2, direction: 2 }).addPolicy(AGENT, { index: 3, proto: 0 });
    overlay.addPolicy(AGENT, { index: 4, result: -17 }).after(LATE).clear(43);
    expect(check(dangling, [overlay.events]).sentences).toEqual([]);
  });

  it('tells of an SPI that no state has', () => {
    const overlay = new Overlay().addState(0x1001, AGENT, { netns: 1 }).addState(0x1002).addPolicy();
    overlay.after(LATE).encrypted().encrypted();
    const { violations } = check(dangling, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'the out policy 10.0.0.1/32 to 10.0.0.2/32 in netns 4097, from thread 101 of process 100 (netlink port 4001), names SPI 0x1001 and reqid 1, which no SA has had for 6.0 s, since the policy was added',
    ]);
    expect(violations[0]?.severity).toBe('violation');
    expect(evidenceOf(violations[0])).toEqual(['0:7 xfrm_policy_add', '0:10 xfrm_traffic']);
  });

  it('names who deleted the last state that it had', () => {
    const overlay = new Overlay().stateExists().policyExists({ tmpl_spi: 0 }).addState(0x1002);
    overlay.deleteState(0x1001).deleteState(0x1002, OTHER).after(LATE).request(0x10, 0);
    expect(check(dangling, [overlay.events]).sentences).toEqual([
      'the out policy 10.0.0.1/32 to 10.0.0.2/32 in netns 4097, there since before the recording, names reqid 1, which no SA has had for 6.0 s, since thread 201 of process 200 (netlink port 4002) deleted the SA 0x1002 (esp) from 10.0.0.1 to 10.0.0.2',
    ]);
  });

  it("only warns of a key daemon's trap, which may wait for ever", () => {
    const overlay = new Overlay().addPolicy(AGENT, { tmpl_spi: 0 }).after(LATE).encrypted();
    expect(check(dangling, [overlay.events]).violations).toMatchObject([{ severity: 'warning' }]);
  });

  it('forgets at a gap', () => {
    const overlay = new Overlay().addPolicy().gap().after(LATE).encrypted();
    const { sentences, counts } = check(dangling, [overlay.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('does not miss states that it may not know after a gap, until it is told again what exists', () => {
    const overlay = new Overlay().addState().gap().addPolicy().after(LATE).encrypted();
    overlay.addState(0x1002).deleteState(0x1002).after(LATE).encrypted();
    expect(check(dangling, [overlay.events]).sentences).toEqual([]);
    overlay.stateExists(0x1003).addPolicy(AGENT, { index: 2 }).after(LATE).encrypted();
    expect(check(dangling, [overlay.events]).sentences).toHaveLength(1);
  });

  it('is not satisfied by a larval state that was there before', () => {
    const overlay = new Overlay().say('xfrm_state_exists', {
      netns: 4097,
      saddr: '10.0.0.1',
      daddr: '10.0.0.2',
      proto: 50,
      reqid: 1,
      family: 2,
      state: 1,
    });
    overlay.addPolicy(AGENT, { tmpl_spi: 0 }).after(LATE).encrypted();
    expect(check(dangling, [overlay.events]).sentences).toHaveLength(1);
  });
});
