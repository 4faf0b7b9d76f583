// Threads that end on a visit, or serve their next piece of work there.

import { describe, expect, it } from 'vitest';
import notRestored from '../../../src/invariants/netns/not-restored.ts';
import { BOX, HEALTHY, HOST, LEADER, Threads, WORKER } from './netns-threads.ts';
import { check, evidenceOf } from './setup.ts';

const SECOND = 1_000_000_000;
const me = { tid: WORKER };

describe('netns.not-restored', () => {
  it.each(Object.entries(HEALTHY))('is silent: %s', (_, story) => {
    expect(check(notRestored, [story().events]).sentences).toEqual([]);
  });

  it('warns of a thread that ends inside while its process goes on', () => {
    const { violations } = check(notRestored, [new Threads().enter(BOX, HOST).end(BOX).events]);
    expect(violations.map(({ severity, sentence }) => [severity, sentence])).toEqual([
      [
        'warning',
        `thread ${WORKER} of process ${LEADER} ended inside netns ${BOX}, which it had entered from netns ${HOST}, without going back`,
      ],
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:1 netns_enter', '0:2 netns_thread_exit']);
  });

  it('tells work of the process that is served inside after a pause', () => {
    const story = new Threads().ask(HOST, { ...me, result: 0 }).enter(BOX, HOST);
    story
      .ask(BOX, { ...me, name: 'eth0', result: 0 })
      .after(1.5 * SECOND - 1000)
      .open(BOX, { ...me, netlink: 0, family: 16 })
      .ask(BOX, me);
    const { violations } = check(notRestored, [story.events]);
    expect(violations.map(({ severity, sentence }) => [severity, sentence])).toEqual([
      [
        'violation',
        `thread ${WORKER} of process ${LEADER} asked for RTM_GETLINK of bridge0 in netns ${BOX} and got ENODEV, after 1.5 s without work: it had entered netns ${BOX} from netns ${HOST} and not gone back, and bridge0 is in netns ${HOST}`,
      ],
    ]);
    expect(evidenceOf(violations[0])).toEqual(['0:3 netns_enter', '0:4 netns_request', '0:7 netns_request']);
  });

  it('is silent while it waits for an interface that is not there yet', () => {
    const story = new Threads().ask(HOST, { ...me, name: 'eth0', result: 0 }).enter(BOX, HOST);
    for (let i = 0; i < 3; i++) story.ask(BOX, { ...me, name: 'eth0' }).after(2 * SECOND);
    story.after(2 * SECOND).ask(BOX, { ...me, name: 'eth1' });
    expect(check(notRestored, [story.events]).sentences).toEqual([]);
  });

  it('is silent on what is found, asked soon, or asked by the first thread', () => {
    const found = new Threads().ask(HOST, { ...me, result: 0 }).enter(BOX, HOST);
    found.after(2 * SECOND).ask(BOX, { ...me, result: 0 });
    const soon = new Threads()
      .ask(HOST, { ...me, result: 0 })
      .enter(BOX, HOST)
      .ask(BOX, me);
    const first = { tid: LEADER, home: BOX };
    const leader = new Threads().ask(HOST, { tid: LEADER, result: 0 }).enter(BOX, HOST, { tid: LEADER });
    leader
      .after(2 * SECOND)
      .ask(BOX, first)
      .end(BOX, first);
    for (const { events } of [found, soon, leader])
      expect(check(notRestored, [events]).sentences).toEqual([]);
  });

  it('is silent on a thread that ends in a namespace it made, and only on that', () => {
    const making = (netns: number) =>
      new Threads().say('netns_create', {
        ...me,
        pid: LEADER,
        netns,
        creator_netns: HOST,
        inum: 4_026_532_300,
      });
    const own = making(BOX).enter(BOX, HOST).end(BOX);
    expect(check(notRestored, [own.events]).sentences).toEqual([]);
    const other = making(BOX + 1)
      .enter(BOX, HOST)
      .end(BOX);
    expect(check(notRestored, [other.events]).sentences).toHaveLength(1);
    const reused = making(BOX).end(HOST).enter(BOX, HOST).end(BOX);
    expect(check(notRestored, [reused.events]).sentences).toHaveLength(1);
  });

  it('forgets at a gap', () => {
    const story = new Threads().enter(BOX, HOST).gap().end(BOX);
    expect(check(notRestored, [story.events]).sentences).toEqual([]);
  });
});
