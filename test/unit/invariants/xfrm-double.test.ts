// xfrm.double: what is added once and deleted once is silent; a second add or delete is told with who came first.

import { describe, expect, it } from 'vitest';
import double from '../../../src/invariants/xfrm/double.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, EXPIRED, KERNEL, OTHER, Overlay } from './xfrm.ts';

const EEXIST = -17;
const ESRCH = -3;
const ENOENT = -2;
const DELETE_STATE = 0x11;
const DELETE_POLICY = 0x14;

describe('xfrm.double', () => {
  it('is silent on adds, updates, deletes and other failures', () => {
    const overlay = new Overlay()
      .addState()
      .addPolicy()
      .request(0x10, 0)
      .addState(0x1002, AGENT, { result: -22 });
    overlay.deletePolicy().deleteState().request(DELETE_STATE, 0).addState().request(0x1a, ESRCH);
    expect(check(double, [overlay.events]).sentences).toEqual([]);
  });

  it('tells who added a state that is there, and who added it first', () => {
    const overlay = new Overlay().addState().addState(0x1001, OTHER, { result: EEXIST });
    const { violations } = check(double, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'thread 201 of process 200 (netlink port 4002) added the SA 0x1001 (esp) from 10.0.0.1 to 10.0.0.2 in netns 4097, which exists already from thread 101 of process 100 (netlink port 4001) (EEXIST)',
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:1 xfrm_state_add', '0:4 xfrm_state_add']);
  });

  it('tells the same of a policy, and of what was there before the recording or before a gap', () => {
    const overlay = new Overlay().addPolicy().addPolicy(OTHER, { result: EEXIST });
    overlay.stateExists(0x5).addState(0x5, OTHER, { result: EEXIST });
    overlay.gap().addState(0x5, OTHER, { result: EEXIST });
    const { sentences, counts } = check(double, [overlay.events]);
    expect(sentences.map((one) => one.slice(one.indexOf('added')))).toEqual([
      'added the out policy 10.0.0.1/32 to 10.0.0.2/32 in netns 4097, which exists already from thread 101 of process 100 (netlink port 4001) (EEXIST)',
      'added the SA 0x5 (esp) from 10.0.0.1 to 10.0.0.2 in netns 4097, which exists already since before the recording (EEXIST)',
      'added the SA 0x5 (esp) from 10.0.0.1 to 10.0.0.2 in netns 4097, which exists already (EEXIST)',
    ]);
    expect(counts.unknown).toBe(2);
  });

  it('tells of deletes of what is not there, and who ended it before', () => {
    const overlay = new Overlay().addState().deleteState(0x1001, OTHER).request(DELETE_STATE, ESRCH);
    overlay.deletePolicy(KERNEL, { cause: 0 }).request(DELETE_POLICY, ENOENT, AGENT, { direction: 1 });
    overlay.request(DELETE_STATE, ESRCH, AGENT, { spi: 0x77 });
    expect(check(double, [overlay.events]).sentences).toEqual([
      'thread 101 of process 100 (netlink port 4001) deleted the SA 0x1001 to 10.0.0.2 in netns 4097, which is not there: thread 201 of process 200 (netlink port 4002) ended it before (ESRCH)',
      'thread 101 of process 100 (netlink port 4001) deleted the out policy from 10.0.0.1 to 10.0.0.2 in netns 4097, which is not there: the kernel ended it before (ENOENT)',
      'thread 101 of process 100 (netlink port 4001) deleted the SA 0x77 to 10.0.0.2 in netns 4097, which is not there (ESRCH)',
    ]);
  });

  it('is silent when somebody deletes once what has expired meanwhile', () => {
    const overlay = new Overlay().addState().deleteState(0x1001, KERNEL, { cause: EXPIRED });
    overlay.request(DELETE_STATE, ESRCH).deleteState(0x1002, KERNEL, { cause: 0, state: 1 });
    overlay.request(DELETE_STATE, ESRCH, AGENT, { spi: 0x1002 });
    expect(check(double, [overlay.events]).sentences).toEqual([]);
    overlay.request(DELETE_STATE, ESRCH);
    expect(check(double, [overlay.events]).sentences).toHaveLength(1);
  });

  it('names a policy by its index if the request did', () => {
    const byIndex = { saddr: '::', daddr: '::', direction: 1, index: 1 };
    const overlay = new Overlay()
      .addPolicy()
      .deletePolicy(OTHER)
      .request(DELETE_POLICY, ENOENT, AGENT, byIndex);
    expect(check(double, [overlay.events]).sentences).toEqual([
      'thread 101 of process 100 (netlink port 4001) deleted the policy of index 1 in netns 4097, which is not there: thread 201 of process 200 (netlink port 4002) ended it before (ENOENT)',
    ]);
  });
});
