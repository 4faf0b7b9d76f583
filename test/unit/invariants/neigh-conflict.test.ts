// neigh.conflict: learning, repeating and replacing after deletion are silent; a second MAC is told with who and what became of it.

import { describe, expect, it } from 'vitest';
import conflict from '../../../src/invariants/neigh/conflict.ts';
import { check, evidenceOf, Story } from './setup.ts';

const A = '02:00:00:00:00:0a';
const B = '02:00:00:00:00:0b';
const ADMIN = 0x8000_0000;
const PERMANENT = 0x80;
const STALE = 0x04;
const FAILED = 0x20;
const NOARP = 0x40;
const ENTRY = { netns: 1, ifindex: 3, family: 2, ip: '10.0.0.2' };
const FIRST = { tid: 101, pid: 100, portid: 4001 };
const SECOND = { tid: 201, pid: 200, portid: 4002 };

interface Change {
  readonly nud?: number;
  readonly mac?: string;
  readonly to?: string;
  readonly after?: string;
  readonly who?: Readonly<Record<string, number>>;
  readonly newNud?: number;
  readonly flags?: number;
  readonly result?: number;
  readonly entry?: Readonly<Record<string, number | string>>;
}

/** One neigh_update and its neigh_update_done. */
function update(story: Story, change: Change): Story {
  const {
    nud = 0,
    mac = '00:00:00:00:00:00',
    to,
    who = FIRST,
    newNud = PERMANENT,
    flags = ADMIN,
    result = 0,
  } = change;
  const entry = { ...ENTRY, ...change.entry };
  return story
    .say('neigh_update', {
      ...entry,
      ...who,
      nud,
      new_nud: newNud,
      mac,
      update_flags: flags,
      ...(to ? { new_mac: to, has_new_mac: 1 } : {}),
    })
    .say('neigh_update_done', {
      ...entry,
      tid: who['tid'] ?? 0,
      nud: newNud,
      mac: change.after ?? to ?? mac,
      result,
    });
}

