// xsk.length: the descriptor's length against what XDP saw; packets in several buffers are no fault.

import { describe, expect, it } from 'vitest';
import length from '../../../src/invariants/xsk/length.ts';
import { check, evidenceOf, NOBODY, OUTER_0, SOCKET_OUTER_0, SOCKET_OUTER_1, Story } from './setup.ts';

describe('xsk.length', () => {
  it('is silent while all three agree', () => {
    const story = new Story();
    for (let i = 0; i < 5; i++)
      story
        .on(i % 2)
        .receive(OUTER_0, SOCKET_OUTER_0, i, i, i * 4096, 60 + i)
        .publish(SOCKET_OUTER_0, i, i * 4096 + 256, 60 + i);
    expect(check(length, [story.events]).sentences).toEqual([]);
  });

  it('is silent on a start in the middle, a gap, a drop and another socket’s packet', () => {
    const story = new Story()
      .write(SOCKET_OUTER_0, 3, 0x1100, 64)
      .publish(SOCKET_OUTER_0, 2, 0x2100, 99)
      .redirect(SOCKET_OUTER_0, 70)
      .gap()
      .write(SOCKET_OUTER_0, 4, 0x3100, 64)
      .redirect(SOCKET_OUTER_0, 80)
      .drop(OUTER_0, 2)
      .redirect(SOCKET_OUTER_1, 90)
      .write(SOCKET_OUTER_0, 5, 0x4100, 64);
    expect(check(length, [story.events]).sentences).toEqual([]);
  });

  it('is silent on packets in several buffers', () => {
    const story = new Story()
      .redirect(SOCKET_OUTER_0, 1500)
      .reserve(SOCKET_OUTER_0, 0, 3000)
      .write(SOCKET_OUTER_0, 0, 0x1100, 3000)
      .redirect(SOCKET_OUTER_0, 5000)
      .reserve(SOCKET_OUTER_0, 1, 3840)
      .write(SOCKET_OUTER_0, 1, 0x2100, 3840)
      .reserve(SOCKET_OUTER_0, 2, 1160)
      .write(SOCKET_OUTER_0, 2, 0x3100, 1160);
    expect(check(length, [story.events]).sentences).toEqual([]);
  });

  it('tells of a descriptor shorter than the packet', () => {
    const story = new Story().receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x3000, 60);
    const events = [...story.events.slice(0, 3), { ...story.events[3], len: 56 } as never];
    const { violations } = check(length, [events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'frame 0x3000 of umem 0 in the RX ring of outer q0 (netns 1): the descriptor says 56 bytes, XDP saw 60',
    ]);
    expect(violations[0]?.object).toBe('frame 0x3000 of umem 0');
    expect(evidenceOf(violations[0])).toEqual(['0:1 xsk_redirect', '0:4 xsk_rx_write']);
  });

  it('tells of a publication with another length than was written', () => {
    const story = new Story()
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, 0x3000, 60)
      .on(1)
      .publish(SOCKET_OUTER_0, 0, 0x3100, 78);
    const { violations } = check(length, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'frame 0x3000 of umem 0 in the RX ring of outer q0 (netns 1): the published descriptor says 78 bytes, XDP saw 60',
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:4 xsk_rx_write', '1:1 xsk_rx_publish']);
  });

  it('counts what it cannot place and never throws', () => {
    const story = new Story()
      .redirect(NOBODY, 1)
      .write(NOBODY, 1, 1, 2)
      .publish(NOBODY, 1, 1, 3)
      .on(1 << 20)
      .redirect(1, 1);
    expect(check(length, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 3 });
  });
});
