// xsk.descriptor-bounds: what the kernel takes is silent, what it must refuse is told with the ring and the address.

import { describe, expect, it } from 'vitest';
import descriptorBounds from '../../../src/invariants/xsk/descriptor-bounds.ts';
import {
  check,
  CHUNK,
  FRAMES,
  makeObjects,
  NOBODY,
  OUTER_0,
  SOCKET_INNER_0,
  SOCKET_OUTER_0,
  Story,
} from './setup.ts';

const END = FRAMES * CHUNK;
const UNALIGNED = 1;

describe('xsk.descriptor-bounds', () => {
  it('is silent on every address inside, to the last byte', () => {
    const story = new Story()
      .fill(OUTER_0, 0, 0)
      .fill(OUTER_0, 1, END - CHUNK + 0x40)
      .send(SOCKET_INNER_0, 0, END - 60)
      .send(SOCKET_INNER_0, 1, 0x1000, CHUNK)
      .publish(SOCKET_OUTER_0, 0, 0x1100, CHUNK - 256)
      .gap()
      .fill(OUTER_0, 7, 0x40);
    expect(check(descriptorBounds, [story.events]).sentences).toEqual([]);
  });

  it('tells poison from an address', () => {
    const story = new Story().fill(OUTER_0, 5, 0xdead_beef_dead_beefn);
    const { violations } = check(descriptorBounds, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      '0xdeadbeefdeadbeef is in the FILL ring of outer q0 (netns 1) at position 5: a poison value, not an address in umem 0',
    ]);
    expect(violations[0]?.object).toBe('frame 0xdeadbeefdeadbeef of umem 0');
  });

  it.each([
    [
      'FILL',
      new Story().fill(OUTER_0, 3, END + 3 * CHUNK),
      `address 0x103000 is in the FILL ring of outer q0 (netns 1) at position 3, but umem 0 ends at 0x100000`,
    ],
    [
      'TX',
      new Story().send(SOCKET_INNER_0, 4, END, 60),
      'address 0x100000 (60 bytes) is in the TX ring of inner q0 (netns 8193) at position 4, but umem 0 ends at 0x100000',
    ],
    [
      'RX',
      new Story().publish(SOCKET_OUTER_0, 9, 1n << 40n, 60),
      'address 0x10000000000 (60 bytes) is in the RX ring of outer q0 (netns 1) at position 9, but umem 0 ends at 0x100000',
    ],
  ])('tells of an address outside in %s', (_ring, story, sentence) => {
    expect(check(descriptorBounds, [story.events]).sentences).toEqual([sentence]);
  });

  it('tells of a packet that reaches over its chunk', () => {
    const story = new Story().send(SOCKET_INNER_0, 2, 0x1ff8, 60);
    const { violations } = check(descriptorBounds, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'the 60 bytes at 0x1ff8 in the TX ring of inner q0 (netns 8193) at position 2 reach over the end of their 4096-byte chunk of umem 0',
    ]);
    expect(violations[0]?.object).toBe('frame 0x1000 of umem 0');
  });

  it('takes the offset from bits 48 and up in unaligned mode', () => {
    const objects = makeObjects({ flags: UNALIGNED });
    const fine = new Story()
      .fill(OUTER_0, 0, END - CHUNK)
      .fill(OUTER_0, 1, (300n << 48n) | BigInt(END - CHUNK))
      .send(SOCKET_INNER_0, 0, (256n << 48n) | 0x1ff8n, 60);
    expect(check(descriptorBounds, [fine.events], objects).sentences).toEqual([]);
    const wrong = new Story()
      .fill(OUTER_0, 0, END - CHUNK + 1)
      .send(SOCKET_INNER_0, 0, (256n << 48n) | BigInt(END - 300), 60)
      .send(SOCKET_INNER_0, 1, 0x1000, CHUNK + 1);
    expect(check(descriptorBounds, [wrong.events], objects).sentences).toEqual([
      'address 0xff001 is in the FILL ring of outer q0 (netns 1) at position 0, but umem 0 ends at 0x100000',
      'address 0x1000000000ffed4 (60 bytes) is in the TX ring of inner q0 (netns 8193) at position 0, but umem 0 ends at 0x100000',
      'the 4097 bytes at 0x1000 in the TX ring of inner q0 (netns 8193) at position 1 reach over the end of their 4096-byte chunk of umem 0',
    ]);
  });

  it('counts what it cannot place and never throws', () => {
    const story = new Story().fill(NOBODY, 0, 0).send(0xffff_ffff, 0, 0xffff_ffff_ffff_ffffn);
    expect(check(descriptorBounds, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 2 });
  });
});
