// vxlan.create-delete-race and vxlan.vni-leak: a VNI's device is made, programmed and deleted in turn, and doesn't stay behind.

import { describe, expect, it } from 'vitest';
import race from '../../../src/invariants/vxlan/create-delete-race.ts';
import leak from '../../../src/invariants/vxlan/vni-leak.ts';
import { check, evidenceOf } from './setup.ts';
import { ADD, EEXIST, ENODEV, FIRST, MAC, NAMED, OverlayStory, SECOND, VTEP } from './overlay.ts';

const AT_HOME = { ...NAMED, netns: 1 };

/** Made in the host's namespace, moved to the sandbox, and programmed. */
function made(): OverlayStory {
  const story = new OverlayStory().say('vxlan_device_add', { ...AT_HOME, ...FIRST });
  story.say('vxlan_device_move', { ...AT_HOME, to_netns: NAMED.netns, to_ifindex: NAMED.ifindex, ...FIRST });
  return story.forward(MAC, VTEP).neighbour('10.0.0.2', MAC);
}

describe('vxlan.create-delete-race', () => {
  it('is silent on a life in turn, by whichever threads', () => {
    const story = made().forward(MAC, VTEP, SECOND);
    story
      .say('vxlan_flush', { ...NAMED, ...SECOND, portid: 0 })
      .say('vxlan_device_delete', { ...NAMED, ...SECOND });
    story.say('vxlan_device_add', { ...NAMED, ...FIRST }).forward(MAC, VTEP);
    expect(check(race, [story.events]).sentences).toEqual([]);
  });

  it('is silent when a thread fails on what it has deleted itself, or long ago', () => {
    const story = made().say('vxlan_device_delete', { ...NAMED, ...FIRST });
    story.forwardAsked(ADD, MAC, VTEP, ENODEV, FIRST).tick(3000).forwardAsked(ADD, MAC, VTEP, ENODEV, SECOND);
    expect(check(race, [story.events]).sentences).toEqual([]);
  });

  it('tells of programming that arrives after the deletion', () => {
    const story = made()
      .say('vxlan_device_delete', { ...NAMED, ...SECOND })
      .after(3e6);
    story.asked(ADD, '10.0.0.3', MAC, ENODEV, FIRST);
    const { sentences, violations } = check(race, [story.events]);
    expect(sentences).toEqual([
      'thread 101 of process 100 programmed neighbour 10.0.0.3 for VNI 42 3.0 ms after thread 102 of process 100 had deleted its device vx0',
    ]);
    expect(violations[0]?.object).toBe('vni 42 (netns 1)');
  });

  it('tells of programming while the device is taken down to be deleted', () => {
    const story = made()
      .say('vxlan_flush', { ...NAMED, ...SECOND, portid: 0 })
      .forward(MAC, VTEP, FIRST);
    story
      .say('vxlan_flush', { ...NAMED, ...SECOND, portid: 0 })
      .say('vxlan_device_delete', { ...NAMED, ...SECOND });
    const { sentences, violations } = check(race, [story.events]);
    expect(sentences).toEqual([
      `thread 101 of process 100 programmed the entry of ${MAC} behind ${VTEP} for VNI 42 while thread 102 of process 100 was deleting its device vx0`,
    ]);
    expect(evidenceOf(violations[0]).map((one) => one.split(' ')[1])).toEqual([
      'vxlan_flush',
      'vxlan_fdb_request',
      'vxlan_device_delete',
    ]);
  });

  it('tells of a device that was refused because the old one was not deleted yet', () => {
    const story = made().say('vxlan_device_refused', {
      ...AT_HOME,
      ifindex: 0,
      device: 'vx1',
      result: EEXIST,
      ...FIRST,
    });
    story.say('vxlan_device_delete', { ...NAMED, ...SECOND });
    expect(check(race, [story.events]).sentences).toEqual([
      'thread 101 of process 100 made a device for VNI 42 again, and was refused, before thread 102 of process 100 had deleted the old one, vx0',
    ]);
  });

  it('forgets at a gap', () => {
    const story = made()
      .say('vxlan_device_delete', { ...NAMED, ...SECOND })
      .gap();
    story.forwardAsked(ADD, MAC, VTEP, ENODEV, FIRST);
    expect(check(race, [story.events])).toMatchObject({ sentences: [], counts: { unknown: 1 } });
  });

  it('is silent when the device was only taken down for a while, and went up again', () => {
    const flush = { ...NAMED, ...SECOND, portid: 0 };
    const story = made().say('vxlan_flush', flush).forward(MAC, VTEP, FIRST).tick(100);
    // Found up, it is flushed twice.
    story
      .say('vxlan_flush', flush)
      .say('vxlan_flush', flush)
      .say('vxlan_device_delete', { ...NAMED, ...SECOND });
    expect(check(race, [story.events]).sentences).toEqual([]);
  });

  it('tells of a race though the same thread took the device down long ago', () => {
    const flush = { ...NAMED, ...SECOND, portid: 0 };
    const story = made().say('vxlan_flush', flush).forward(MAC, VTEP).tick(5000).say('vxlan_flush', flush);
    story
      .forward(MAC, VTEP)
      .say('vxlan_flush', flush)
      .say('vxlan_device_delete', { ...NAMED, ...SECOND });
    expect(check(race, [story.events]).sentences).toHaveLength(1);
  });
});

