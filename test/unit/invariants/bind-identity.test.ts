// xsk.bind-identity: the cookie story; a failed bind is explained by the earlier one it was taken for.

import { describe, expect, it } from 'vitest';
import bindIdentity from '../../../src/invariants/xsk/bind-identity.ts';
import { NO_OBJECT } from '../../../src/model/objects.ts';
import { ObjectTableInMemory } from '../batch.ts';
import { check, evidenceOf, Story } from './setup.ts';

const RX_TX = 3;
const ALL = 31;
const SHARED = 1;

const bind = (story: Story, fields: Record<string, number | bigint>) =>
  story.say('xsk_bind', {
    object: 1,
    netns: 1,
    ifindex: 4242,
    queue: 0,
    umem: 0,
    has: ALL,
    shared_fd: -1,
    ...fields,
  });
const failing = { object: 2, result: -22, netns: 8193, bind_flags: SHARED, shared_fd: 9, has: RX_TX };
const sharedWith = { shared_ifindex: 4242, shared_queue: 0, shared_netns: 1 };
const empty = () => new ObjectTableInMemory([{ type: 'umem', size: 4096, chunkSize: 4096 }]);

const SENTENCE =
  'bind of ifindex 4242 q0 in netns 8193 failed with EINVAL: umem 0 is shared, no FILL and no COMPLETION ring was set up for this device; an earlier bind used ifindex 4242 q0 in netns 1, which is another device of the same number';

describe('xsk.bind-identity', () => {
  it('is silent on binds that succeed, of devices with different numbers', () => {
    const story = bind(bind(new Story(), {}), { object: 2, ifindex: 7, netns: 8193, bind_flags: SHARED });
    expect(check(bindIdentity, [story.events], empty()).sentences).toEqual([]);
  });

  it('warns of binds that succeed on devices with the same number', () => {
    const story = bind(bind(new Story(), {}), { object: 2, netns: 8193, bind_flags: SHARED });
    const { violations } = check(bindIdentity, [story.events], empty());
    expect(violations.map(({ severity, sentence }) => `${severity}: ${sentence}`)).toEqual([
      "warning: umem 0 is bound to ifindex 4242 q0 in netns 8193 and to ifindex 4242 q0 in netns 1: two devices that only the namespace's cookie tells apart",
    ]);
  });

  it.each([
    ['no ring at all', { has: 0 }],
    ['flags that sharing excludes', { bind_flags: SHARED | 8 }],
    ['a umem of its own', { has: RX_TX | 16 }],
    ['both rings set up', { has: RX_TX | 12 }],
    ['another queue', { queue: 1 }],
    ['another error', { result: -16 }],
    ['no sharing', { bind_flags: 0, has: RX_TX }],
    ['an unknown umem', { umem: NO_OBJECT }],
  ])('is silent on a bind that failed for another reason: %s', (_why, fields) => {
    const story = bind(bind(new Story(), {}), { ...failing, ...sharedWith, ...fields });
    expect(check(bindIdentity, [story.events], empty()).sentences).toEqual([]);
  });

  it('explains the failure by the earlier bind', () => {
    const story = bind(bind(new Story(), {}), failing);
    const { violations } = check(bindIdentity, [story.events], empty());
    expect(violations.map(({ sentence }) => sentence)).toEqual([SENTENCE]);
    expect(violations[0]?.object).toBe('socket 2');
    expect(evidenceOf(violations[0])).toEqual(['0:1 xsk_bind', '0:3 xsk_bind']);
  });

  it('explains it by the socket shared with, when the earlier bind lies before the recorder or a gap', () => {
    const story = bind(bind(new Story(), {}).gap(), { ...failing, ...sharedWith });
    expect(check(bindIdentity, [story.events], empty()).sentences).toEqual([SENTENCE]);
  });

  it('explains it by a queue of the object table', () => {
    const objects = empty();
    objects.add({ type: 'queue', umem: 0, ifindex: 4242, queue: 0, netns: 1n });
    const story = bind(new Story(), { ...failing, has: RX_TX | 4 });
    expect(check(bindIdentity, [story.events], objects).sentences).toEqual([
      SENTENCE.replace('no FILL and no COMPLETION ring', 'no COMPLETION ring'),
    ]);
  });

  it('forgets a closed socket', () => {
    const story = bind(bind(new Story(), {}).say('xsk_release', { object: 1 }), failing);
    expect(check(bindIdentity, [story.events], empty()).sentences).toEqual([]);
  });
});
