// xsk.double-enqueue: silent on every legal life of a frame, one sentence for a frame in two rings.

import { describe, expect, it } from 'vitest';
import doubleEnqueue from '../../../src/invariants/xsk/double-enqueue.ts';
import {
  check,
  evidenceOf,
  FREE_LIST,
  INNER_0,
  makeObjects,
  NOBODY,
  OUTER_0,
  OUTER_1,
  SOCKET_INNER_0,
  SOCKET_OUTER_0,
  SOCKET_OUTER_1,
  Story,
} from './setup.ts';

const A = 0x3000;
const B = 0x5000;
const NO_INDEX = 0xffff_fffe;

describe('xsk.double-enqueue', () => {
  it('is silent while a frame goes round through both devices', () => {
    const story = new Story();
    for (let i = 0; i < 3; i++)
      story
        .fill(OUTER_0, i, A)
        .receive(OUTER_0, SOCKET_OUTER_0, i, i, A)
        .publish(SOCKET_OUTER_0, i, A + 256)
        .on(1)
        .send(SOCKET_INNER_0, i, A + 256)
        .sent(INNER_0, A + 256)
        .complete(INNER_0, i, A + 256)
        .on(0);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the recorder starts in the middle of a life', () => {
    const story = new Story()
      .complete(INNER_0, 70, A)
      .sent(INNER_0, B)
      .fill(OUTER_0, 900, A)
      .fill(OUTER_0, 901, B)
      .publish(SOCKET_OUTER_0, 44, 0x7100);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('is silent after a gap, and counts what became unknown', () => {
    const story = new Story()
      .fill(OUTER_0, 0, A)
      .fill(OUTER_0, 1, B)
      .gap()
      .fill(OUTER_1, 5, A)
      .send(SOCKET_INNER_0, 3, B);
    const { sentences, counts } = check(doubleEnqueue, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(2);
  });

  it('is silent when a dropped frame is handed out again from the free list', () => {
    const story = new Story()
      .fill(OUTER_0, 0, A)
      .take(OUTER_0, 0, A)
      .reserve(SOCKET_OUTER_0, 9)
      .drop(OUTER_0, 1)
      .take(OUTER_0, 0, A, FREE_LIST)
      .reserve(SOCKET_OUTER_0, 9)
      .write(SOCKET_OUTER_0, 9, A + 256)
      .publish(SOCKET_OUTER_0, 9, A + 256)
      .send(SOCKET_OUTER_0, 0, A + 256);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the application refills before the publication is reported', () => {
    const story = new Story()
      .fill(OUTER_0, 0, A)
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, A)
      .on(1)
      .fill(OUTER_0, 1, A)
      .on(0)
      .publish(SOCKET_OUTER_0, 0, A + 256)
      .take(OUTER_0, 1, A);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('is silent when an entry is reported only after the kernel sent it', () => {
    const story = new Story().sent(INNER_0, A).complete(INNER_0, 0, A);
    story.say('xsk_tx_submit', {
      object: SOCKET_INNER_0,
      position: 0,
      addr: A,
      len: 60,
      since: story.ts - 5000,
    });
    story.fill(OUTER_0, 0, A);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('is silent when a frame comes back in zero-copy mode before its completion is reported', () => {
    const story = new Story()
      .send(SOCKET_INNER_0, 0, A)
      .say('xsk_comp_begin', { object: INNER_0, count: 1 })
      .on(1)
      .fill(OUTER_0, 0, A)
      .on(0)
      .complete(INNER_0, 0, A);
    const { sentences, counts } = check(doubleEnqueue, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('is silent while frames go round through zero-copy drivers, which take and complete many at once', () => {
    const story = new Story();
    for (let i = 0; i < 3; i++)
      story
        .fill(OUTER_0, 2 * i, A)
        .fill(OUTER_0, 2 * i + 1, B)
        .takeBatch(OUTER_0, 2 * i, [A, B])
        .receiveTaken(SOCKET_OUTER_0, 2 * i, A)
        .receiveTaken(SOCKET_OUTER_0, 2 * i + 1, B)
        .on(1)
        .send(SOCKET_INNER_0, 2 * i, A + 256)
        .send(SOCKET_INNER_0, 2 * i + 1, B + 256)
        .sent(INNER_0, A + 256)
        .sent(INNER_0, B + 256)
        .on(2)
        .completeBatch(INNER_0, 2 * i, [A + 256, B + 256])
        .on(0);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('tells of a frame filled again while a zero-copy driver holds it for a packet to come', () => {
    const story = new Story()
      .fill(OUTER_0, 0, B)
      .takeBatch(OUTER_0, 0, [B])
      .receiveTaken(SOCKET_OUTER_0, 0, B)
      .fill(OUTER_0, 1, A)
      .takeBatch(OUTER_0, 1, [A])
      .after(5_000_000)
      .fill(OUTER_0, 2, A);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([
      'frame 0x3000 of umem 0 was taken from the FILL ring of outer q0 (netns 1) and not given back yet, and now also in the FILL ring of outer q0 (netns 1)',
    ]);
  });

  it('is silent when a socket is closed and its frames are used elsewhere', () => {
    const story = new Story()
      .fill(OUTER_0, 0, A)
      .send(SOCKET_OUTER_0, 0, B)
      .say('xsk_release', { object: SOCKET_OUTER_0 })
      .fill(OUTER_1, 0, A)
      .fill(OUTER_1, 1, B);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([]);
  });

  it('tells of a frame put into FILL twice', () => {
    const story = new Story().fill(OUTER_0, 0, A).on(1).fill(OUTER_0, 1, A);
    const { violations } = check(doubleEnqueue, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'frame 0x3000 of umem 0 is in the FILL ring of outer q0 (netns 1) and now also in the FILL ring of outer q0 (netns 1)',
    ]);
    expect(violations[0]?.object).toBe('frame 0x3000 of umem 0');
    expect(violations[0]?.orderDependent).toBe(false);
    expect(evidenceOf(violations[0])).toEqual(['0:1 xsk_fill_submit', '1:1 xsk_fill_submit']);
  });

  it('tells of a frame filled while it waits in another device’s TX ring', () => {
    const story = new Story().send(SOCKET_INNER_0, 7, A + 256).fill(OUTER_1, 3, A);
    expect(check(doubleEnqueue, [story.events]).sentences).toEqual([
      'frame 0x3000 of umem 0 is in the TX ring of inner q0 (netns 8193) and now also in the FILL ring of outer q1 (netns 1)',
    ]);
  });

  it('tells of a frame sent while the kernel receives into it', () => {
    const story = new Story()
      .write(SOCKET_OUTER_1, 0, B)
      .fill(OUTER_0, 0, A)
      .take(OUTER_0, 0, A)
      .on(1)
      .send(SOCKET_INNER_0, 0, A + 256);
    const { violations } = check(doubleEnqueue, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'frame 0x3000 of umem 0 was taken from the FILL ring of outer q0 (netns 1) and not given back yet, and now also in the TX ring of inner q0 (netns 8193)',
    ]);
  });

  it('says that the order decides when an entry and a take of unknown past lie within the clock’s error', () => {
    const story = new Story()
      .write(SOCKET_OUTER_1, 0, B)
      .take(OUTER_0, 0, A)
      .on(1)
      .after(200)
      .fill(OUTER_0, 1, A);
    expect(check(doubleEnqueue, [story.events]).violations.map((v) => v.orderDependent)).toEqual([true]);
  });

  it('counts what it cannot place and never throws', () => {
    const story = new Story()
      .fill(NOBODY, 0, A)
      .fill(NO_INDEX, 0xffff_ffff, 0xdead_beef_dead_beefn)
      .fill(OUTER_0, 0, 1n << 63n)
      .say('xsk_release', { object: NOBODY });
    const { sentences, counts } = check(doubleEnqueue, [story.events], makeObjects());
    expect(sentences).toEqual([]);
    expect(counts.unplaced).toBe(3);
  });
});
