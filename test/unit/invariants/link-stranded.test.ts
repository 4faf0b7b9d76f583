// link.stranded: what is taken back, deleted or configured after all is silent; what is left in a sandbox is told when the limit has passed.

import { describe, expect, it } from 'vitest';
import stranded from '../../../src/invariants/link/stranded.ts';
import { ENGINE, INNER, IP, Sandbox } from './link-setup.ts';
import { check, evidenceOf } from './setup.ts';

const ENETUNREACH = -101;
const EBUSY = -16;
const EEXIST = -17;
const NEWADDR = 20;
const DELADDR = 21;
const LATE = 11e9;
const GATEWAY = { gateway: '172.99.0.1', family: 2 };

function failed(): Sandbox {
  return new Sandbox()
    .create()
    .enter()
    .assign(IP)
    .up()
    .route({ ...GATEWAY, result: ENETUNREACH });
}

describe('link.stranded', () => {
  it('is silent when it is taken back, deleted, or configured after all', () => {
    expect(check(stranded, [failed().leave().tick(LATE).events]).sentences).toEqual([]);
    const deleted = failed()
      .say('link_unregister', { ...INNER, name: 'eth0' })
      .tick(LATE);
    expect(check(stranded, [deleted.events]).sentences).toEqual([]);
    expect(
      check(stranded, [
        failed()
          .route({ ...GATEWAY })
          .tick(LATE).events,
      ]).sentences,
    ).toEqual([]);
    expect(check(stranded, [failed().advertise().tick(LATE).events]).sentences).toEqual([]);
  });

  it('is silent about what was never moved, what failed to be deleted, and what was already so', () => {
    const own = new Sandbox().create().refuse({ request: NEWADDR, result: EBUSY }).tick(LATE);
    expect(check(stranded, [own.events]).sentences).toEqual([]);
    const story = new Sandbox().create().enter().refuse({ request: DELADDR, result: EBUSY });
    story.refuse({ request: NEWADDR, result: EEXIST }).route({ ...GATEWAY, result: EEXIST });
    story.route({ destination: IP, family: 2, result: ENETUNREACH }).tick(LATE);
    expect(check(stranded, [story.events]).sentences).toEqual([]);
  });

  it('tells where it came from, what failed, and that nobody took it back', () => {
    const { violations } = check(stranded, [failed().tick(LATE).tick(LATE).events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'eth0 (ifindex 3, netns 4099) is stranded: thread 101 of process 100 moved it out of netns 4098, a route via 172.99.0.1 was refused with ENETUNREACH (101) to thread 201 of process 200, and 11.0 s later it was not moved back to netns 4098 as vethb, nor deleted',
    ]);
    expect(evidenceOf(violations[0]).map((text) => text.split(' ')[1])).toEqual([
      'link_move_done',
      'link_route_add',
      'link_up',
    ]);
  });

  it('tells of an interface that was renamed back but not moved, or moved but not renamed', () => {
    const renamed = failed().rename('eth0', 'vethb').tick(LATE);
    expect(check(stranded, [renamed.events]).sentences[0]).toContain(
      'vethb (ifindex 3, netns 4099) is stranded',
    );
    const moved = failed().leave('eth0').tick(LATE);
    expect(check(stranded, [moved.events]).sentences[0]).toMatch(
      /it is back in its namespace, but not as vethb$/,
    );
    const both = failed()
      .leave('eth0')
      .say('link_rename', {
        ...ENGINE,
        netns: 4098,
        ifindex: 3,
        name: 'eth0',
        new_name: 'vethb',
      });
    expect(check(stranded, [both.tick(LATE).events]).sentences).toEqual([]);
  });

  it('tells of refused renames, addresses and moves', () => {
    const rename = new Sandbox().create().enter().rename('eth0', 'eth1', { result: EBUSY }).tick(LATE);
    expect(check(stranded, [rename.events]).sentences[0]).toContain(
      'renaming it to eth1 was refused with EBUSY',
    );
    const address = new Sandbox().create().enter().refuse({ request: NEWADDR, result: -22 }).tick(LATE);
    expect(check(stranded, [address.events]).sentences[0]).toContain(
      'an address for it was refused with EINVAL',
    );
    const move = new Sandbox().create().enter();
    move.say('link_move_done', {
      ...ENGINE,
      ...INNER,
      old_netns: 4099,
      old_ifindex: 3,
      name: 'eth0',
      result: EBUSY,
    });
    expect(check(stranded, [move.tick(LATE).events]).sentences[0]).toContain(
      'moving it was refused with EBUSY',
    );
  });

  it('forgets at a gap', () => {
    const { sentences, counts } = check(stranded, [failed().gap().tick(LATE).events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('is silent on what fails long after it was configured, what nobody may do, and a move to where it is', () => {
    const late = new Sandbox().create().enter().assign(IP).up().tick(LATE);
    late.refuse({ request: NEWADDR, result: -22 }).tick(LATE);
    expect(check(stranded, [late.events]).sentences).toEqual([]);
    const forbidden = new Sandbox().create().enter().assign(IP).up();
    forbidden.refuse({ request: 19, result: -1 }).tick(LATE);
    expect(check(stranded, [forbidden.events]).sentences).toEqual([]);
    const still = new Sandbox().say('link_move_done', {
      ...ENGINE,
      ...INNER,
      old_netns: 4099,
      old_ifindex: 3,
    });
    still.refuse({ request: NEWADDR, result: -22 }).tick(LATE);
    expect(check(stranded, [still.events]).sentences).toEqual([]);
  });

  it('tells of a move back that is refused long after', () => {
    const story = new Sandbox().create().enter().assign(IP).up().tick(LATE);
    const back = { ...ENGINE, ...INNER, old_netns: 4099, old_ifindex: 3, name: 'eth0' };
    story.say('link_move_done', { ...back, result: EBUSY }).tick(LATE);
    expect(check(stranded, [story.events]).sentences).toHaveLength(1);
  });
});
