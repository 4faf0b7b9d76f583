// fdb.orphaned-neighbour: a forwarding entry goes with the last neighbour behind its MAC, and not before.

import { describe, expect, it } from 'vitest';
import orphaned from '../../../src/invariants/fdb/orphaned-neighbour.ts';
import { check, evidenceOf } from './setup.ts';
import { APPEND, DEVICE, MAC, NAMED, OTHER_VTEP, OverlayStory, SECOND, VTEP } from './overlay.ts';

const ONE = '10.0.0.2';
const OTHER = '10.0.0.3';

function twoBehindOneMac(): OverlayStory {
  return new OverlayStory().forward(MAC, VTEP).neighbour(ONE, MAC).neighbour(OTHER, MAC);
}

describe('fdb.orphaned-neighbour', () => {
  it('is silent when neighbours go first, or soon after', () => {
    const story = twoBehindOneMac().deleteNeighbour(ONE, MAC).deleteNeighbour(OTHER, MAC);
    story.deleteForward(MAC, VTEP).tick(5000);
    story.forward(MAC, VTEP).neighbour(ONE, MAC).deleteForward(MAC, VTEP).tick(500);
    story.deleteNeighbour(ONE, MAC).tick(5000);
    expect(check(orphaned, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the entry comes back in time, and when it still has another remote', () => {
    const story = twoBehindOneMac().deleteForward(MAC, VTEP).forward(MAC, OTHER_VTEP).tick(5000);
    story.forward(MAC, VTEP, SECOND, APPEND).deleteForward(MAC, OTHER_VTEP).tick(5000);
    expect(check(orphaned, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the kernel deletes: with the device, or because the entry is old', () => {
    const story = twoBehindOneMac().deleteForward(MAC, VTEP, { portid: 0 }).tick(5000);
    story.forward(MAC, VTEP).deleteForward(MAC, VTEP).say('vxlan_device_delete', NAMED).tick(5000);
    expect(check(orphaned, [story.events]).sentences).toEqual([]);
  });

  it('is silent on neighbours of another namespace, and on those that were learned', () => {
    const story = new OverlayStory().forward(MAC, VTEP);
    story.say('neigh_exists', { ...DEVICE, netns: 1, ip: ONE, mac: MAC, nud: 0x80 });
    story.say('neigh_update_done', { ...DEVICE, ip: OTHER, mac: MAC, nud: 2 });
    expect(check(orphaned, [story.deleteForward(MAC, VTEP).tick(5000).events]).sentences).toEqual([]);
  });

  it('tells who deleted the entry, from which device, and which neighbour is left', () => {
    const story = twoBehindOneMac().deleteForward(MAC, VTEP, SECOND).deleteNeighbour(ONE, MAC, SECOND);
    const { sentences, violations } = check(orphaned, [story.tick(2500).events]);
    expect(sentences).toEqual([
      `thread 102 of process 100 (netlink port 4002) deleted the entry of ${MAC} behind ${VTEP} from vx0 (ifindex 5 in netns 4098, VNI 42), but neighbour ${OTHER} on ifindex 5 still resolves to it 2 s later: packets for it have nowhere to go`,
    ]);
    expect(violations[0]?.object).toBe(`fdb ${MAC} on ifindex 5 (netns 4098)`);
    expect(evidenceOf(violations[0]).map((one) => one.split(' ')[1])).toEqual([
      'neigh_update_done',
      'vxlan_fdb_delete',
      'task_comm',
    ]);
  });

  it('knows what was there at the start', () => {
    const story = new OverlayStory();
    story.say('vxlan_fdb_exists', { ...DEVICE, mac: MAC, remote: VTEP, fdb_state: 0xc0 });
    story.say('neigh_exists', { ...DEVICE, ip: ONE, mac: MAC, nud: 0x80 });
    story.say('neigh_exists', { ...DEVICE, ifindex: 6, ip: OTHER, mac: MAC, nud: 0x80 });
    const { sentences } = check(orphaned, [story.deleteForward(MAC, VTEP).tick(2500).events]);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain(`${ONE} on ifindex 5, ${OTHER} on ifindex 6 still resolve to it`);
  });

  it('forgets at a gap', () => {
    const story = twoBehindOneMac().deleteForward(MAC, VTEP).gap().tick(2500);
    expect(check(orphaned, [story.events]).sentences).toEqual([]);
    expect(check(orphaned, [twoBehindOneMac().gap().events]).counts.unknown).toBe(4);
  });

  it('is silent when the neighbours may be reached by another device of the namespace', () => {
    const bridge = { netns: DEVICE.netns, ifindex: 9, family: 2, ip: ONE, mac: MAC, nud: 0x80 };
    const elsewhere = { ...NAMED, ifindex: 6, vni: 43, mac: MAC, remote: VTEP };
    const story = new OverlayStory().say('neigh_exists', bridge).forward(MAC, VTEP);
    story.say('vxlan_fdb_update', elsewhere).deleteForward(MAC, VTEP).tick(2500);
    expect(check(orphaned, [story.events]).sentences).toEqual([]);
    const last = story.say('vxlan_fdb_delete', { ...elsewhere, ...SECOND }).tick(2500);
    expect(check(orphaned, [last.events]).sentences).toHaveLength(1);
    const own = twoBehindOneMac().say('vxlan_fdb_update', elsewhere).deleteForward(MAC, VTEP).tick(2500);
    expect(check(orphaned, [own.events]).sentences).toHaveLength(1);
  });

  it('says where the packets go if the device has a default entry', () => {
    const story = new OverlayStory().forward('00:00:00:00:00:00', OTHER_VTEP).forward(MAC, VTEP);
    story.neighbour(ONE, MAC).deleteForward(MAC, VTEP).tick(2500);
    expect(check(orphaned, [story.events]).sentences[0]).toMatch(/packets for it go to all default remotes$/);
  });
});
