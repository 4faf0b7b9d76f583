// xsk.napi-overlap: polls that wander are silent, two at once or a flush after the completion are told.

import { describe, expect, it } from 'vitest';
import napiOverlap from '../../../src/invariants/xsk/napi-overlap.ts';
import { check, evidenceOf, OUTER_0, OUTER_1, SOCKET_OUTER_0, Story } from './setup.ts';

const begin = (story: Story, cpu: number, object = OUTER_0) =>
  story.on(cpu).say('xsk_napi_begin', { object });
const end = (story: Story, cpu: number, object = OUTER_0) => story.on(cpu).say('xsk_napi_end', { object });
const complete = (story: Story, cpu: number, completed = 1, object = OUTER_0) =>
  story.on(cpu).say('xsk_napi_complete', { object, completed });
const receive = (story: Story, cpu: number) => story.on(cpu).write(SOCKET_OUTER_0, 0, 0x1100);
const publish = (story: Story, cpu: number) => story.on(cpu).publish(SOCKET_OUTER_0, 0, 0x1100);
const flush = (story: Story, cpu: number) => story.on(cpu).say('xsk_flush', { object: OUTER_0 });

describe('xsk.napi-overlap', () => {
  it('is silent while polls wander, complete, or use up their budget', () => {
    const story = new Story();
    for (let i = 0; i < 9; i++) {
      begin(story, i % 3);
      publish(receive(story, i % 3), i % 3);
      flush(story, i % 3);
      if (i % 2) complete(story, i % 3);
      end(story, i % 3);
    }
    expect(check(napiOverlap, [story.events]).sentences).toEqual([]);
  });

  it('is silent when the next poll begins before the completion is reported', () => {
    const story = begin(new Story(), 0);
    flush(publish(receive(story, 0), 0), 0);
    begin(story, 1);
    end(complete(story, 0), 0);
    flush(publish(receive(story, 1), 1), 1);
    end(complete(story, 1), 1);
    expect(check(napiOverlap, [story.events]).sentences).toEqual([]);
  });

  it('is silent on a start in the middle, after a gap, and on other queues', () => {
    const story = end(complete(new Story(), 0), 0);
    begin(begin(story, 0), 1, OUTER_1);
    story.gap();
    begin(story, 1);
    receive(story, 0);
    expect(check(napiOverlap, [story.events]).sentences).toEqual([]);
  });

  it('is silent on ends alone where completions are not recorded', () => {
    const story = begin(begin(new Story(), 0), 1);
    end(end(story, 0), 1);
    expect(check(napiOverlap, [story.events]).sentences).toEqual([]);
  });

  it('tells of two CPUs in one poll', () => {
    const story = begin(new Story(), 0);
    receive(receive(begin(receive(story, 0), 2), 0), 0);
    const { violations } = check(napiOverlap, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'two CPUs poll outer q0 (netns 1) at once: CPU 2 began 1.0 µs ago, and CPU 0 is still in the poll it began before and has not completed',
    ]);
    expect(violations[0]).toMatchObject({ object: `queue ${OUTER_0}`, orderDependent: false });
    expect(evidenceOf(violations[0])).toEqual([
      '0:1 xsk_napi_begin',
      '2:1 xsk_napi_begin',
      '0:3 xsk_rx_write',
    ]);
  });

  it('tells of a poll that ends without completing while another runs', () => {
    const story = complete(begin(new Story(), 0), 0);
    begin(begin(end(story, 0), 0), 1);
    end(complete(story, 0, 0), 0);
    expect(check(napiOverlap, [story.events]).sentences).toHaveLength(1);
  });

  it('says that the order decides within the clock’s error', () => {
    const story = begin(new Story(), 0);
    receive(begin(story, 2).after(300), 0);
    expect(check(napiOverlap, [story.events]).violations.map((v) => v.orderDependent)).toEqual([true]);
  });

  it('tells of a flush after another poll began', () => {
    const story = complete(receive(begin(new Story(), 0), 0), 0);
    flush(publish(begin(story, 2).after(4000), 0), 0);
    end(story, 0);
    const { violations } = check(napiOverlap, [story.events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'CPU 2 began to poll outer q0 (netns 1) 4.0 µs before CPU 0 flushed its earlier poll of it: that poll was completed before its flush ended',
    ]);
    expect(evidenceOf(violations[0])).toEqual([
      '0:3 xsk_napi_complete',
      '2:1 xsk_napi_begin',
      '0:4 xsk_rx_publish',
    ]);
  });

  it('never throws on odd input', () => {
    const story = begin(new Story(), 0, 0xffff_ffff);
    flush(publish(begin(begin(story, 9, 99), 70_000, 99), 3), 3);
    expect(check(napiOverlap, [story.events]).counts).toMatchObject({ fired: 0, unplaced: 1 });
  });
});
