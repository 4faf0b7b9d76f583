// Requests from a namespace that neither the thread nor its process chose.

import { describe, expect, it } from 'vitest';
import foreignRequest from '../../../src/invariants/netns/foreign-request.ts';
import { BOX, CHILD, HEALTHY, HOST, LEADER, Threads, WORKER } from './netns-threads.ts';
import { check, evidenceOf } from './setup.ts';

const SENTENCE = `thread ${CHILD} of process ${LEADER} sent RTM_GETLINK of bridge0 from netns ${BOX} and got ENODEV, but it has not entered netns ${BOX} by itself and its process's own is netns ${HOST}: thread ${WORKER} cloned it inside netns ${BOX}, which it had entered from netns ${HOST}`;

describe('netns.foreign-request', () => {
  it.each(Object.entries(HEALTHY))('is silent: %s', (_, story) => {
    expect(check(foreignRequest, [story().events]).sentences).toEqual([]);
  });

  it('names the clone that put the thread there, once for each thread', () => {
    const { events } = new Threads().enter(BOX, HOST).clone(CHILD, BOX).ask(BOX).ask(BOX);
    const { violations } = check(foreignRequest, [events]);
    expect(violations.map(({ sentence }) => sentence)).toEqual([SENTENCE]);
    expect(evidenceOf(violations[0])).toEqual(['0:1 netns_enter', '0:2 netns_fork', '0:3 netns_request']);
  });

  it('is silent about a socket of the process itself', () => {
    const { events } = new Threads().enter(BOX, HOST).clone(CHILD, BOX).ask(BOX, { socket: HOST });
    expect(check(foreignRequest, [events]).sentences).toEqual([]);
  });

  it('is silent once the thread has entered by itself', () => {
    const story = new Threads().enter(BOX, HOST).clone(CHILD, BOX);
    story.enter(12, BOX, { tid: CHILD }).enter(BOX, 12, { tid: CHILD }).ask(BOX);
    expect(check(foreignRequest, [story.events]).sentences).toEqual([]);
  });

  it('waits until the first thread has gone back', () => {
    const first = { tid: LEADER, home: BOX };
    const story = new Threads().enter(BOX, HOST, { tid: LEADER }).clone(CHILD, BOX, first);
    story.ask(BOX, { home: BOX }).enter(12, BOX, first).ask(BOX, { home: 12 });
    expect(check(foreignRequest, [story.events]).sentences).toEqual([]);
    story.enter(HOST, 12, { tid: LEADER, home: 12 }).ask(BOX);
    expect(check(foreignRequest, [story.events]).sentences).toEqual([
      SENTENCE.replaceAll(`thread ${WORKER}`, `thread ${LEADER}`),
    ]);
  });

  it('forgets at a gap, and does not judge threads of unknown origin', () => {
    const { events } = new Threads().enter(BOX, HOST).clone(CHILD, BOX).gap().ask(BOX);
    expect(check(foreignRequest, [events]).sentences).toEqual([]);
    const exists = new Threads().say('netns_task_exists', {
      tid: CHILD,
      pid: LEADER,
      netns: BOX,
      home: HOST,
    });
    expect(check(foreignRequest, [exists.ask(BOX).events]).sentences).toEqual([]);
  });
});
