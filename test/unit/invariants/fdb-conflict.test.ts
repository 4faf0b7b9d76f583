// fdb.conflict: moving one's own entry, learning and deleting first are silent; a second claim of a MAC is told with both claimants.

import { describe, expect, it } from 'vitest';
import conflict from '../../../src/invariants/fdb/conflict.ts';
import { check, evidenceOf } from './setup.ts';
import {
  ADD,
  APPEND,
  DEVICE,
  EEXIST,
  MAC,
  NAMED,
  OTHER_VTEP,
  OverlayStory,
  REPLACE,
  SECOND,
  STRANGER,
  VTEP,
} from './overlay.ts';

const NONE = '00:00:00:00:00:00';

describe('fdb.conflict', () => {
  it('is silent on programming, repeating, deleting and programming elsewhere', () => {
    const story = new OverlayStory().forward(MAC, VTEP).forward(MAC, VTEP, STRANGER, REPLACE);
    story.forwardAsked(ADD, MAC, VTEP, EEXIST, STRANGER).deleteForward(MAC, VTEP, STRANGER);
    story.forward(MAC, OTHER_VTEP, STRANGER);
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('is silent when a process moves its own entry, and on what packets teach', () => {
    const story = new OverlayStory().forward(MAC, VTEP).forward(MAC, OTHER_VTEP, SECOND, REPLACE);
    story.deleteForward(MAC, OTHER_VTEP).learn(MAC, VTEP).learn(MAC, OTHER_VTEP).forward(MAC, VTEP, STRANGER);
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('is silent on the default entry, which has many remotes', () => {
    const story = new OverlayStory()
      .forward(NONE, VTEP, SECOND, APPEND)
      .forward(NONE, OTHER_VTEP, STRANGER, APPEND);
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('tells who replaced whose entry', () => {
    const story = new OverlayStory().forward(MAC, VTEP).forward(MAC, OTHER_VTEP, STRANGER, REPLACE);
    const { sentences, violations } = check(conflict, [story.events]);
    expect(sentences).toEqual([
      `thread 201 of process 200 (netlink port 4003) put ${MAC} behind ${OTHER_VTEP} on vx0 (ifindex 5 in netns 4098, VNI 42), but it is behind ${VTEP} by thread 101 of process 100 (netlink port 4001), which was silently replaced`,
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:1 vxlan_fdb_update', '0:7 vxlan_fdb_request']);
  });

  it('tells of an entry that was refused, and of one that got a second remote', () => {
    const story = new OverlayStory().forward(MAC, VTEP).forwardAsked(ADD, MAC, OTHER_VTEP, EEXIST, SECOND);
    story.forward(MAC, OTHER_VTEP, SECOND, APPEND);
    const { sentences } = check(conflict, [story.events]);
    expect(sentences.map((sentence) => sentence.slice(sentence.indexOf(', which')))).toEqual([
      ', which stays (the kernel refuses it with EEXIST)',
      ', which stays beside it: every packet goes to both',
    ]);
  });

  it('warns of packets that come from where their MAC is not', () => {
    const story = new OverlayStory();
    story.say('vxlan_fdb_exists', { ...DEVICE, mac: MAC, remote: VTEP, fdb_state: 0xc0 });
    story.say('vxlan_learn_refused', { ...DEVICE, mac: MAC, remote: OTHER_VTEP, packets: 3 });
    const { violations } = check(conflict, [story.events]);
    expect(violations.map(({ severity, sentence }) => [severity, sentence])).toEqual([
      [
        'warning',
        `3 packets from ${MAC} came from ${OTHER_VTEP} and were dropped by ifindex 5 in netns 4098, VNI 42: its entry says that it is behind ${VTEP}`,
      ],
    ]);
  });

  it('follows a device to another namespace, forgets it when it is deleted, and everything at a gap', () => {
    const moved = new OverlayStory().forward(MAC, VTEP);
    moved.say('vxlan_device_move', { ...NAMED, to_netns: 7, to_ifindex: 5 });
    moved.say('vxlan_fdb_request', {
      ...DEVICE,
      netns: 7,
      mac: MAC,
      remote: OTHER_VTEP,
      operation: ADD,
      result: EEXIST,
    });
    expect(check(conflict, [moved.events]).sentences).toHaveLength(1);
    const gone = new OverlayStory().forward(MAC, VTEP).say('vxlan_device_delete', NAMED);
    expect(check(conflict, [gone.forward(MAC, OTHER_VTEP, STRANGER).events]).sentences).toEqual([]);
    const gap = new OverlayStory().forward(MAC, VTEP).gap().forward(MAC, OTHER_VTEP, STRANGER, REPLACE);
    expect(check(conflict, [gap.events])).toMatchObject({ sentences: [], counts: { unknown: 1 } });
  });

  it('is silent on what was there before and is moved: nobody knows whose it is', () => {
    const story = new OverlayStory();
    story.say('vxlan_fdb_exists', { ...DEVICE, mac: MAC, remote: VTEP, fdb_state: 0xc0 });
    story.forward(MAC, OTHER_VTEP, SECOND, REPLACE);
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('tells of a request that the kernel accepted without effect', () => {
    const story = new OverlayStory().forward(MAC, VTEP);
    story.forwardAsked(ADD, MAC, OTHER_VTEP, 0, STRANGER, APPEND).forwardAsked(ADD, MAC, '::', 0, STRANGER);
    const { sentences } = check(conflict, [story.events]);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(/which stays \(the kernel accepts it without effect\)$/);
    // Its state alone is changed.
    const touched = new OverlayStory().forward(MAC, VTEP);
    touched.say('vxlan_fdb_update', { ...NAMED, ...STRANGER, mac: MAC, remote: VTEP, fdb_state: 0x40 });
    touched.forwardAsked(ADD, MAC, OTHER_VTEP, 0, STRANGER, APPEND);
    expect(check(conflict, [touched.events]).sentences[0]).toContain(`is behind ${VTEP} by thread 101`);
  });

  it('keeps the VNIs of one device apart', () => {
    const story = new OverlayStory().forward(MAC, VTEP);
    const other = { ...NAMED, ...STRANGER, vni: 43, mac: MAC, remote: OTHER_VTEP, fdb_state: 0xc0 };
    story.say('vxlan_fdb_update', other);
    story.say('vxlan_fdb_request', { ...other, vni: 0, operation: ADD, result: 0, nlmsg_flags: REPLACE });
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });
});
