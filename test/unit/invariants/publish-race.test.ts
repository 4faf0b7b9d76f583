// xsk.publish-race: the story's race is told with both CPUs; nothing healthy is.

import { describe, expect, it } from 'vitest';
import publishRace from '../../../src/invariants/xsk/publish-race.ts';
import { check, evidenceOf, NOBODY, OUTER_1, SOCKET_OUTER_1, Story } from './setup.ts';

const STALE = 0x22100;

function poll(story: Story, position: number, packets: number): Story {
  story.say('xsk_napi_begin', { object: OUTER_1 });
  for (let i = 0; i < packets; i++)
    story.receive(OUTER_1, SOCKET_OUTER_1, position + i, position + i, ((position + i) % 200) * 4096);
  for (let i = 0; i < packets; i++)
    story.publish(SOCKET_OUTER_1, position + i, ((position + i) % 200) * 4096 + 256);
  return story
    .say('xsk_flush', { object: OUTER_1 })
    .say('xsk_napi_complete', { object: OUTER_1, completed: 1 })
    .say('xsk_napi_end', { object: OUTER_1 });
}

/** CPU 2 has reserved entry 1 and taken a frame; CPU 0 completes its poll and flushes. */
function race(): Story {
  return new Story()
    .on(0)
    .say('xsk_napi_begin', { object: OUTER_1 })
    .receive(OUTER_1, SOCKET_OUTER_1, 0, 0, 0x3000)
    .say('xsk_napi_complete', { object: OUTER_1, completed: 1 })
    .on(2)
    .say('xsk_napi_begin', { object: OUTER_1 })
    .take(OUTER_1, 1, 0x5000)
    .reserve(SOCKET_OUTER_1, 1)
    .on(0)
    .publish(SOCKET_OUTER_1, 0, 0x3100);
}

describe('xsk.publish-race', () => {
  it('is silent while NAPI wanders between CPUs', () => {
    const story = new Story();
    for (let i = 0; i < 30; i++) poll(story.on(i % 3), i * 8, 8);
    expect(check(publishRace, [story.events]).sentences).toEqual([]);
  });

  it('is silent when it starts between a write and its publication', () => {
    const story = new Story()
      .publish(SOCKET_OUTER_1, 41, 0x9100)
      .write(SOCKET_OUTER_1, 43, 0x3100)
      .publish(SOCKET_OUTER_1, 42, 0x7100)
      .publish(SOCKET_OUTER_1, 43, 0x3100);
    expect(check(publishRace, [story.events]).sentences).toEqual([]);
  });

  it('is silent after a gap', () => {
    const story = new Story().write(SOCKET_OUTER_1, 0, 0x3100).gap().publish(SOCKET_OUTER_1, 0, 0x3100);
    story
      .publish(SOCKET_OUTER_1, 1, 0x5100)
      .write(SOCKET_OUTER_1, 2, 0x7100)
      .publish(SOCKET_OUTER_1, 2, 0x7100);
    const { sentences, counts } = check(publishRace, [story.events]);
    expect(sentences).toEqual([]);
    expect(counts.unknown).toBe(1);
  });

  it('is silent when a flush publishes more than one look reports', () => {
    const story = new Story();
    for (let i = 0; i < 100; i++) story.write(SOCKET_OUTER_1, i, i * 4096);
    for (let i = 0; i < 64; i++) story.publish(SOCKET_OUTER_1, i, i * 4096);
    story.on(1).write(SOCKET_OUTER_1, 100, 100 * 4096);
    for (let i = 64; i <= 100; i++) story.publish(SOCKET_OUTER_1, i, i * 4096);
    expect(check(publishRace, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the ring has gone round before the look', () => {
    const story = new Story().write(SOCKET_OUTER_1, 0, 0x1100).write(SOCKET_OUTER_1, 64, 0x9100);
    expect(check(publishRace, [story.publish(SOCKET_OUTER_1, 0, 0x9100).events]).sentences).toEqual([]);
  });

  it('is silent across the wrap of positions', () => {
    const story = new Story();
    for (const position of [0xffff_fffe, 0xffff_ffff, 0, 1]) story.write(SOCKET_OUTER_1, position, 0x1100);
    for (const position of [0xffff_fffe, 0xffff_ffff, 0, 1]) story.publish(SOCKET_OUTER_1, position, 0x1100);
    expect(check(publishRace, [story.events]).sentences).toEqual([]);
  });

  it('tells which CPU published what which CPU had not written', () => {
    const story = race().publish(SOCKET_OUTER_1, 1, STALE).on(2).write(SOCKET_OUTER_1, 1, 0x5100);
    const { violations } = check(publishRace, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      "CPU 0 published RX entry 1 of outer q1 (netns 1) while CPU 2's receive had not written its descriptor: it shows 0x22100, 60 bytes; NAPI poll was completed before the flush",
    ]);
    expect(violations[0]).toMatchObject({ object: `socket ${SOCKET_OUTER_1}`, orderDependent: false });
    expect(evidenceOf(violations[0])).toEqual([
      '0:6 xsk_napi_complete',
      '2:3 xsk_rx_reserve',
      '0:8 xsk_rx_publish',
    ]);
  });

  it('says that the order decides when the entry shows the frame of that receive', () => {
    const story = race().publish(SOCKET_OUTER_1, 1, 0x5100);
    expect(check(publishRace, [story.events]).violations.map((v) => v.orderDependent)).toEqual([true]);
  });

  it('tells of an entry that no receive had written', () => {
    const story = new Story().write(SOCKET_OUTER_1, 7, 0x3100).publish(SOCKET_OUTER_1, 7, 0x3100);
    expect(check(publishRace, [story.publish(SOCKET_OUTER_1, 8, STALE).events]).sentences).toEqual([
      'CPU 0 published RX entry 8 of outer q1 (netns 1), which no receive had written: it shows 0x22100, 60 bytes',
    ]);
  });

  it('tells of an entry that holds something else than was written', () => {
    const story = new Story().on(2).write(SOCKET_OUTER_1, 7, 0x3100).on(0).publish(SOCKET_OUTER_1, 7, STALE);
    const { violations } = check(publishRace, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      "CPU 0 published RX entry 7 of outer q1 (netns 1) as 0x22100, but CPU 2's receive had written 0x3100 into it",
    ]);
    expect(evidenceOf(violations[0])).toEqual(['2:1 xsk_rx_write', '0:1 xsk_rx_publish']);
  });

  it('counts what it cannot place and never throws', () => {
    const story = new Story()
      .write(SOCKET_OUTER_1, 5, 0x3100)
      .publish(SOCKET_OUTER_1, 0x7fff_0000, STALE)
      .write(NOBODY, 1, 1)
      .publish(NOBODY, 1, 1)
      .on(60_000)
      .reserve(0xffff_ffff, 3);
    expect(check(publishRace, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 3 });
  });
});
