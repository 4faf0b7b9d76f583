// sockiter.skipped: legal comings and goings are silent; a socket that was there all the time and not shown is told, with who moved it.

import { describe, expect, it } from 'vitest';
import skipped from '../../../src/invariants/sockiter/skipped.ts';
import { check, evidenceOf } from './setup.ts';
import { DISCARDED, Iteration, socket } from './sockiter-story.ts';

function threeSockets(): Iteration {
  return new Iteration().hash(1).hash(2).hash(3).after(1_000_000);
}

function sentences(story: Iteration): readonly string[] {
  return check(skipped, [story.events]).sentences;
}

describe('sockiter.skipped', () => {
  it('is silent when every socket is shown', () => {
    expect(sentences(threeSockets().read(3, 2).read(2, 1).read(1, 0).end().end().release())).toEqual([]);
  });

  it('is silent on sockets that come or go meanwhile', () => {
    const story = threeSockets().read(3, 2).hash(4).unhash(1).read(2, 0).unhash(3).end();
    expect(sentences(story)).toEqual([]);
  });

  it('is silent on sockets of another namespace, protocol or bucket to come', () => {
    const story = threeSockets()
      .hash(4, { netns: 1 })
      .hash(5, { proto: 6, tcp_state: 10 })
      .after(1_000_000)
      .read(3, 2)
      .read(2, 1)
      .read(1, 0)
      .end();
    expect(sentences(story)).toEqual([]);
  });

  it('is silent on a socket that moves to another bucket, and on an iterator closed before its end', () => {
    const moving = threeSockets().read(3, 2).unhash(2, { flags: 0x100 }).hash(2, { flags: 0x100 });
    expect(sentences(moving.read(1, 0).end())).toEqual([]);
    expect(sentences(threeSockets().read(3, 2).release())).toEqual([]);
    expect(sentences(threeSockets().start().stop(3))).toEqual([]);
  });

  it('tells the socket that moved into the place of the one before, and who closed that', () => {
    const story = threeSockets().read(3, 2).on(1).unhash(3).on(0).read(1, 0).end();
    const { violations } = check(skipped, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'UDP iterator 6 (netns 8196) was read to its end by thread 10 of process 10 and never showed the UDP socket of port 4791 (cookie 4102, netns 8196), which was there before the first read and still is: it was to be next, at position 2, when a read ended; then thread 11 of process 10 removed the UDP socket of port 4791 (cookie 4103, netns 8196), which had been shown, and those behind it moved up',
    ]);
    expect(violations[0]?.object).toBe(
      'UDP iterator 6 (netns 8196), UDP socket of port 4791 (cookie 4102, netns 8196)',
    );
    expect(evidenceOf(violations[0])).toEqual([
      '0:2 sockiter_hash',
      '0:4 sockiter_start',
      '0:8 sockiter_stop',
      '1:1 sockiter_unhash',
      expect.stringMatching(/ sockiter_end$/),
    ]);
  });

  it('tells two that moved up at once, and an iterator only once', () => {
    const story = new Iteration().hash(1).hash(2).hash(3).hash(4).after(1_000_000);
    story.read(4, 3).read(3, 2).unhash(4).unhash(3).start().end().start().end();
    const told = sentences(story);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain('cookie 4101');
    expect(told[0]).toContain('between two reads thread 11 of process 10 removed');
    expect(told[1]).toContain('cookie 4102');
    expect(told[1]).toContain('it was to be next');
  });

  it('says so when nothing explains it', () => {
    expect(sentences(threeSockets().start().show(3).show(1).end())[0]).toMatch(/: no read ended at it$/);
    expect(sentences(threeSockets().read(3, 2).read(1, 0).end())[0]).toMatch(
      /and the following read passed it over$/,
    );
  });

  it('does not take a discarded show for one', () => {
    const story = threeSockets().read(3, 2).start().show(2, { flags: DISCARDED }).stop(2).read(1, 0).end();
    expect(sentences(story)).toHaveLength(1);
    expect(
      sentences(
        threeSockets().start().show(3).show(2, { flags: DISCARDED }).stop(2).start().show(2).show(1).end(),
      ),
    ).toEqual([]);
  });

  it('knows sockets from before the recorder by their cookies', () => {
    const shown = new Iteration().exists(1).exists(2).exists(2).after(1_000_000).read(2, 1).read(1, 0).end();
    expect(sentences(shown)).toEqual([]);
    const gone = new Iteration().unhash(1).exists(1).exists(2).after(1_000_000).read(2, 0).end();
    expect(sentences(gone)).toEqual([]);
    const missing = new Iteration().exists(1).exists(2).after(1_000_000).read(2, 0).unhash(2).end();
    expect(sentences(missing)).toEqual([
      expect.stringContaining('never showed the UDP socket of port 4791 (cookie 4101'),
    ]);
  });

  it('does not take one socket for two when its cookie comes late', () => {
    const dumped = new Iteration().hash(1, { cookie: 0 }).exists(1).after(1_000_000).read(1, 0).end();
    expect(sentences(dumped)).toEqual([]);
    const asked = new Iteration().hash(1, { cookie: 0 }).after(1_000_000).start().show(1).end();
    expect(sentences(asked.exists(1).hash(2, { cookie: 0 }))).toEqual([]);
    const { counts } = check(skipped, [new Iteration().exists(1, { cookie: 0 }).events]);
    expect(counts.unplaced).toBe(1);
  });

  it('gives no judgement where it began in mid-life or has a gap', () => {
    const late = new Iteration();
    late.position = 2;
    expect(sentences(late.hash(1).hash(2).after(1_000_000).read(2, 1).end())).toEqual([]);
    const story = threeSockets().read(3, 2).gap().unhash(3).read(1, 0).end();
    const { sentences: told, counts } = check(skipped, [story.events]);
    expect(told).toEqual([]);
    expect(counts.unknown).toBe(4);
  });

  it('gives no judgement of a socket that came as near to the start as clocks can tell', () => {
    expect(sentences(new Iteration().hash(1).after(20).start().end())).toEqual([]);
  });

  it('takes the address of a closed socket for that of the next one there', () => {
    const story = threeSockets()
      .unhash(2)
      .hash(4, { socket: socket(2)['socket'] ?? 0 })
      .after(1_000_000);
    story
      .start()
      .show(3)
      .show(1)
      .show(4, { socket: socket(2)['socket'] ?? 0 })
      .end();
    expect(sentences(story)).toEqual([]);
  });
});
