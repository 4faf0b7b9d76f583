// xsk.ownership: silent on the legal round of a frame, with and without a copy, and one sentence for a station left out.

import { describe, expect, it } from 'vitest';
import ownership from '../../../src/invariants/xsk/ownership.ts';
import { check, FREE_LIST, INNER_0, OUTER_0, SOCKET_INNER_0, SOCKET_OUTER_0, Story } from './setup.ts';

const A = 0x3000;
const B = 0x5000;

/** Both frames come in through the outer device and wait in TX of the inner one. */
function forwarded(): Story {
  return new Story()
    .fill(OUTER_0, 0, A)
    .fill(OUTER_0, 1, B)
    .takeBatch(OUTER_0, 0, [A, B])
    .receiveTaken(SOCKET_OUTER_0, 0, A)
    .receiveTaken(SOCKET_OUTER_0, 1, B)
    .send(SOCKET_INNER_0, 0, A + 256)
    .send(SOCKET_INNER_0, 1, B + 256);
}

describe('xsk.ownership', () => {
  it('is silent while frames go round without a copy', () => {
    const story = forwarded()
      .sent(INNER_0, A + 256)
      .sent(INNER_0, B + 256)
      .on(2)
      .completeBatch(INNER_0, 0, [A + 256, B + 256])
      .on(0)
      .fill(OUTER_0, 2, A)
      .fill(OUTER_0, 3, B)
      .takeBatch(OUTER_0, 2, [A, B])
      .receiveTaken(SOCKET_OUTER_0, 2, A);
    expect(check(ownership, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the application reuses frames of a completion that is still being reported', () => {
    const story = forwarded()
      .on(2)
      .say('xsk_comp_begin', { object: INNER_0, count: 2 })
      .on(0)
      .fill(OUTER_0, 2, A)
      .send(SOCKET_INNER_0, 2, B + 256)
      .on(2)
      .complete(INNER_0, 0, A + 256)
      .complete(INNER_0, 1, B + 256);
    const { sentences, counts } = check(ownership, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(2);
  });

  it('is silent when a driver gives frames back that it never used, and takes them again', () => {
    const story = new Story()
      .fill(OUTER_0, 0, A)
      .takeBatch(OUTER_0, 0, [A])
      .take(OUTER_0, 0, A, FREE_LIST)
      .receiveTaken(SOCKET_OUTER_0, 0, A);
    expect(check(ownership, [story.events]).sentences).toEqual([]);
  });

  it('tells of a frame filled while a driver has it to send', () => {
    const story = forwarded()
      .sent(INNER_0, A + 256)
      .fill(OUTER_0, 2, A);
    expect(check(ownership, [story.events]).sentences).toEqual([
      'frame 0x3000 of umem 0 went from TX to FILL on outer q0 (netns 1) without passing COMP',
    ]);
  });

  it('tells of a frame sent again before it came back', () => {
    const story = forwarded().send(SOCKET_INNER_0, 2, A + 256);
    expect(check(ownership, [story.events]).sentences).toEqual([
      'frame 0x3000 of umem 0 went from TX to TX on inner q0 (netns 8193): it is there twice',
    ]);
  });
});
