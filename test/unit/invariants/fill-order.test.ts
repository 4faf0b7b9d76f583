// xsk.fill-order: FIFO by position, with dropped frames handed out again; a jump of the queue is told with its distance.

import { describe, expect, it } from 'vitest';
import fillOrder from '../../../src/invariants/xsk/fill-order.ts';
import {
  check,
  evidenceOf,
  FREE_LIST,
  NOBODY,
  OUTER_0,
  OUTER_1,
  SOCKET_OUTER_0,
  SOCKET_OUTER_1,
  Story,
} from './setup.ts';

function filled(frames: readonly number[], queue = OUTER_0): Story {
  const story = new Story();
  for (const [position, frame] of frames.entries()) story.fill(queue, position, frame);
  return story;
}

describe('xsk.fill-order', () => {
  it('is silent while frames go round, whatever CPU receives, and whatever the low bits of a FILL address', () => {
    const story = new Story();
    for (let i = 0; i < 200; i++)
      story
        .fill(OUTER_0, i, (i % 50) * 4096 + 0x40)
        .on(i % 2)
        .receive(OUTER_0, SOCKET_OUTER_0, i, i, (i % 50) * 4096)
        .publish(SOCKET_OUTER_0, i, (i % 50) * 4096 + 256);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent on a start in the middle and after a gap', () => {
    const story = new Story()
      .write(SOCKET_OUTER_0, 90, 0x9100)
      .take(OUTER_0, 500, 0x1000)
      .write(SOCKET_OUTER_0, 91, 0x1100)
      .fill(OUTER_0, 510, 0x3000)
      .gap()
      .take(OUTER_0, 509, 0x5000)
      .write(SOCKET_OUTER_0, 92, 0x3100)
      .publish(SOCKET_OUTER_0, 92, 0x3100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent when dropped frames are handed out again before the next entry', () => {
    const story = filled([0x1000, 0x2000, 0x3000])
      .take(OUTER_0, 0, 0x1000)
      .reserve(SOCKET_OUTER_0, 0)
      .drop(OUTER_0, 1)
      .take(OUTER_0, 0, 0x1000, FREE_LIST)
      .write(SOCKET_OUTER_0, 0, 0x1100)
      .take(OUTER_0, 1, 0x2000)
      .take(OUTER_0, 2, 0x3000)
      .write(SOCKET_OUTER_0, 1, 0x3100)
      .take(OUTER_0, 2, 0x2000, FREE_LIST)
      .write(SOCKET_OUTER_0, 2, 0x2100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent on addresses the kernel skips', () => {
    const story = filled([0x1000, 1 << 30, 0x3000])
      .take(OUTER_0, 0, 0x1000)
      .write(SOCKET_OUTER_0, 0, 0x1100)
      .drop(OUTER_0, 3)
      .take(OUTER_0, 2, 0x3000)
      .write(SOCKET_OUTER_0, 1, 0x3100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the driver takes in batches that no probe sees', () => {
    const story = filled([0x1000, 0x2000, 0x3000])
      .write(SOCKET_OUTER_0, 0, 0x1100)
      .write(SOCKET_OUTER_0, 1, 0x2100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the application refills before the publication is reported', () => {
    const story = filled([0x1000])
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x1000)
      .on(1)
      .fill(OUTER_0, 1, 0x1000)
      .on(0)
      .publish(SOCKET_OUTER_0, 0, 0x1100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([]);
  });

  it('is silent while a zero-copy driver takes far ahead, and of a frame that it was given twice', () => {
    const story = filled([0x1000, 0x2000, 0x2000, 0x3000])
      .takeBatch(OUTER_0, 0, [0x1000, 0x2000, 0x2000, 0x3000])
      .receiveTaken(SOCKET_OUTER_0, 0, 0x1000)
      .receiveTaken(SOCKET_OUTER_0, 1, 0x2000)
      .receiveTaken(SOCKET_OUTER_0, 2, 0x2000)
      .receiveTaken(SOCKET_OUTER_0, 3, 0x3000);
    const { sentences, counts } = check(fillOrder, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBeGreaterThan(0);
  });

  it('tells of a swapped entry when a zero-copy driver takes it', () => {
    const story = filled([0x1000, 0x2000, 0x3000, 0x4000]).takeBatch(OUTER_0, 0, [0x1000, 0x3000]);
    expect(check(fillOrder, [story.events]).sentences).toEqual([
      'outer q0 (netns 1): FILL gave 0x3000, FILL order says 0x2000 was next (0x3000 is 1 entry behind)',
    ]);
  });

  it('tells once of two published entries that were swapped', () => {
    const story = filled([0x1000, 0x2000, 0x3000])
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x2000)
      .receive(OUTER_0, SOCKET_OUTER_0, 1, 1, 0x1000)
      .receive(OUTER_0, SOCKET_OUTER_0, 2, 2, 0x3000);
    const { violations } = check(fillOrder, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'outer q0 (netns 1): FILL gave 0x2000, FILL order says 0x1000 was next (0x2000 is 1 entry behind)',
    ]);
    expect(violations[0]?.object).toBe(`queue ${OUTER_0}`);
    expect(evidenceOf(violations[0])).toEqual([
      '0:1 xsk_fill_submit',
      '0:2 xsk_fill_submit',
      '0:5 xsk_fill_take',
    ]);
  });

  it('tells of a receive into a frame that is further behind in FILL', () => {
    const story = filled([...Array(20).keys()].map((i) => i * 4096))
      .take(OUTER_0, 0, 0)
      .reserve(SOCKET_OUTER_0, 0)
      .write(SOCKET_OUTER_0, 0, 9 * 4096 + 256);
    expect(check(fillOrder, [story.events]).sentences).toEqual([
      'outer q0 (netns 1): RX gave 0x9000, FILL order says 0x0 was next (0x9000 is 9 entries behind)',
    ]);
  });

  it('tells of an old descriptor that was published instead of the frame that was taken', () => {
    const story = filled([...Array(20).keys()].map((i) => i * 4096))
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0)
      .publish(SOCKET_OUTER_0, 0, 256)
      .on(2)
      .take(OUTER_0, 1, 0x1000)
      .reserve(SOCKET_OUTER_0, 1)
      .on(0)
      .publish(SOCKET_OUTER_0, 1, 0x5100)
      .on(2)
      .write(SOCKET_OUTER_0, 1, 0x1100);
    const { violations } = check(fillOrder, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'outer q0 (netns 1): RX gave 0x5000, FILL order says 0x1000 was next (0x5000 is 4 entries behind)',
    ]);
    expect(evidenceOf(violations[0])).toEqual([
      '0:6 xsk_fill_submit',
      '2:1 xsk_fill_take',
      '0:26 xsk_rx_publish',
    ]);
  });

  it('tells of poison published instead of a frame', () => {
    const story = filled([0x1000, 0x2000])
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x1000)
      .publish(SOCKET_OUTER_0, 0, 0x1100)
      .publish(SOCKET_OUTER_0, 1, 0xdead_beef_dead_beefn);
    expect(check(fillOrder, [story.events]).sentences).toEqual([
      'outer q0 (netns 1): RX gave 0xdeadbeefdeadbeef, FILL order says 0x2000 was next (0xdeadbeefdeadbeef is not in this FILL ring)',
    ]);
  });

  it('tells of a frame of another queue', () => {
    const story = filled([0x1000, 0x2000])
      .fill(OUTER_1, 0, 0x7000)
      .take(OUTER_0, 0, 0x1000)
      .write(SOCKET_OUTER_0, 0, 0x7100);
    expect(check(fillOrder, [story.events]).sentences).toEqual([
      'outer q0 (netns 1): RX gave 0x7000, FILL order says 0x1000 was next (0x7000 is in the FILL ring of outer q1 (netns 1))',
    ]);
  });

  it('tells of a frame handed out as dropped that waits in FILL', () => {
    const story = filled([0x1000, 0x2000, 0x3000])
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x1000)
      .take(OUTER_0, 0, 0x3000, FREE_LIST);
    expect(check(fillOrder, [story.events]).sentences).toEqual([
      'outer q0 (netns 1): the kernel handed out the dropped frame 0x3000, FILL order says 0x2000 was next (0x3000 is 1 entry behind)',
    ]);
  });

  it('counts what it cannot place and never throws', () => {
    const story = new Story()
      .fill(NOBODY, 0, 0)
      .take(OUTER_0, 0xffff_ffff, 1n << 62n)
      .write(SOCKET_OUTER_1, 0x8000_0000, (1n << 64n) - 1n)
      .publish(NOBODY, 1, 1)
      .publish(SOCKET_OUTER_1, 3, 3);
    expect(check(fillOrder, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 4 });
  });
});
