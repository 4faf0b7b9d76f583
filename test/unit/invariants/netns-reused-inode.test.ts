// Inode numbers of namespaces that were given out twice.

import { describe, expect, it } from 'vitest';
import reusedInode from '../../../src/invariants/netns/reused-inode.ts';
import { check, evidenceOf, Story } from './setup.ts';

const NUMBER = 4_026_532_300;
const MAKER = { tid: 201, pid: 200 };

describe('netns.reused-inode', () => {
  it('is silent on namespaces with numbers of their own', () => {
    const { events } = new Story()
      .say('netns_exists', { netns: 1, inum: 4_026_531_840 })
      .say('netns_create', { netns: 9, inum: NUMBER })
      .say('netns_exists', { netns: 9, inum: NUMBER })
      .say('netns_destroy', { netns: 9, inum: NUMBER })
      .say('netns_create', { netns: 10, inum: NUMBER + 1 });
    expect(check(reusedInode, [events]).sentences).toEqual([]);
  });

  it('warns when a number comes back, once for each number', () => {
    const story = new Story()
      .say('netns_create', { netns: 9, inum: NUMBER })
      .say('netns_destroy', { netns: 9, inum: NUMBER })
      .say('netns_create', { netns: 10, inum: NUMBER, ...MAKER });
    story.say('netns_destroy', { netns: 10, inum: NUMBER }).say('netns_create', { netns: 11, inum: NUMBER });
    const { violations } = check(reusedInode, [story.events]);
    expect(violations.map(({ severity, sentence }) => [severity, sentence])).toEqual([
      [
        'warning',
        `netns 10, made by thread 201 of process 200, has inode number ${NUMBER}, which was that of netns 9: whatever is kept by this number takes one for the other, only the cookie differs`,
      ],
    ]);
    expect(violations[0]?.object).toBe('netns 10');
    expect(evidenceOf(violations[0])).toEqual(['0:2 netns_destroy', '0:3 netns_create']);
  });

  it('knows namespaces that were there before, or whose end alone was seen, and keeps them through a gap', () => {
    const before = new Story().say('netns_exists', { netns: 9, inum: NUMBER }).gap();
    before.say('netns_create', { netns: 10, inum: NUMBER });
    const deleted = new Story().say('netns_destroy', { netns: 9, inum: NUMBER });
    deleted.say('netns_create', { netns: 10, inum: NUMBER });
    for (const { events } of [before, deleted])
      expect(check(reusedInode, [events]).sentences).toHaveLength(1);
  });
});
