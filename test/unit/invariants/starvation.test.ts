// xsk.starvation: short bursts of drops are silent, a queue that gets nothing for longer than 100 ms is told once.

import { describe, expect, it } from 'vitest';
import starvation from '../../../src/invariants/xsk/starvation.ts';
import { check, evidenceOf, NOBODY, OUTER_0, OUTER_1, SOCKET_OUTER_0, Story } from './setup.ts';

const RX_FULL = 1;
const FILL_EMPTY = 2;
const FILL_INVALID = 3;

function dropFor(story: Story, reason: number, drops: number): Story {
  for (let i = 0; i < drops; i++) story.after(10_000_000).drop(OUTER_0, reason);
  return story;
}

describe('xsk.starvation', () => {
  it('is silent on a burst that ends in time, and begins anew after a receive', () => {
    const story = dropFor(new Story(), FILL_EMPTY, 11).write(SOCKET_OUTER_0, 0, 0x1100);
    expect(check(starvation, [dropFor(story, RX_FULL, 11).events]).sentences).toEqual([]);
  });

  it('is silent after a gap until it has seen 100 ms again', () => {
    const story = dropFor(new Story(), FILL_EMPTY, 11).gap();
    const { sentences, counts } = check(starvation, [dropFor(story, FILL_EMPTY, 11).events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('is silent on entries the kernel skips as invalid', () => {
    expect(check(starvation, [dropFor(new Story(), FILL_INVALID, 50).events]).sentences).toEqual([]);
  });

  it('tells once per episode, with counts and duration, as a warning', () => {
    const story = dropFor(dropFor(new Story(), FILL_EMPTY, 8), RX_FULL, 30).drop(OUTER_1, FILL_EMPTY);
    const { violations } = check(starvation, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'outer q0 (netns 1) received nothing for 110.0 ms and dropped 12 packets: 8 because its FILL ring was empty, 4 because its RX ring was full',
    ]);
    expect(violations[0]).toMatchObject({ severity: 'warning', object: `queue ${OUTER_0}` });
    expect(evidenceOf(violations[0])).toEqual(['0:1 xsk_drop', '0:12 xsk_drop']);
  });

  it('never throws on odd input', () => {
    const story = new Story().drop(0xffff_ffff, FILL_EMPTY).drop(NOBODY, 99).write(NOBODY, 0, 0);
    expect(check(starvation, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 1 });
  });
});
