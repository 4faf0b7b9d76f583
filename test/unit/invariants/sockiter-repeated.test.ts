// sockiter.repeated: one walk over each socket is silent, whatever comes and goes; a second show is told, with who moved it down.

import { describe, expect, it } from 'vitest';
import repeated from '../../../src/invariants/sockiter/repeated.ts';
import { check, evidenceOf } from './setup.ts';
import { DISCARDED, FIRST, Iteration } from './sockiter-story.ts';

function sentences(story: Iteration): readonly string[] {
  return check(repeated, [story.events]).sentences;
}

describe('sockiter.repeated', () => {
  it('is silent on a walk during which sockets come and go', () => {
    const story = new Iteration().hash(1).hash(2).read(2, 1).hash(3).unhash(2).read(1, 0).end().release();
    expect(sentences(story)).toEqual([]);
  });

  it('is silent when two iterators show one socket, or one begins anew', () => {
    const story = new Iteration().hash(1).start().show(1).end();
    story.iterator = { ...story.iterator, iterator: 7 };
    story.start(FIRST).show(1).end();
    story.start(FIRST).show(1).end();
    expect(sentences(story)).toEqual([]);
  });

  it('is silent when the address is that of another socket, or the socket moved', () => {
    expect(sentences(new Iteration().start().show(1).unhash(1).show(1).end())).toEqual([]);
    expect(sentences(new Iteration().start().show(1).hash(1).show(1).end())).toEqual([]);
  });

  it('is silent when a show was discarded for want of room', () => {
    const story = new Iteration().start().show(1).show(2, { flags: DISCARDED }).stop(2).start().show(2).end();
    expect(sentences(story)).toEqual([]);
  });

  it('tells the socket, both positions, and who inserted another in front', () => {
    const story = new Iteration().hash(1).hash(2).read(2, 1).on(1).hash(9, { port: 5 }).hash(3).on(0);
    const { violations } = check(repeated, [story.read(2, 1).read(1, 0).end().events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'UDP iterator 6 (netns 8196), read by thread 10 of process 10, showed the UDP socket of port 4791 (cookie 4102, netns 8196) twice, at position 1 and at position 2: between two reads thread 11 of process 10 inserted the UDP socket of port 4791 (cookie 4103, netns 8196), which moved it down',
    ]);
    expect(evidenceOf(violations[0])).toEqual([
      '0:5 sockiter_show',
      '1:2 sockiter_hash',
      '0:11 sockiter_show',
    ]);
  });

  it('tells of an insertion of another port, and when there was none', () => {
    const other = new Iteration().hash(2).read(2, 1).hash(9, { port: 5 }).read(2, 1);
    expect(sentences(other)[0]).toContain('inserted the UDP socket of port 5 (cookie 4109');
    expect(sentences(new Iteration().hash(2).read(2, 1).read(2, 1))[0]).toContain('no insertion was seen');
    const elsewhere = new Iteration()
      .hash(2)
      .read(2, 1)
      .hash(9, { netns: 1 })
      .hash(8, { proto: 6 })
      .read(2, 1);
    expect(sentences(elsewhere)[0]).toContain('no insertion was seen');
  });

  it('judges an iterator met in mid-life by what it shows from there on, and forgets at a gap', () => {
    const late = new Iteration();
    late.position = 5;
    expect(sentences(late.read(1, 2).hash(3).read(1, 2))).toHaveLength(1);
    const { sentences: told, counts } = check(repeated, [new Iteration().read(1, 2).gap().read(1, 2).events]);
    expect(told).toEqual([]);
    expect(counts.unknown).toBe(1);
  });
});
