// A process of two threads on a host, a container's namespace, and a short way to say what they do.

import { Story } from './setup.ts';

export const HOST = 1;
export const BOX = 9;
export const LEADER = 100;
export const WORKER = 102;
export const CHILD = 103;

interface Who {
  readonly tid?: number;
  readonly pid?: number;
  readonly home?: number;
}

const ENODEV = -19;
/** include/uapi/linux/rtnetlink.h: RTM_GETLINK. */
const GETLINK = 18;

export class Threads extends Story {
  enter(netns: number, from: number, { tid = WORKER, pid = LEADER, home = HOST }: Who = {}): this {
    return this.say('netns_enter', { tid, pid, netns, from, home, threads: 2 });
  }
  clone(
    thread: number,
    netns: number,
    { tid = WORKER, pid = LEADER, home = HOST, process = pid }: Who & { process?: number } = {},
  ): this {
    return this.say('netns_fork', { tid, pid, thread, process, netns, creator_netns: netns, home });
  }
  ask(
    netns: number,
    {
      tid = CHILD,
      pid = LEADER,
      home = HOST,
      socket = netns,
      name = 'bridge0',
      result = ENODEV,
    }: Who & {
      socket?: number;
      name?: string;
      result?: number;
    } = {},
  ): this {
    const fields = { netns, socket_netns: socket, home, name, request: GETLINK, result };
    return this.say('netns_request', { tid, pid, ...fields });
  }
  open(netns: number, { tid = CHILD, pid = LEADER, home = HOST, netlink = 0xffff, family = 2 } = {}): this {
    return this.say('netns_socket', { tid, pid, netns, thread_netns: netns, home, netlink, family });
  }
  end(netns: number, { tid = WORKER, pid = LEADER, home = HOST, threads = 2 } = {}): this {
    return this.say('netns_thread_exit', { tid, pid, netns, home, threads });
  }
  exec(netns: number, { tid = LEADER, pid = LEADER } = {}): this {
    return this.say('netns_exec', { tid, pid, netns });
  }
}

/** What a host does all day. */
export const HEALTHY: Readonly<Record<string, () => Threads>> = {
  'ip netns exec: a process enters, runs another program, which makes threads': () => {
    const first = { tid: LEADER, home: BOX };
    return new Threads()
      .enter(BOX, HOST, { tid: LEADER })
      .exec(BOX)
      .clone(WORKER, BOX, first)
      .ask(BOX, { tid: WORKER, home: BOX })
      .enter(HOST, BOX, first)
      .ask(BOX, { tid: WORKER })
      .enter(BOX, HOST, { tid: LEADER })
      .ask(BOX, { tid: WORKER, home: BOX });
  },
  'a container starts: clone with a namespace of its own, or unshare': () =>
    new Threads()
      .say('netns_create', { tid: LEADER, pid: LEADER, netns: BOX, creator_netns: HOST, inum: 4_026_532_300 })
      .say('netns_fork', { tid: LEADER, pid: LEADER, thread: 300, process: 300, netns: BOX, home: BOX })
      .ask(BOX, { tid: 300, pid: 300, home: BOX })
      .say('netns_create', { tid: 400, pid: 400, netns: 10, creator_netns: HOST, inum: 4_026_532_301 })
      .enter(10, HOST, { tid: 400, pid: 400 })
      .clone(401, 10, { tid: 400, pid: 400, home: 10 })
      .ask(10, { tid: 401, pid: 400, home: 10 }),
  'a process enters for good and makes threads there': () =>
    new Threads()
      .enter(BOX, HOST, { tid: LEADER })
      .clone(WORKER, BOX, { tid: LEADER, home: BOX })
      .clone(CHILD, BOX, { tid: WORKER, home: BOX })
      .ask(BOX, { home: BOX })
      .open(BOX, { home: BOX })
      .end(BOX, { home: BOX }),
  'a thread enters, works with a netlink socket of its own, and goes back': () =>
    new Threads()
      .enter(BOX, HOST)
      .open(BOX, { tid: WORKER, netlink: 0, family: 16 })
      .ask(BOX, { tid: WORKER })
      .enter(HOST, BOX)
      .clone(CHILD, HOST)
      .ask(HOST)
      .end(HOST),
  'a socket opened at home is used inside, and one opened inside at home': () =>
    new Threads()
      .enter(BOX, HOST)
      .ask(BOX, { tid: WORKER, socket: HOST })
      .enter(HOST, BOX)
      .ask(HOST, { tid: WORKER, socket: BOX }),
  'a helper process is started inside and stays there': () =>
    new Threads()
      .enter(BOX, HOST)
      .clone(300, BOX, { process: 300, home: BOX })
      .enter(HOST, BOX)
      .ask(BOX, { tid: 300, pid: 300, home: BOX }),
  'threads are made before the visit': () =>
    new Threads().clone(CHILD, HOST).enter(BOX, HOST).ask(HOST).enter(HOST, BOX).ask(HOST),
  'the first thread visits while others work at home': () =>
    new Threads()
      .clone(CHILD, HOST, { tid: LEADER })
      .enter(BOX, HOST, { tid: LEADER })
      .ask(HOST, { home: BOX })
      .enter(HOST, BOX, { tid: LEADER, home: BOX })
      .ask(HOST),
  'a process ends while one of its threads is on a visit': () =>
    new Threads().enter(BOX, HOST).end(BOX, { threads: 0 }),
  "a process's first thread has ended, and the others go on at home": () =>
    new Threads()
      .clone(CHILD, HOST, { home: 0 })
      .ask(HOST, { home: 0 })
      .enter(BOX, HOST)
      .enter(HOST, BOX)
      .open(HOST, { home: 0 })
      .clone(CHILD + 1, HOST, { tid: CHILD, home: 0 })
      .ask(HOST, { tid: CHILD + 1, home: 0 }),
};
