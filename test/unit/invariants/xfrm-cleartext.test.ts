// xfrm.cleartext: rekeying and overlays in the clear by intention are silent; what was, or is by policy to be, encrypted is not.

import { describe, expect, it } from 'vitest';
import cleartext from '../../../src/invariants/xfrm/cleartext.ts';
import { check, evidenceOf } from './setup.ts';
import { AGENT, EXPIRED, KERNEL, OTHER, Overlay, PEER, REPLACED, SECOND_NS } from './xfrm.ts';

const MARK = { mark: 0x10, mark_mask: 0xff };
const start = () => new Overlay().addState().addPolicy().encrypted();
const sentencesOf = (overlay: Overlay) => check(cleartext, [overlay.events]).sentences;

describe('xfrm.cleartext', () => {
  it('is silent while keys and policies are exchanged', () => {
    const overlay = start().addState(0x1002);
    overlay.deletePolicy(AGENT, { cause: REPLACED }).addPolicy(AGENT, { tmpl_spi: 0x1002 });
    overlay.deleteState(0x1001).encrypted(42, { spi: 0x1002 });
    expect(sentencesOf(overlay)).toEqual([]);
  });

  it('is silent on a VNI that no policy covers and that nobody ever encrypted', () => {
    const overlay = new Overlay().addState().addPolicy(AGENT, MARK).encrypted().clear(43);
    overlay.deletePolicy(AGENT, MARK).deleteState().clear(43);
    overlay.clear(42, { dst: '10.0.0.9' });
    expect(sentencesOf(overlay)).toEqual([]);
  });

  it('is silent on what was on its way before the policy came, and on policies that want no encryption', () => {
    const overlay = new Overlay()
      .clear()
      .addState()
      .addPolicy()
      .after(SECOND_NS / 2)
      .clear();
    expect(sentencesOf(overlay)).toEqual([]);
    const bypass = new Overlay().policyExists().policyExists({ index: 9, proto: 0, priority: 0 });
    bypass.policyExists({ priority: 7 }).clear();
    expect(sentencesOf(bypass)).toEqual([]);
    const interfaces = new Overlay()
      .policyExists({ if_id: 5 })
      .policyExists({ index: 9, dport: 8472 })
      .clear();
    expect(sentencesOf(interfaces)).toEqual([]);
  });

  it('names who deleted the policy and the SA, and when', () => {
    const overlay = start().deletePolicy(OTHER).deleteState(0x1001, OTHER).on(1).after(2e6).clear();
    const { violations } = check(cleartext, [overlay.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'a VXLAN packet of VNI 42 from 10.0.0.1 to 10.0.0.2 left eth0 (ifindex 2, netns 4097) in the clear, and VNI 42 was encrypted until then: the out policy 10.0.0.1/32 to 10.0.0.2/32 was deleted by thread 201 of process 200 (netlink port 4002) 2.0 ms before, the SA 0x1001 (esp) from 10.0.0.1 to 10.0.0.2 was deleted by thread 201 of process 200 (netlink port 4002) 2.0 ms before',
    ]);
    expect(violations[0]?.object).toBe('10.0.0.1 to 10.0.0.2');
    expect(evidenceOf(violations[0])).toEqual([
      '0:7 xfrm_traffic',
      '0:9 xfrm_policy_delete',
      '0:12 xfrm_state_delete',
      '1:1 xfrm_wire',
    ]);
    expect(violations[0]?.orderDependent).toBe(false);
  });

  it('says so when the two CPUs may have been in the other order', () => {
    const overlay = start().deletePolicy().on(1).after(1).clear();
    expect(check(cleartext, [overlay.events]).violations[0]?.orderDependent).toBe(true);
  });

  it('reports once until the VNI is encrypted again', () => {
    const overlay = start().deletePolicy().clear().clear().addPolicy().encrypted().deletePolicy().clear();
    expect(sentencesOf(overlay)).toHaveLength(2);
  });

  it('tells of a VNI whose mark is gone while the policy is there', () => {
    const overlay = new Overlay().addState().addPolicy(AGENT, MARK).encrypted().after(SECOND_NS).clear();
    expect(sentencesOf(overlay)[0]).toContain(
      'VNI 42 was encrypted until then: no policy covers it any more',
    );
  });

  it('tells of a VNI that is encrypted to another peer, if this one had an SA as well', () => {
    const overlay = start().addState(0x3003, AGENT, { daddr: '10.0.0.3' });
    overlay.deleteState(0x3003, KERNEL, { daddr: '10.0.0.3', cause: EXPIRED }).clear(42, { dst: '10.0.0.3' });
    expect(sentencesOf(overlay)[0]).toContain('the SA 0x3003');
    expect(sentencesOf(overlay)[0]).toContain('was deleted by its expiry');
  });

  it('tells of packets that a policy from before the recording, or of long ago, covers', () => {
    expect(sentencesOf(new Overlay().policyExists().clear())).toEqual([
      'a VXLAN packet of VNI 42 from 10.0.0.1 to 10.0.0.2 left eth0 (ifindex 2, netns 4097) in the clear, although the out policy 10.0.0.1/32 to 10.0.0.2/32, there since before the recording, wants it encrypted',
    ]);
    const wide = { daddr: '10.0.0.0', daddr_prefix: 24 };
    const late = new Overlay()
      .addPolicy(AGENT, wide)
      .after(2 * SECOND_NS)
      .clear();
    expect(sentencesOf(late)[0]).toContain('added by thread 101 of process 100');
  });

  it('keeps namespaces apart, refused requests out, and forgets at a gap', () => {
    const overlay = new Overlay()
      .addPolicy(AGENT, { result: -17 })
      .after(2 * SECOND_NS)
      .clear();
    overlay.encrypted(42, { netns: 1 }).deletePolicy(AGENT, { netns: 1 }).clear();
    overlay.encrypted().deletePolicy().gap().clear(42, { dst: PEER });
    const { sentences, counts } = check(cleartext, [overlay.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBeGreaterThan(0);
  });
});
