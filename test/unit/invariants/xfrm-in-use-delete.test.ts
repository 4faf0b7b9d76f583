// xfrm.in-use-delete: a peer that leaves in order is silent; the last SA or policy that goes while entries point at it is told.

import { describe, expect, it } from 'vitest';
import inUse from '../../../src/invariants/xfrm/in-use-delete.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, EXPIRED, KERNEL, NETNS, OTHER, Overlay, PEER, REPLACED } from './xfrm.ts';

const MAC = '02:00:00:00:00:02';
const MARK = { mark: 0x10, mark_mask: 0xff };
/** An entry of a device that was moved to namespace 8193. */
const ENTRY = { netns: 8193, ifindex: 7, vni: 42, remote: PEER, mac: MAC, link_netns: NETNS };
const FLUSH = 3;

const start = () => new Overlay().say('vxlan_fdb_update', ENTRY).addState().addPolicy();
const sentencesOf = (overlay: Overlay) => check(inUse, [overlay.events]).sentences;

describe('xfrm.in-use-delete', () => {
  it('is silent when the peer leaves in order, and while keys are exchanged', () => {
    const overlay = start()
      .addState(0x1002)
      .deletePolicy(AGENT, { cause: REPLACED })
      .addPolicy()
      .deleteState();
    overlay.say('vxlan_fdb_delete', ENTRY).deletePolicy().deleteState(0x1002);
    expect(sentencesOf(overlay)).toEqual([]);
  });

  it('is silent on what expires, what goes with its namespace, and what was not known', () => {
    const overlay = start()
      .deletePolicy(KERNEL, { cause: 0 })
      .deleteState(0x1001, KERNEL, { cause: EXPIRED });
    overlay.deleteState(0x7777).addState(0x2001, AGENT, { daddr: '10.0.0.1', saddr: PEER });
    overlay.deleteState(0x2001, AGENT, { daddr: '10.0.0.1', saddr: PEER });
    expect(sentencesOf(overlay)).toEqual([]);
  });

  it('is silent when the entries point elsewhere by then, or leave from another namespace', () => {
    const overlay = start().say('vxlan_fdb_update', { ...ENTRY, remote: '10.0.0.9' });
    overlay.say('vxlan_fdb_update', { ...ENTRY, vni: 43, netns: 5, link_netns: 5 }).deleteState();
    expect(sentencesOf(overlay)).toEqual([]);
  });

  it('names who deleted the last SA, and what still points at the VTEP', () => {
    const overlay = start()
      .say('vxlan_fdb_update', { ...ENTRY, vni: 43 })
      .deleteState(0x1001, OTHER);
    const { violations } = check(inUse, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'thread 201 of process 200 (netlink port 4002) deleted the SA 0x1001 (esp) from 10.0.0.1 to 10.0.0.2, the last SA for VTEP 10.0.0.2 in netns 4097, while 2 forwarding entries of VNI 42, 43 still point at it (02:00:00:00:00:02)',
    ]);
    expect(violations[0]?.object).toBe('VTEP 10.0.0.2 (netns 4097)');
    expect(evidenceOf(violations[0]).map((one) => one.slice(one.indexOf(' ') + 1))).toEqual([
      'vxlan_fdb_update',
      'vxlan_fdb_update',
      'xfrm_state_delete',
    ]);
  });

  it('tells the same of policies, of flushes, and of what was there before the recording', () => {
    const device = { netns: 8193, ifindex: 7, vni: 42, link_netns: NETNS };
    const overlay = new Overlay().stateExists().policyExists().say('vxlan_exists', device);
    overlay.say('vxlan_fdb_exists', { ...ENTRY, link_netns: 0 });
    overlay.deletePolicy().deleteState(0x1001, AGENT, { cause: FLUSH });
    expect(sentencesOf(overlay).map((one) => /the last (SA|policy) for .*while 1/.exec(one)?.[1])).toEqual([
      'policy',
      'SA',
    ]);
  });

  it('counts only overlays that are encrypted, where marks tell them apart', () => {
    const overlay = new Overlay().say('vxlan_fdb_update', { ...ENTRY, vni: 43 });
    overlay.addState().addPolicy(AGENT, MARK).encrypted(42).deleteState();
    expect(sentencesOf(overlay)).toEqual([]);
    const unknown = new Overlay().say('vxlan_fdb_update', { ...ENTRY, vni: 43 });
    unknown.addState().addPolicy(AGENT, MARK).deleteState();
    expect(sentencesOf(unknown)).toHaveLength(1);
  });

  it('forgets at a gap', () => {
    const { sentences, counts } = check(inUse, [start().gap().deleteState().deletePolicy().events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(3);
  });

  it('does not take an SA or policy for the last one while a gap may hide others', () => {
    const overlay = start().gap().say('vxlan_fdb_update', ENTRY).addState(0x1002).deleteState(0x1002);
    overlay.addPolicy(AGENT, { index: 2 }).deletePolicy(AGENT, { index: 2 });
    expect(sentencesOf(overlay)).toEqual([]);
    overlay.stateExists().deleteState();
    expect(sentencesOf(overlay)).toHaveLength(1);
  });

  it('takes no larval state for an SA, neither one that existed nor one that was added', () => {
    const larval = { netns: NETNS, saddr: '10.0.0.1', daddr: PEER, proto: 50, family: 2, state: 1 };
    const overlay = start()
      .say('xfrm_state_exists', { ...larval, spi: 0x3001 })
      .say('xfrm_state_add', { ...larval, ...AGENT, spi: 0x3002 });
    expect(sentencesOf(overlay.deleteState())).toHaveLength(1);
    const usable = start().say('xfrm_state_exists', { ...larval, spi: 0x3001, state: 2 });
    expect(sentencesOf(usable.deleteState())).toEqual([]);
  });
});
