// Threads cloned on a visit: warned of, and told when they act from there.

import { describe, expect, it } from 'vitest';
import leakedThread from '../../../src/invariants/netns/leaked-thread.ts';
import { BOX, CHILD, HEALTHY, HOST, LEADER, Threads, WORKER } from './netns-threads.ts';
import { check, evidenceOf } from './setup.ts';

const WARNING = `thread ${WORKER} of process ${LEADER} cloned thread ${CHILD} while inside netns ${BOX}, which it had entered from netns ${HOST}: the new thread stays there when its creator goes back`;
const CLONED = `thread ${WORKER} cloned it inside netns ${BOX}, which it had entered from netns ${HOST} and has left since`;

describe('netns.leaked-thread', () => {
  it.each(Object.entries(HEALTHY))('is silent: %s', (_, story) => {
    expect(check(leakedThread, [story().events]).sentences).toEqual([]);
  });

  it('warns at the clone, and tells the first request after the creator has left, once', () => {
    const { events } = new Threads()
      .enter(BOX, HOST)
      .clone(CHILD, BOX)
      .ask(BOX, { name: 'eth0', result: 0 })
      .enter(HOST, BOX)
      .open(BOX, { netlink: 0, family: 16 })
      .ask(BOX)
      .ask(BOX);
    const { violations } = check(leakedThread, [events]);
    expect(violations.map(({ severity, sentence }) => [severity, sentence])).toEqual([
      ['warning', WARNING],
      [
        'violation',
        `thread ${CHILD} of process ${LEADER} asked rtnetlink for RTM_GETLINK of bridge0 in netns ${BOX} and got ENODEV: ${CLONED}`,
      ],
    ]);
    expect(violations[1]?.object).toBe(`thread ${CHILD} of process ${LEADER}`);
    expect(evidenceOf(violations[1])).toEqual([
      '0:1 netns_enter',
      '0:2 netns_fork',
      '0:5 netns_enter',
      '0:7 netns_request',
    ]);
  });

  it('tells a socket that is not of rtnetlink, which would be told by its request', () => {
    const left = new Threads().enter(BOX, HOST).clone(CHILD, BOX).enter(HOST, BOX);
    left.open(BOX, { netlink: 16, family: 16 });
    expect(check(leakedThread, [left.events]).sentences).toEqual([
      WARNING,
      `thread ${CHILD} of process ${LEADER} made a socket (netlink) in netns ${BOX}: ${CLONED}`,
    ]);
  });

  it('knows who was cloned by one that was left behind', () => {
    const { events } = new Threads()
      .enter(BOX, HOST)
      .clone(CHILD, BOX)
      .clone(104, BOX, { tid: CHILD })
      .enter(HOST, BOX)
      .ask(BOX, { tid: 104 });
    expect(check(leakedThread, [events]).sentences[1]).toBe(
      `thread 104 of process ${LEADER} asked rtnetlink for RTM_GETLINK of bridge0 in netns ${BOX} and got ENODEV: thread ${CHILD} cloned it, and that is there since thread ${WORKER} was inside netns ${BOX}, which it had entered from netns ${HOST} and has left since`,
    );
  });

  it('warns only when it goes back if the creator is the first thread, whose namespace is the process', () => {
    const first = { tid: LEADER, home: BOX };
    const inside = new Threads().enter(BOX, HOST, { tid: LEADER }).clone(CHILD, BOX, first).ask(BOX, first);
    inside
      .enter(12, BOX, first)
      .ask(BOX, { home: 12 })
      .enter(BOX, 12, { ...first, home: 12 });
    expect(check(leakedThread, [inside.events]).sentences).toEqual([]);
    inside.enter(HOST, BOX, first).ask(BOX);
    expect(check(leakedThread, [inside.events]).sentences).toEqual([
      `thread ${LEADER} of process ${LEADER} went back to netns ${HOST} and left thread ${CHILD}, which it had cloned inside netns ${BOX}, behind`,
      expect.stringContaining(`thread ${LEADER} cloned it inside netns ${BOX}`),
    ]);
  });

  it('started during the visit, tells the request but not where the creator came from', () => {
    const { events } = new Threads().clone(CHILD, BOX).enter(HOST, BOX).ask(BOX);
    expect(check(leakedThread, [events]).sentences).toEqual([
      `thread ${CHILD} of process ${LEADER} asked rtnetlink for RTM_GETLINK of bridge0 in netns ${BOX} and got ENODEV: thread ${WORKER} cloned it inside netns ${BOX} and has left since`,
    ]);
  });

  it('is silent when the child goes where it wants, ends, or starts another program', () => {
    const moved = new Threads().enter(BOX, HOST).clone(CHILD, BOX).enter(HOST, BOX);
    moved.enter(HOST, BOX, { tid: CHILD }).ask(HOST).enter(BOX, HOST, { tid: CHILD }).ask(BOX);
    const ended = new Threads().enter(BOX, HOST).clone(CHILD, BOX).enter(HOST, BOX);
    ended.end(BOX, { tid: CHILD }).clone(CHILD, HOST).ask(HOST);
    for (const { events } of [moved, ended])
      expect(check(leakedThread, [events]).sentences).toEqual([WARNING]);
  });

  it('says so when the request may have come before the creator left', () => {
    const story = new Threads().enter(BOX, HOST).clone(CHILD, BOX).enter(HOST, BOX).on(1).after(1).ask(BOX);
    expect(check(leakedThread, [story.events]).violations[1]?.orderDependent).toBe(true);
  });

  it('forgets at a gap', () => {
    const { events } = new Threads().enter(BOX, HOST).clone(CHILD, BOX).gap().enter(HOST, BOX).ask(BOX);
    const { sentences, counts } = check(leakedThread, [events]);
    expect(sentences).toEqual([WARNING]);
    expect(counts.unknown).toBe(2);
  });
});