describe('vxlan.vni-leak', () => {
  const back = { ...NAMED, to_netns: 1, to_ifindex: 5, ...SECOND };

  it('is silent when the device stays in the sandbox, or comes back to be deleted', () => {
    const story = made().tick(5000).say('vxlan_device_move', back).tick(1000);
    story.say('vxlan_device_delete', AT_HOME).tick(5000);
    expect(check(leak, [story.events]).sentences).toEqual([]);
  });

  it('is silent when it is moved into a sandbox again', () => {
    const story = made().say('vxlan_device_move', back).tick(1000);
    story.say('vxlan_device_move', { ...AT_HOME, to_netns: 9, to_ifindex: 5 }).tick(5000);
    expect(check(leak, [story.events]).sentences).toEqual([]);
  });

  it('warns of a device that is left where it came from', () => {
    const { sentences, violations } = check(leak, [made().say('vxlan_device_move', back).tick(2500).events]);
    expect(sentences).toEqual([
      'VXLAN device vx0 was moved back to netns 1 from netns 4098 by thread 102 of process 100, and was not deleted within 2 s: VNI 42 stays taken in netns 1',
    ]);
    expect(violations[0]).toMatchObject({ severity: 'warning', object: 'vni 42 (netns 1)' });
  });

  it('warns at once when its VNI is missed', () => {
    const story = made().say('vxlan_device_move', back);
    story.say('vxlan_device_refused', { ...AT_HOME, ifindex: 0, result: EEXIST, ...FIRST }).tick(5000);
    const { sentences } = check(leak, [story.events]);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain(
      'and thread 101 of process 100 was refused a device of that VNI with EEXIST',
    );
  });

  it('forgets at a gap', () => {
    const story = made().say('vxlan_device_move', back).gap().tick(5000);
    expect(check(leak, [story.events])).toMatchObject({ sentences: [], counts: { unknown: 2 } });
  });

  it('is silent when it goes into the same sandbox again, or nowhere', () => {
    const again = { ...AT_HOME, to_netns: NAMED.netns, to_ifindex: NAMED.ifindex };
    const story = made().say('vxlan_device_move', back).tick(1000).say('vxlan_device_move', again).tick(5000);
    story.say('vxlan_device_move', { ...back, to_netns: NAMED.netns }).tick(5000);
    expect(check(leak, [story.events]).sentences).toEqual([]);
  });

  it('knows by its socket where a device belongs that it meets in a sandbox', () => {
    const story = new OverlayStory().say('vxlan_device_move', { ...back, to_netns: 7 }).tick(5000);
    expect(check(leak, [story.events]).sentences).toEqual([]);
    const home = new OverlayStory().say('vxlan_device_move', back).tick(5000);
    expect(check(leak, [home.events]).sentences).toHaveLength(1);
  });
});
