// fdb.flap: a MAC that moves now and then is silent; one that goes to and fro is warned of once.

import { describe, expect, it } from 'vitest';
import flap from '../../../src/invariants/fdb/flap.ts';
import { check } from './setup.ts';
import { MAC, NAMED, OTHER_VTEP, OverlayStory, SECOND, VTEP } from './overlay.ts';

function moves(story: OverlayStory, times: number, ms: number): OverlayStory {
  for (let i = 0; i < times; i++) story.after(ms * 1e6).learn(MAC, i % 2 ? VTEP : OTHER_VTEP);
  return story;
}

describe('fdb.flap', () => {
  it('is silent on five moves, on slow ones, and on an entry that is refreshed', () => {
    expect(check(flap, [moves(new OverlayStory().learn(MAC, VTEP), 5, 10).events]).sentences).toEqual([]);
    expect(check(flap, [moves(new OverlayStory().learn(MAC, VTEP), 30, 2500).events]).sentences).toEqual([]);
    const same = new OverlayStory();
    for (let i = 0; i < 50; i++) same.forward(MAC, VTEP);
    expect(check(flap, [same.events]).sentences).toEqual([]);
  });

  it('warns of the sixth move, also when the entry is deleted in between', () => {
    const { sentences, violations } = check(flap, [moves(new OverlayStory().learn(MAC, VTEP), 6, 10).events]);
    expect(sentences).toEqual([
      `${MAC} on vx0 (ifindex 5 in netns 4098, VNI 42) moved 6 times in 10 s, last to ${VTEP} as packets came from there: ${OTHER_VTEP} and ${VTEP} claim it`,
    ]);
    expect(violations[0]).toMatchObject({ severity: 'warning' });
    expect(violations[0]?.evidence).toHaveLength(6);
    const story = new OverlayStory();
    for (let i = 0; i < 7; i++) {
      const remote = i % 2 ? VTEP : OTHER_VTEP;
      story.forward(MAC, remote, SECOND).deleteForward(MAC, remote, SECOND);
    }
    expect(check(flap, [story.events]).sentences[0]).toContain('by thread 102 of process 100');
  });

  it('forgets a device that is deleted, and everything at a gap', () => {
    const gone = moves(new OverlayStory().learn(MAC, VTEP), 4, 10).say('vxlan_device_delete', NAMED);
    expect(check(flap, [moves(gone, 5, 10).events]).sentences).toEqual([]);
    const gap = moves(new OverlayStory().learn(MAC, VTEP), 4, 10).gap();
    expect(check(flap, [moves(gap, 5, 10).events])).toMatchObject({ sentences: [], counts: { unknown: 1 } });
  });

  it('keeps the VNIs of one device apart', () => {
    const story = new OverlayStory();
    for (let i = 0; i < 9; i++) {
      const [vni, remote] = i % 2 ? [42, VTEP] : [43, OTHER_VTEP];
      story.say('vxlan_fdb_update', { ...NAMED, vni, mac: MAC, remote, fdb_state: 2 });
    }
    expect(check(flap, [story.events]).sentences).toEqual([]);
  });
});
