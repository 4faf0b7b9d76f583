// link.rename-while-up: what is down or has no addresses may be renamed and moved; what is up with addresses may not.

import { describe, expect, it } from 'vitest';
import renameWhileUp from '../../../src/invariants/link/rename-while-up.ts';
import { BOX, ENGINE, HOST, INNER, IP, IP6, Sandbox, UP } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

const MOVE = { ...ENGINE, ...INNER, name: 'eth0', new_netns: HOST, device_flags: UP };

/** A move from the sandbox to the host, or what comes of it. */
function move(story: Sandbox, fields: Readonly<Record<string, number>> = {}): Sandbox {
  const done = { ...ENGINE, ...INNER, netns: HOST, old_netns: BOX, old_ifindex: INNER.ifindex };
  return story.say('link_move', { ...MOVE, ...fields }).say('link_move_done', { ...done, ...fields });
}

describe('link.rename-while-up', () => {
  it('is silent in the order of an engine', () => {
    const story = new Sandbox().create().enter().assign(IP).assign(IP6).up().leave();
    expect(check(renameWhileUp, [story.events]).sentences).toEqual([]);
  });

  it('is silent about an interface that is up without addresses of its own', () => {
    const story = new Sandbox().create().enter().up().assign('fe80:0:0:0:f3:ff:fe00:1');
    story.rename('eth0', 'eth1', { device_flags: UP }).assign(IP).lose(IP, 1);
    move(story);
    expect(check(renameWhileUp, [story.events]).sentences).toEqual([]);
  });

  it('tells of a rename, done or refused', () => {
    const story = new Sandbox().enter().assign(IP).assign(IP6).up();
    story
      .rename('eth0', 'eth1', { device_flags: UP, result: -16 })
      .rename('eth0', 'eth1', { device_flags: UP });
    const { violations } = check(renameWhileUp, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'thread 101 of process 100 wanted to rename eth0 (ifindex 3, netns 4099) to eth1 (refused with EBUSY (16)) while it was up with 172.31.0.2, fd31::2',
      'thread 101 of process 100 renamed eth0 (ifindex 3, netns 4099) to eth1 while it was up with 172.31.0.2, fd31::2',
    ]);
    expect(evidenceOf(violations[0]).map((text) => text.split(' ')[1])).toEqual([
      'link_address_add',
      'link_address_add',
      'link_rename',
    ]);
  });

  it('tells of a move, and counts the addresses it does not list', () => {
    const story = new Sandbox().enter();
    for (let i = 1; i <= 6; i++) story.assign(`172.31.0.${i}`);
    move(story);
    expect(check(renameWhileUp, [story.events]).sentences).toEqual([
      `thread 101 of process 100 moved eth0 (ifindex 3, netns ${BOX}) into netns ${HOST} while it was up with 172.31.0.1, 172.31.0.2, 172.31.0.3, 172.31.0.4 and 2 more: it was taken down and lost them and its routes`,
    ]);
  });

  it('says of a refused move that it was refused, and is silent about one into the same namespace', () => {
    const story = new Sandbox().enter().assign(IP);
    move(story, { new_netns: BOX, netns: BOX });
    move(story, { netns: BOX, result: -22 });
    expect(check(renameWhileUp, [story.events]).sentences).toEqual([
      `thread 101 of process 100 wanted to move eth0 (ifindex 3, netns ${BOX}) into netns ${HOST} (refused with EINVAL (22)) while it was up with 172.31.0.2`,
    ]);
  });

  it('knows addresses that were there before', () => {
    const story = new Sandbox().say('link_exists', { ...INNER, name: 'eth0', device_flags: UP });
    story.say('link_address_exists', { ...INNER, ip: IP, prefix: 24, family: 2 });
    move(story);
    expect(check(renameWhileUp, [story.events]).sentences).toHaveLength(1);
  });

  it('forgets at a gap', () => {
    const story = move(new Sandbox().enter().assign(IP).up().gap());
    const { sentences, counts } = check(renameWhileUp, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });
});
