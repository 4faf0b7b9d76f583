// neigh.not-reprogrammed: the claim that lost must be programmed when the winner is deleted; one address, one claim is silent.

import { describe, expect, it } from 'vitest';
import notReprogrammed from '../../../src/invariants/neigh/not-reprogrammed.ts';
import { check, evidenceOf } from './setup.ts';
import { ADD, DELETE, DEVICE, EEXIST, FIRST, MAC, OTHER_MAC, OverlayStory, SECOND } from './overlay.ts';

const IP = '10.0.0.2';

describe('neigh.not-reprogrammed', () => {
  it('is silent when an address with one claim is deleted, or nobody lost', () => {
    const story = new OverlayStory().neighbour(IP, MAC).deleteNeighbour(IP, MAC).tick(5000);
    story.neighbour(IP, MAC).asked(ADD, IP, MAC, EEXIST, SECOND).deleteNeighbour(IP, MAC).tick(5000);
    expect(check(notReprogrammed, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the claim that lost is programmed in time, or taken back', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND);
    story.deleteNeighbour(IP, MAC).tick(500).neighbour(IP, OTHER_MAC, SECOND).tick(5000);
    story.asked(ADD, IP, MAC, EEXIST).asked(DELETE, IP, MAC, 0).deleteNeighbour(IP, OTHER_MAC).tick(5000);
    expect(check(notReprogrammed, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the device goes, and with it every claim', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND);
    story.say('neigh_release', { netns: DEVICE.netns, ifindex: DEVICE.ifindex, family: 2, ip: IP, mac: MAC });
    expect(check(notReprogrammed, [story.tick(5000).events]).sentences).toEqual([]);
  });

  it('tells who deleted the winner, and whose claim was forgotten', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND);
    story.deleteNeighbour(IP, MAC, FIRST).tick(900);
    expect(check(notReprogrammed, [story.events]).sentences).toEqual([]);
    const { sentences, violations } = check(notReprogrammed, [story.tick(200).events]);
    expect(sentences).toEqual([
      `thread 101 of process 100 (netlink port 4001) deleted neighbour ${IP} on ifindex 5 (netns 4098) with ${MAC}, and ${OTHER_MAC}, which thread 102 of process 100 (netlink port 4002) had asked for, was not programmed in its place within 1 s: the peer is known and can't be reached`,
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:7 neigh_request', '0:9 neigh_update', '0:18 task_comm']);
  });

  it('tells when the request that deleted the entry meant the claim that had lost', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND);
    story.deleteNeighbour(IP, MAC, SECOND, OTHER_MAC).tick(2000);
    const { sentences } = check(notReprogrammed, [story.events]);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toContain(`and ${MAC}, which`);
  });

  it('counts a claim that was silently replaced', () => {
    const story = new OverlayStory().neighbour(IP, MAC).neighbour(IP, OTHER_MAC, SECOND, MAC);
    story.deleteNeighbour(IP, OTHER_MAC, SECOND).tick(2000);
    expect(check(notReprogrammed, [story.events]).sentences).toHaveLength(1);
  });

  it('knows nothing of what was before a gap, or before it began', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND).gap();
    story.deleteNeighbour(IP, MAC).tick(2000);
    expect(check(notReprogrammed, [story.events])).toMatchObject({ sentences: [], counts: { unknown: 1 } });
    const late = new OverlayStory().asked(ADD, IP, OTHER_MAC, EEXIST).deleteNeighbour(IP, MAC).tick(2000);
    expect(check(notReprogrammed, [late.events]).sentences).toEqual([]);
  });

  it('knows the claims that were there before', () => {
    const there = { netns: DEVICE.netns, ifindex: DEVICE.ifindex, family: 2, ip: IP, nud: 0x80, mac: MAC };
    const refused = new OverlayStory().say('neigh_exists', there);
    refused.asked(ADD, IP, OTHER_MAC, EEXIST, SECOND).deleteNeighbour(IP, MAC).tick(2000);
    expect(check(notReprogrammed, [refused.events]).sentences).toHaveLength(1);
    const replaced = new OverlayStory().neighbour(IP, OTHER_MAC, SECOND, MAC);
    replaced.deleteNeighbour(IP, OTHER_MAC, SECOND).tick(2000);
    expect(check(notReprogrammed, [replaced.events]).sentences[0]).toContain(
      `and ${MAC}, which somebody before the recording had asked for,`,
    );
    const alone = new OverlayStory().say('neigh_exists', there).deleteNeighbour(IP, MAC).tick(2000);
    expect(check(notReprogrammed, [alone.events]).sentences).toEqual([]);
  });

  it('is silent when the kernel is only asked to look after the entry', () => {
    const story = new OverlayStory().neighbour(IP, MAC).asked(ADD, IP, OTHER_MAC, EEXIST, SECOND);
    const entry = { netns: DEVICE.netns, ifindex: DEVICE.ifindex, family: 2, ip: IP, mac: MAC, ...FIRST };
    story.say('neigh_update', { ...entry, nud: 0x80, new_nud: 0, update_flags: 0x95 }).tick(2000);
    expect(check(notReprogrammed, [story.events]).sentences).toEqual([]);
  });
});