describe('neigh.conflict', () => {
  it('is silent on programming, repeating, deleting and programming anew', () => {
    const story = update(new Story(), { to: A });
    update(story, { nud: PERMANENT, mac: A, to: A, who: SECOND });
    update(story, { nud: PERMANENT, mac: A, newNud: FAILED });
    update(story, { nud: FAILED, mac: A, to: B, who: SECOND });
    story.say('neigh_release', { ...ENTRY, nud: PERMANENT, mac: B });
    update(story, { to: A });
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('is silent on what the kernel learns', () => {
    const learned = { portid: 0, tid: 0, pid: 0 };
    const story = update(new Story(), { to: A, who: learned, flags: 1, newNud: STALE });
    update(story, { nud: STALE, mac: A, to: B, who: learned, flags: 1, newNud: STALE });
    expect(check(conflict, [story.events]).sentences).toEqual([]);
  });

  it('tells who replaced whose MAC', () => {
    const story = update(new Story(), { to: A });
    update(story.on(1), { nud: PERMANENT, mac: A, to: B, who: SECOND });
    const { violations } = check(conflict, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      `thread 201 of process 200 (netlink port 4002) programmed neighbour 10.0.0.2 on ifindex 3 (netns 1) with ${B}, but it has ${A} from thread 101 of process 100 (netlink port 4001), which was silently replaced`,
    ]);
    expect(violations[0]?.object).toBe('neighbour 10.0.0.2 on ifindex 3 (netns 1)');
    expect(evidenceOf(violations[0])).toEqual([
      '0:1 neigh_update',
      '1:1 neigh_update',
      '1:3 neigh_update_done',
    ]);
  });

  it('names what was there before, and takes nothing the kernel made by itself for it', () => {
    const story = new Story().say('neigh_exists', { ...ENTRY, nud: PERMANENT, mac: A });
    story.say('neigh_exists', { ...ENTRY, ip: '224.0.0.22', nud: NOARP, mac: A });
    update(story, { nud: PERMANENT, mac: A, to: B, who: SECOND });
    update(story, { nud: NOARP, mac: A, to: B, who: SECOND, entry: { ip: '224.0.0.22' } });
    const { sentences, violations } = check(conflict, [story.events]);
    expect(sentences).toEqual([
      `thread 201 of process 200 (netlink port 4002) programmed neighbour 10.0.0.2 on ifindex 3 (netns 1) with ${B}, but it has ${A} from before recording, which was silently replaced`,
    ]);
    expect(evidenceOf(violations[0])).toEqual([
      '0:1 neigh_exists',
      '0:5 neigh_update',
      '0:7 neigh_update_done',
    ]);
  });

  it('tells of a request that was refused or left without effect', () => {
    const story = update(new Story(), { nud: PERMANENT, mac: A, to: B, after: A, who: SECOND, result: -1 });
    update(story, { nud: PERMANENT, mac: A, to: B, after: A, who: SECOND });
    expect(check(conflict, [story.events]).sentences).toEqual([
      `thread 201 of process 200 (netlink port 4002) programmed neighbour 10.0.0.2 on ifindex 3 (netns 1) with ${B}, but it has ${A}, which stays (refused with errno 1)`,
      `thread 201 of process 200 (netlink port 4002) programmed neighbour 10.0.0.2 on ifindex 3 (netns 1) with ${B}, but it has ${A}, which stays`,
    ]);
  });

  it('keeps the same address in other namespaces and on other devices apart, and forgets at a gap', () => {
    const story = update(new Story(), { to: A });
    update(story, { to: B, entry: { netns: 8193 } });
    update(story, { to: B, entry: { ifindex: 4 } });
    story
      .say('neigh_update', { ...ENTRY, ...SECOND, nud: PERMANENT, mac: A, new_mac: B, has_new_mac: 1 })
      .gap();
    story.say('neigh_update_done', { ...ENTRY, mac: B });
    const { sentences, counts } = check(conflict, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(3);
  });

  it('tells of an add that is refused because the address has another MAC, learned, programmed or there before', () => {
    const refused = { ...ENTRY, ...SECOND, operation: 28, new_mac: B, has_new_mac: 1, result: -17 };
    const story = update(new Story(), { to: A });
    story.say('neigh_request', { ...refused, new_mac: A }).say('neigh_request', refused);
    expect(check(conflict, [story.events]).sentences).toEqual([
      `thread 201 of process 200 (netlink port 4002) wanted to add neighbour 10.0.0.2 on ifindex 3 (netns 1) with ${B}, but it has ${A} from thread 101 of process 100 (netlink port 4001), which stays (the kernel refuses it with EEXIST)`,
    ]);
    const learned = update(new Story(), { to: A, who: { portid: 0 }, flags: 1, newNud: STALE });
    const before = new Story().say('neigh_exists', { ...ENTRY, nud: PERMANENT, mac: A });
    for (const [one, from] of [
      [learned, ''],
      [before, ' from before recording'],
    ] as const)
      expect(check(conflict, [one.say('neigh_request', refused).events]).sentences[0]).toContain(
        `with ${B}, but it has ${A}${from}, which stays`,
      );
    expect(check(conflict, [new Story().say('neigh_request', refused).events]).sentences).toEqual([]);
  });

  it('is silent when the first MAC is not valid any more, whoever gave it', () => {
    const refused = { ...ENTRY, ...SECOND, operation: 28, result: -17, new_mac: B, has_new_mac: 1 };
    const timed = update(new Story(), { to: A, newNud: 0x02 });
    timed.say('neigh_timer', { ...ENTRY, nud: FAILED }).say('neigh_request', refused);
    expect(check(conflict, [timed.events]).sentences).toEqual([]);
    const failed = update(new Story(), { to: A });
    update(failed, { nud: PERMANENT, mac: A, to: A, newNud: FAILED }).say('neigh_request', refused);
    expect(check(conflict, [failed.events]).sentences).toEqual([]);
  });

  it('knows a request without a netlink port by its flag, as it was before Linux 5.16 and as it is since', () => {
    for (const flags of [0x8000_0001, 0x81]) {
      const who = { tid: 201, pid: 200, portid: 0 };
      const story = update(new Story(), { to: A });
      update(story, { nud: PERMANENT, mac: A, to: B, who, flags });
      expect(check(conflict, [story.events]).sentences).toHaveLength(1);
    }
  });
});
