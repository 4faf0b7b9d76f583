// xfrm.rotation-race: one thread after the other is silent; one in the middle of the other's sequence is told with both.

import { describe, expect, it } from 'vitest';
import race from '../../../src/invariants/xfrm/rotation-race.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, EXPIRED, HERE, KERNEL, OTHER, Overlay, PEER } from './xfrm.ts';

const LONG_NS = 300e6;
const MILLISECOND = 1e6;

describe('xfrm.rotation-race', () => {
  it('is silent when one thread follows the other, or each changes its own VTEP', () => {
    const overlay = new Overlay().addState(1).addState(2).deleteState(1);
    overlay.addState(3, OTHER).deleteState(2, OTHER);
    const elsewhere = { daddr: '10.0.0.3' };
    overlay
      .after(LONG_NS)
      .addState(4)
      .addState(5, OTHER, elsewhere)
      .addState(6)
      .addState(7, OTHER, elsewhere);
    expect(check(race, [overlay.events]).sentences).toEqual([]);
  });

  it('is silent when the same thread comes back long after, and on what the kernel ends by itself', () => {
    const overlay = new Overlay().addState(1).addState(2, OTHER).after(LONG_NS).addState(3);
    overlay.deleteState(1, KERNEL, { cause: EXPIRED }).addState(4);
    overlay.addState(9, KERNEL, { state: 1 }).addState(5);
    expect(check(race, [overlay.events]).sentences).toEqual([]);
  });

  it('names both threads and what they did, in either direction', () => {
    const overlay = new Overlay().addState(0x1002).after(MILLISECOND);
    overlay.addState(0x2002, OTHER, { saddr: PEER, daddr: HERE }).after(MILLISECOND).deleteState(0x1001);
    const { violations } = check(race, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'between add of SA 0x1002 and delete of SA 0x1001 by thread 101 of process 100 (netlink port 4001), 2.0 ms apart, came add of SA 0x2002 by thread 201 of process 200 (netlink port 4002): both work on the states between 10.0.0.1 and 10.0.0.2 (netns 4097)',
    ]);
    expect(violations[0]).toMatchObject({ severity: 'violation', orderDependent: false });
    expect(evidenceOf(violations[0])).toEqual([
      '0:1 xfrm_state_add',
      '0:4 xfrm_state_add',
      '0:7 xfrm_state_delete',
    ]);
  });

  it('takes policies in, and a third thread that had begun long before', () => {
    const third = { tid: 301, pid: 300, portid: 4003 };
    const overlay = new Overlay()
      .addState(1, third)
      .after(LONG_NS)
      .addState(2)
      .addPolicy(OTHER)
      .deleteState(1);
    expect(check(race, [overlay.events]).sentences[0]).toContain(
      'came add of the policy to 10.0.0.2 by thread 201',
    );
  });

  it('only warns of threads that share a netlink socket, and says when the order is not certain', () => {
    const sibling = { tid: 102, pid: AGENT.pid, portid: AGENT.portid };
    const overlay = new Overlay()
      .addState(1)
      .on(1)
      .after(10)
      .addState(2, sibling)
      .after(MILLISECOND)
      .addState(3);
    const { violations } = check(race, [overlay.events]);
    expect(violations).toMatchObject([{ severity: 'warning', orderDependent: true }]);
    expect(violations[0]?.sentence).toContain('through one netlink socket');
  });

  it('forgets at a gap', () => {
    const overlay = new Overlay().addState(1).addState(2, OTHER).gap().addState(3);
    const { sentences, counts } = check(race, [overlay.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('knows the peers of a policy in transport mode by its selector', () => {
    const transport = { tmpl_daddr: '0.0.0.0', tmpl_saddr: '0.0.0.0' };
    const overlay = new Overlay().addState(1).addPolicy(OTHER, transport).deleteState(1);
    expect(check(race, [overlay.events]).sentences).toHaveLength(1);
    const many = new Overlay()
      .addState(1)
      .addPolicy(OTHER, { ...transport, daddr_prefix: 24 })
      .deleteState(1);
    expect(check(race, [many.events]).sentences).toEqual([]);
  });

  it('says of a change that was refused that it was', () => {
    const overlay = new Overlay().addState(1).addState(1, OTHER, { result: -17 }).addState(2);
    expect(check(race, [overlay.events]).sentences[0]).toContain(
      'came add of SA 0x1 (refused with EEXIST) by thread 201',
    );
  });
});
